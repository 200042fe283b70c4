// Somebody looks at a version: the page says so while there is somebody, and tells how long it is theirs.
// The seconds are the server's: the hour of this machine may be wrong.
// <p data-lease data-seconds="900" data-beat="url" data-words="... {minutes} ..." data-ended="..."><span data-lease-words>

import { send } from "./site.js";

const MINUTE = 60_000;
// Without a key or a pointer for so long nobody is there, and the lease may run out.
const AWAY = 10 * MINUTE;

let seen = Date.now();
for (const kind of ["pointermove", "keydown", "wheel", "touchstart"]) {
  document.addEventListener(kind, () => { seen = Date.now(); }, { passive: true });
}

const ends = new WeakMap();

function take(element, seconds) {
  ends.set(element, performance.now() + 1000 * seconds);
}

function show(element) {
  const left = Math.ceil((ends.get(element) - performance.now()) / MINUTE);
  const words = element.querySelector("[data-lease-words]");
  words.textContent = left > 0 ? element.dataset.words.replace("{minutes}", String(left)) : element.dataset.ended;
}

async function beat(element) {
  if (Date.now() - seen > AWAY || document.hidden) return;
  try {
    const answer = await send(element.dataset.beat);
    if (answer.ok) take(element, answer.data.seconds_left);
  } catch {
    // The line is down; the lease goes on for a while without us.
  }
}

for (const element of document.querySelectorAll("[data-lease]")) {
  take(element, Number(element.dataset.seconds));
  show(element);
  window.setInterval(() => show(element), MINUTE / 4);
  window.setInterval(() => beat(element), MINUTE);
}
