// The two buttons of the history. Each keeps its place and the focus when there is nothing left to
// do for it, and what was done by it or by the keys is said: a picture that changes is not heard.

import { announce } from "./site.js";

/** history: a History. words: {undone, redone}. */
export function startUndo(root, history, words) {
  const undo = root.querySelector("[data-undo]");
  const redo = root.querySelector("[data-redo]");
  const show = () => {
    undo.setAttribute("aria-disabled", String(history.done.length === 0));
    redo.setAttribute("aria-disabled", String(history.undone.length === 0));
  };
  undo.addEventListener("click", () => history.undo());
  redo.addEventListener("click", () => history.redo());
  history.addEventListener("change", show);
  history.addEventListener("undo", () => announce(words.undone));
  history.addEventListener("redo", () => announce(words.redone));
}
