// What every page needs: announcements, toasts, and keys that press a visible button.

const live = () => document.getElementById("announce");

/** Say a sentence to assistive technology; the same sentence twice is said twice. */
export function announce(text) {
  const region = live();
  if (!region || !text) return;
  region.textContent = "";
  window.setTimeout(() => { region.textContent = text; }, 60);
}

/** Show a sentence in the corner until it is dismissed or has been read. */
export function toast(text, kind = "info", milliseconds = 9000) {
  const template = document.getElementById("toast-template");
  const box = document.getElementById("toasts");
  if (!template || !box) return;
  const message = template.content.firstElementChild.cloneNode(true);
  message.classList.add(`message-${kind}`);
  message.querySelector("p").textContent = text;
  box.append(message);
  if (kind !== "error") window.setTimeout(() => message.remove(), milliseconds);
}

/** The token of Django's protection: the cookie's, which is new after signing in in another tab. */
export function csrfToken() {
  const now = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
  return now ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

// The forms of this page were made before that, and would be refused.
document.addEventListener("submit", ({ target }) => {
  const field = target.querySelector("input[name=csrfmiddlewaretoken]");
  if (field) field.value = csrfToken();
}, true);
document.addEventListener("htmx:configRequest", ({ detail: { formData } }) => {
  if (formData?.has("csrfmiddlewaretoken")) formData.set("csrfmiddlewaretoken", csrfToken());
});

/** fetch with the token and JSON answers, `wait` the seconds that a refusal asks for; rejects only when the
 *  network does. */
export async function send(url, { method = "POST", json, body, headers = {} } = {}) {
  const response = await fetch(url, {
    method,
    credentials: "same-origin",
    cache: "no-store",
    headers: {
      Accept: "application/json",
      "X-CSRFToken": csrfToken(),
      ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    body: json === undefined ? body : JSON.stringify(json),
  });
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  const data = isJson ? await response.json().catch(() => ({})) : {};
  return { ok: response.ok, code: response.status, data, wait: Number(response.headers.get("Retry-After")) };
}

/** True while the person is typing, when single letters must stay letters. */
export function isTyping(event) {
  const target = event.target;
  if (!(target instanceof Element)) return false;
  if (target.closest("textarea, select, [contenteditable]")) return true;
  const input = target.closest("input");
  return Boolean(input) && !["checkbox", "radio", "button", "range", "color"].includes(input.type);
}

export function hasModifier(event) {
  return event.ctrlKey || event.metaKey || event.altKey;
}

const { lang } = document.documentElement;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const DAY = { year: "numeric", month: "short", day: "numeric" };
const WEEK = 6 * 24 * 3600 * 1000;

/** The hour of what is soon, with its day when that is not today; both are Dates. */
export function hour(at, now = new Date()) {
  const isToday = at.toDateString() === now.toDateString();
  const day = isToday ? {} : Math.abs(at - now) < WEEK ? { weekday: "short" } : DAY;
  return told(at, { ...day, ...CLOCK });
}

/** Days before months in English, as everywhere on this site. */
function told(at, form) {
  return at.toLocaleString(lang === "en" ? "en-GB" : lang, form);
}

/** The server knows no other zone than its own, and names it; here is the reader's. */
function toHere(part) {
  for (const time of part.querySelectorAll("time[data-moment]")) {
    const at = new Date(time.dateTime);
    time.textContent = time.dataset.moment === "until" ? hour(at) : told(at, { ...DAY, ...CLOCK });
  }
}

document.addEventListener("htmx:load", ({ detail }) => toHere(detail.elt.parentElement ?? document));
toHere(document);

document.addEventListener("click", (event) => {
  event.target.closest?.("[data-dismiss]")?.closest(".message")?.remove();
});

const KEYS = "rekindle-single-keys";

/** Single-letter shortcuts can be switched off, for people who dictate to their computer. */
export function singleKeys() {
  return window.localStorage.getItem(KEYS) !== "off";
}

for (const box of document.querySelectorAll("[data-single-keys]")) {
  box.checked = singleKeys();
  box.addEventListener("change", () => window.localStorage.setItem(KEYS, box.checked ? "on" : "off"));
}

// Whoever is led past the messages, to a part of the page, hears them all the same.
if (window.location.hash) announce(document.getElementById("messages")?.textContent.trim().replace(/\s+/g, " "));
