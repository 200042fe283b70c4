// What is typed into a long field stays in this tab until its form has been answered: a session that
// ended meanwhile, or a strip that was fetched anew, loses none of it. The recipe has its own draft.

import { toast } from "./site.js";

const NAME = "rekindle-typed";
const { person } = document.body.dataset; // nobody else is shown it, on the same machine

/** {form: {sent, texts: {field: {was, now}}}}: `was` is what the page itself had in the field before a
 *  person wrote into it, `sent` the address of the page that the form was sent from, if it was. */
function read() {
  try { return JSON.parse(window.sessionStorage.getItem(NAME)) ?? {}; } catch { return {}; }
}

function write(all) {
  try { window.sessionStorage.setItem(NAME, JSON.stringify(all)); } catch { /* full, or not allowed */ }
}

const field = (area) => area.id || area.name;

function keyOf(form) {
  if (!person || form?.getAttribute("method") !== "post" || form.matches("[data-recipe]")) return null;
  // One and the same thing may be answered at several addresses, one after the other.
  if (form.dataset.keptAs) return `${person} ${form.dataset.keptAs}`;
  const address = new URL(form.getAttribute("action") || window.location.href, window.location.href);
  return `${person} ${address.pathname}`;
}

const own = new WeakMap();

/** A form that was refused comes back with what the person wrote, which is not the page's own. */
function ownOf(area, old) {
  if (!own.has(area)) own.set(area, old?.now && old.now === area.defaultValue ? old.was : area.defaultValue);
  return own.get(area);
}

function keep({ target }) {
  const key = target.matches?.("textarea") ? keyOf(target.form) : null;
  if (!key) return;
  const all = read();
  const was = ownOf(target, all[key]?.texts[field(target)]);
  const texts = { ...all[key]?.texts, [field(target)]: { was, now: target.value } };
  write({ ...all, [key]: { sent: "", texts } });
}

function onSubmit({ target, defaultPrevented }) {
  const key = defaultPrevented ? null : keyOf(target);
  const all = read();
  if (key && all[key]) write({ ...all, [key]: { ...all[key], sent: here() } });
}

/** As the next page knows it by document.referrer. */
const here = () => window.location.href.split("#")[0];

/** Where the form was that led here. Its answer leads on; a page that says what went wrong took nothing,
 *  and what comes after a line that was down is the page before, or one whose address was typed. */
function answered() {
  if (document.querySelector(".error-page, #messages :is(.message-warning, .message-error)")) return "";
  const [{ type, redirectCount } = {}] = performance.getEntriesByType("navigation");
  return type === "navigate" && redirectCount ? document.referrer : "";
}

/** Let go of what was sent from there; whatever else was sent had no answer. */
function settle(from) {
  const all = Object.entries(read()).filter(([, { sent }]) => !from || sent !== from);
  write(Object.fromEntries(all.map(([key, { texts }]) => [key, { sent: "", texts }])));
}

/** Put back what was not sent, unless the page has something newer; true when there was any. */
function putBack(part) {
  const all = read();
  const areas = [...part.querySelectorAll("form textarea")].filter((area) => {
    const kept = all[keyOf(area.form)]?.texts[field(area)];
    if (kept?.was !== area.value || kept.now === area.value) return false;
    area.value = kept.now;
    area.closest("details")?.setAttribute("open", "");
    return true;
  });
  return areas.length > 0;
}

document.addEventListener("input", keep);
document.addEventListener("submit", onSubmit);
window.addEventListener("pageshow", ({ persisted }) => { if (persisted) settle(""); });
document.addEventListener("htmx:load", ({ detail }) => putBack(detail.elt));
settle(answered());
if (putBack(document)) toast(document.getElementById("toasts").dataset.kept, "success");
