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
    this.select = this.form.querySelector("select");
    this.right = bench.config.base;
    this.select.addEventListener("change", () => { if (this.isOpen) this.open(); });
    bench.run.slot.addEventListener("htmx:afterSwap", () => this.take(bench.run.job?.dataset ?? {}));
    bench.root.addEventListener("click", (event) => this.onClick(event));
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  /** Of the picture that is seen. */
  get viewer() {
    return this.panel.querySelector("[data-compare]")?.curtain.viewer ?? this.bench.viewer;
  }

  /** A run has ended here: now what it made is held against what it began from. */
  take({ source, result, resultLabel }) {
    if (!result || this.right === Number(result)) return;
    this.right = Number(result);
    if (![...this.select.options].some((each) => each.value === result)) this.select.add(new Option(resultLabel, result));
    this.select.value = source;
  }

  get left() {
    return Number(this.select.value);
  }

  /** The version chosen in the list and the newest result, or the one on the bench; the older left. */
  get url() {
    const [left, right] = [this.left, this.right].sort((one, other) => one - other);
    return `${this.bench.config.urls.compare}?left=${left}&right=${right}`;
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

  async open(url = null) {
    if (!url && this.left === this.right) return toast(this.bench.words.notCompared);
    await window.htmx.ajax("GET", url ?? this.url, { target: this.panel, swap: "innerHTML" }).catch(() => {});
    const isThere = this.panel.querySelector("[data-compare]") !== null;
    // Who is signed out is told so there, with the way back in.
    if (!isThere && !this.panel.querySelector(".signed-out")) return toast(this.bench.words.compareFailed, "error");
    this.panel.hidden = false;
    this.show(true);
    if (!isThere) return this.panel.querySelector(".signed-out").focus();
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
