// What the bench says of its draft: whether it is saved, and when two tabs disagree, which goes on.

import { announce } from "./site.js";

const one = (selector, root) => root.querySelector(selector);

export class Saved {
  constructor(root, words) {
    this.place = one("[data-saved]", root);
    this.words = words;
    this.told = "saved";
  }

  show(state) {
    const { place, words } = this;
    place.textContent = words[state];
    place.dataset.state = state;
    const door = one("a", document.getElementById("signed-out").content);
    if (state === "signedOut") place.append(" ", door.cloneNode(true));
    this.tell(state);
  }

  /** Read out is what goes wrong, and that it is right again; each saving would be too much. */
  tell(state) {
    if (state === "saving" || state === this.told) return;
    this.told = state;
    announce(this.words[state]);
  }

  /** Resolves "mine" or "theirs". */
  ask() {
    const dialog = one("#conflict", document);
    dialog.showModal();
    return new Promise((resolve) => {
      const settle = (answer) => { dialog.onclose = null; dialog.close(); resolve(answer); };
      one("[data-keep-mine]", dialog).onclick = () => settle("mine");
      one("[data-take-theirs]", dialog).onclick = () => settle("theirs");
      dialog.oncancel = (event) => event.preventDefault(); // it has to be decided
      dialog.onclose = () => { if (!dialog.open) dialog.showModal(); }; // one Escape more than can be prevented
    });
  }
}
