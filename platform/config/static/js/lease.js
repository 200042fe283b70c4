// Somebody looks at a version: the page says so while there is somebody, and tells how long it is theirs.
// The seconds are the server's: the hour of this machine may be wrong.
// <p data-lease data-seconds="900" data-beat="url" data-words="... {minutes} ..." data-ended="..." data-gone="..."><span data-lease-words>

import { announce, send } from "./site.js";

const MINUTE = 60_000;
// Without a key or a pointer for so long nobody is there, and the lease may run out.
const AWAY = 10 * MINUTE;
const REFUSED = [403, 404, 409, 410];

const leases = [...document.querySelectorAll("[data-lease]")];
const ends = new WeakMap();
const refused = new WeakMap(); // and in which words
let seen = Date.now();

/** Whoever comes back after a while learns at once how it stands. */
function see() {
  const wasAway = Date.now() - seen > AWAY;
  seen = Date.now();
  if (wasAway) for (const element of leases) beat(element);
}

for (const kind of ["pointermove", "keydown", "wheel", "touchstart"]) {
  document.addEventListener(kind, see, { passive: true });
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  seen = Date.now();
  for (const element of leases) beat(element);
});

function take(element, seconds) {
  refused.delete(element);
  ends.set(element, performance.now() + 1000 * seconds);
}

function show(element) {
  if (refused.has(element)) return;
  const left = Math.ceil((ends.get(element) - performance.now()) / MINUTE);
  tell(element, left > 0 ? element.dataset.words.replace("{minutes}", String(left)) : element.dataset.ended);
}

function tell(element, sentence) {
  element.querySelector("[data-lease-words]").textContent = sentence;
}

/** It is not held from here any more: what the server says of it stands where the minutes stood. */
function refuse(element, sentence) {
  if (refused.get(element) !== sentence) announce(sentence);
  refused.set(element, sentence);
  tell(element, sentence);
}

async function beat(element) {
  if (Date.now() - seen > AWAY || document.hidden) return;
  // Where the line is down the lease goes on for a while without us.
  const answer = await send(element.dataset.beat).catch(() => null);
  if (answer?.ok) {
    take(element, answer.data.seconds_left);
    show(element);
  } else if (REFUSED.includes(answer?.code)) refuse(element, answer.data.message ?? element.dataset.gone);
}

for (const element of leases) {
  take(element, Number(element.dataset.seconds));
  show(element);
  window.setInterval(() => show(element), MINUTE / 4);
  window.setInterval(() => beat(element), MINUTE);
}
