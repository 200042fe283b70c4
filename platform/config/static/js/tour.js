// The introduction to the bench: open the first time, then a line to be opened again.

const KEY = "rekindle-bench-tour";

export class Tour {
  constructor(root) {
    this.box = root.querySelector("[data-tour]");
    if (!this.box) return;
    this.box.open = window.localStorage.getItem(KEY) !== "seen";
    this.box.querySelector("[data-tour-done]").addEventListener("click", () => this.close());
    this.box.addEventListener("toggle", () => {
      if (!this.box.open) window.localStorage.setItem(KEY, "seen");
    });
  }

  close() {
    this.box.open = false;
    this.box.querySelector("summary").focus();
  }
}
