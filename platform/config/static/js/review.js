// The review desk's keys press what is on the page: data-key names the letter, on a button, a link
// or a disclosure. A opens "accept", R "return", D "decline"; the arrows go through the queue.

import { hasModifier, isTyping, singleKeys } from "./site.js";

function press(element) {
  if (element.matches("details")) {
    element.open = true;
    element.scrollIntoView({ block: "nearest" });
    element.querySelector("textarea, select, input:not([type=hidden]), button")?.focus();
  } else {
    element.focus();
    element.click();
  }
}

function onKey(event) {
  if (event.defaultPrevented || !singleKeys() || isTyping(event) || hasModifier(event)) return;
  if (event.target.closest?.('[role="application"], [type="range"], [type="radio"]')) return;
  const element = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!element) return;
  event.preventDefault();
  press(element);
}

document.addEventListener("keydown", onKey);
