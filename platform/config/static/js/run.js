// Run: the draft is saved first, then the recipe's own form is sent by htmx, and the answer (a
// partial that polls by itself) takes its place under the form.

import { announce, toast } from "./site.js";
import { keepWork } from "./strip.js";

export class Run {
  /** before(): comes ahead of the last save. fill(): writes what was drawn into the form's hidden fields. */
  constructor({ form, draft, before, fill, words }) {
    Object.assign(this, { form, draft, before, fill, words });
    this.button = form.querySelector("[data-run]");
    this.slot = form.querySelector("#job");
    this.state = this.job?.dataset.state ?? "";
    form.addEventListener("submit", (event) => this.onSubmit(event));
    form.addEventListener("keydown", (event) => this.onEnter(event));
    form.addEventListener("invalid", (event) => this.onInvalid(event.target), { capture: true });
    form.addEventListener("change", () => this.slot.querySelector(".form-errors")?.remove());
    this.slot.addEventListener("htmx:beforeSwap", () => this.onLeave());
    this.slot.addEventListener("htmx:afterSwap", () => this.onSwap());
    document.body.addEventListener("htmx:afterSettle", (event) => this.onSettle(event.target));
    keepWork((strip) => this.onSettle(strip));
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

  /** Enter in a text field sends no accidental run, but what was typed counts; control and Enter run. */
  onEnter(event) {
    if (event.key !== "Enter") return;
    const isControl = event.ctrlKey || event.metaKey;
    if (!isControl && !event.target.matches("input")) return;
    event.preventDefault(); // and with it the browser's own "change"
    if (isControl) this.start();
    else event.target.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** The browser can only point to a field that is to be seen. */
  onInvalid(field) {
    const folded = field.closest("details");
    if (folded) folded.open = true;
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
    try {
      this.before();
      if (await this.draft.flush()) await this.send();
      else this.refuse();
    } finally {
      this.rest();
    }
  }

  async send() {
    this.fill();
    const how = { source: this.form, target: "#job", swap: "innerHTML" };
    await window.htmx.ajax("POST", this.form.action, how).catch(() => {}); // onError has told it
  }

  rest() {
    this.isStarting = false;
    this.button.disabled = this.isLive;
    if (this.hadFocus && document.activeElement === document.body) this.button.focus();
    this.hadFocus = false;
  }

  /** What cannot be saved is not run; who is signed out reads so where the run would have stood. */
  refuse() {
    const { state, said } = this.draft;
    const why = { tooMany: said, awaited: this.words.maskLate };
    if (state !== "signedOut") return toast(why[state] ?? this.words.runFailed, "error");
    const told = document.getElementById("signed-out").content.cloneNode(true);
    this.slot.replaceChildren(told);
    this.onSwap();
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
    this.button.disabled = this.isLive;
    if (this.hadFocus && document.activeElement === document.body) this.focusJob();
    this.hadFocus = false;
    const state = this.job?.dataset.state ?? "";
    if (state === this.state) return;
    const before = this.state;
    this.state = state;
    this.showNumbers();
    if (!before || state === "queued") this.job?.scrollIntoView({ block: "nearest" });
    if (state === "succeeded") announce(this.words.finished);
    else if (["failed", "cancelled"].includes(state)) announce(this.words.stopped);
    else announce(this.job?.querySelector(".badge")?.textContent.trim());
  }

  /** Once a run has ended, what is told beside Run is what holds for the next one. */
  showNumbers() {
    for (const now of this.slot.querySelectorAll("[data-now]")) {
      const told = this.form.querySelector(`[data-${now.dataset.now}]`);
      if (told) told.textContent = now.textContent;
    }
  }

  /** A run that was cancelled has no button of its own: Run is what comes next. */
  focusJob() {
    const next = this.slot.querySelector("button, a[href]") ?? this.button;
    next.focus({ preventScroll: true });
  }

  onError(event) {
    const isPoll = event.detail?.requestConfig?.verb === "get";
    if (!isPoll) toast(this.words.runFailed, "error");
  }
}
