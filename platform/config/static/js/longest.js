// More words than a run takes are kept all the same: beside their field it is said while they are typed.
// <textarea id="x" data-longest="2000" [data-by-line]>, <div id="x-problem" hidden>, perhaps <p id="x-help">

import { announce } from "./site.js";

/** As the server counts: characters, also those that are two to a browser, without the blanks around. */
const length = (text) => [...text.trim()].length;

function tell(field) {
  const texts = "byLine" in field.dataset ? field.value.split("\n") : [field.value];
  const isTooLong = texts.some((text) => length(text) > Number(field.dataset.longest));
  const problem = document.getElementById(`${field.id}-problem`);
  if (isTooLong === !problem.hidden) return;
  problem.hidden = !isTooLong;
  field.setAttribute("aria-invalid", String(isTooLong));
  const help = document.getElementById(`${field.id}-help`);
  field.setAttribute("aria-describedby", [help?.id, isTooLong && problem.id].filter(Boolean).join(" "));
  if (isTooLong) announce(problem.textContent.trim());
}

document.addEventListener("input", ({ target }) => { if (target.matches?.("[data-longest]")) tell(target); });
