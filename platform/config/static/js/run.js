// Run: the draft is saved first, then the recipe's own form is sent by htmx, and the answer (a
// partial that polls by itself) takes its place under the form.

import { announce, toast } from "./site.js";

export class Run {
  /** fill(): writes what was drawn into the hidden fields of the form. */
  constructor({ form, draft, fill, words }) {
    Object.assign(this, { form, draft, fill, words });
    this.button = form.querySelector("[data-run]");
    this.slot = form.querySelector("#job");
    this.state = this.job?.dataset.state ?? "";
    form.addEventListener("submit", (event) => this.onSubmit(event));
    form.addEventListener("keydown", (event) => this.onEnter(event));
    form.addEventListener("change", () => this.slot.querySelector(".form-errors")?.remove());
    this.slot.addEventListener("htmx:beforeSwap", () => this.onLeave());
    this.slot.addEventListener("htmx:afterSwap", () => this.onSwap());
    document.body.addEventListener("htmx:afterSettle", (event) => this.onSettle(event.target));
    for (const name of ["htmx:sendError", "htmx:responseError"]) {
      this.slot.addEventListener(name, (event) => this.onError(event));
      form.addEventListener(name, (event) => this.onError(event));
    }
    this.onSwap();
    this.showAsked();
  }

  /** Who was sent here to see the run sees it: the picture stays on top and covers more now. */
  showAsked() {
    if (window.location.hash !== `#${this.slot.id}` || !this.job) return;
    window.requestAnimationFrame(() => this.slot.scrollIntoView({ block: "start" }));
  }

  get job() {
    return this.slot.querySelector("[data-job]");
  }

  get isLive() {
    return ["queued", "running"].includes(this.job?.dataset.state);
  }

  /** Enter in a text field writes no accidental job; control and Enter do. */
  onEnter(event) {
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); this.start(); }
    else if (event.target.matches("input")) event.preventDefault();
  }

  onSubmit(event) {
    if (event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault();
    this.start();
  }

  async start() {
    if (this.isLive || this.isStarting) return;
    this.isStarting = true;
    this.hadFocus = document.activeElement === this.button; // a disabled button cannot keep it
    this.button.disabled = true;
    const isSaved = await this.draft.flush();
    if (isSaved) {
      this.fill();
      await window.htmx.ajax("POST", this.form.action, { source: this.form, target: "#job", swap: "innerHTML" });
    } else toast(this.words.runFailed, "error");
    this.isStarting = false;
    this.button.disabled = this.isLive;
    if (this.hadFocus && document.activeElement === document.body) this.button.focus();
    this.hadFocus = false;
  }

  /** Who pressed the link to the newest version before the strip had it is led there now. */
  onSettle(strip) {
    const { hash } = window.location;
    if (strip.id !== "strip" || !hash || document.activeElement?.hash !== hash) return;
    const wanted = document.getElementById(hash.slice(1));
    if (strip.contains(wanted)) wanted.focus();
  }

  /** A button that was pressed goes with the run it stood on; the focus does not go with it. */
  onLeave() {
    this.hadFocus ||= this.slot.contains(document.activeElement);
  }

  onSwap() {
    if (this.hadFocus && document.activeElement === document.body) this.focusJob();
    this.hadFocus = false;
    const state = this.job?.dataset.state ?? "";
    this.button.disabled = this.isLive;
    if (state === this.state) return;
    const before = this.state;
    this.state = state;
    if (!before) this.job?.scrollIntoView({ block: "nearest" });
    if (state === "succeeded") announce(this.words.finished);
    else if (["failed", "cancelled"].includes(state)) announce(this.words.stopped);
    else announce(this.job?.querySelector(".badge")?.textContent.trim());
  }

  focusJob() {
    this.slot.querySelector("button, a[href]")?.focus({ preventScroll: true });
  }

  onError(event) {
    const isPoll = event.detail?.requestConfig?.verb === "get";
    if (!isPoll) toast(this.words.runFailed, "error");
  }
}
