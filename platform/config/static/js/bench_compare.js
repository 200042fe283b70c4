// Two versions on the bench: the common comparison takes the stage, and the tools wait.

import { startCompare } from "./compare.js";
import { announce, hasModifier, toast } from "./site.js";

export class BenchCompare {
  /** bench: {root, config, words, viewer, stageRoot} */
  constructor(bench) {
    this.bench = bench;
    this.panel = bench.root.querySelector("[data-compare-panel]");
    this.form = bench.root.querySelector("[data-compare-form]");
    this.form.addEventListener("submit", (event) => this.onSubmit(event));
    this.form.querySelector("select").addEventListener("change", () => { if (this.isOpen) this.open(); });
    bench.root.addEventListener("click", (event) => this.onClick(event));
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  /** The version chosen in the list beside the one on the bench. */
  get url() {
    const { compare } = this.bench.config.urls;
    const left = encodeURIComponent(this.form.querySelector("select").value);
    return `${compare}?left=${left}&right=${encodeURIComponent(this.bench.config.base)}`;
  }

  onSubmit(event) {
    event.preventDefault();
    if (this.isOpen) this.close();
    else this.open();
  }

  onClick(event) {
    const link = event.target.closest("[data-compare-link]");
    if (!link || hasModifier(event) || event.button) return;
    event.preventDefault();
    this.open(link.href).then(() => this.panel.scrollIntoView({ block: "nearest" }));
  }

  async open(url = this.url) {
    await window.htmx.ajax("GET", url, { target: this.panel, swap: "innerHTML" }).catch(() => {});
    if (!this.panel.querySelector("[data-compare]")) return toast(this.bench.words.compareFailed, "error");
    this.panel.hidden = false;
    this.show(true);
    startCompare(this.panel);
    announce(this.bench.words.comparing);
  }

  close() {
    this.panel.hidden = true;
    this.panel.replaceChildren();
    this.show(false);
    this.bench.viewer.onResize();
  }

  show(isOn) {
    this.bench.stageRoot.classList.toggle("is-comparing", isOn);
    this.form.querySelector("[data-compare-toggle]").setAttribute("aria-pressed", String(isOn));
  }
}
