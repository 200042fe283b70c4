// The red veil over the photograph: what was detected until a person paints or erases, then theirs.

import { toast } from "./site.js";

const PAUSES = [1, 2, 4, 8, 15]; // seconds from try to try; the last one again and again

export class Veil {
  /** bench: {root, config, words, mask, draft, form, isBrush} */
  constructor(bench) {
    this.bench = bench;
    this.mask = bench.mask;
    this.place = bench.root.querySelector("[data-mask-share]");
    this.back = bench.root.querySelector("[data-mask-detected]");
    this.wanted = null; // {url, isEdited, before}: what is to come, and the bytes before it was asked for
    window.addEventListener("beforeunload", (event) => this.onLeave(event));
  }

  get detectedUrl() {
    return this.bench.config.mask.detected_url;
  }

  /**
   * The mask somebody made, or without one what was detected. Resolves when it is here or could not be
   * had at once. Then it is asked for again, and strokes wait for it: sent alone they would replace it.
   */
  async load(url) {
    const wanted = { url: url ?? this.detectedUrl, isEdited: Boolean(url), before: this.mask.bytes.slice() };
    this.wanted = wanted;
    this.mask.isAwaited = true;
    this.mask.isEdited = wanted.isEdited; // what a stroke that is undone goes back to
    this.show();
    if ((await this.take(wanted)) || this.wanted !== wanted) return;
    const nothing = await this.mask.bytesOf(null);
    this.mask.place(nothing.slice(), wanted.before, wanted);
    wanted.before = nothing;
    toast(this.bench.words.maskLate, "warning");
    this.tryAgain(wanted);
  }

  /** True once it lies there. */
  async take(wanted) {
    const found = await this.mask.bytesOf(wanted.url).catch(() => null);
    if (!found || this.wanted !== wanted) return false;
    this.forgo();
    this.mask.place(found, wanted.before, wanted);
    if (this.bench.draft.maskDirty) this.bench.draft.touch({ isMask: true });
    return true;
  }

  async tryAgain(wanted) {
    for (let count = 0; this.wanted === wanted; count += 1) {
      const seconds = PAUSES[Math.min(count, PAUSES.length - 1)];
      await new Promise((done) => { window.setTimeout(done, 1000 * seconds); });
      if (this.wanted === wanted && (await this.take(wanted))) toast(this.bench.words.maskHere, "success");
    }
  }

  /** Nothing is to come any more: it is here, or a person decided otherwise. */
  forgo() {
    this.wanted = null;
    this.mask.isAwaited = false;
  }

  clear() {
    this.forgo();
    this.mask.clear();
  }

  /** Back to what was detected, as a person wished. */
  async detect() {
    const found = await this.mask.bytesOf(this.detectedUrl).catch(() => null);
    if (!found) return toast(this.bench.words.maskNotHad, "warning");
    this.forgo();
    this.mask.fill(found, { isEdited: false });
  }

  /** What waits for its mask is nowhere but on this page. */
  onLeave(event) {
    if (this.mask.isAwaited && this.bench.draft.maskDirty) event.preventDefault();
  }

  /** It lies over the picture while it means something: the repair is on, or it is being painted. */
  show() {
    const box = this.bench.form.elements["step-repair"];
    this.mask.canvas.hidden = !(box?.checked || this.bench.isBrush);
    if (this.place) this.place.textContent = this.sentence();
    if (this.back) this.back.hidden = !this.mask.isEdited;
  }

  /** The red is what was found at one sensitivity; the run looks with the one that is set. */
  get isSoughtOtherwise() {
    const slider = this.bench.form.elements["repair-sensitivity"];
    return Boolean(slider) && Number(slider.value) !== this.bench.config.mask.detected_at;
  }

  /** As it is read; the smallest of marks is not told as nothing. */
  share() {
    const percent = 100 * this.mask.share;
    if (percent < 0.1) return this.bench.words.maskLeast;
    return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
  }

  sentence() {
    const { words } = this.bench;
    const share = this.share();
    if (this.mask.isAwaited && this.mask.isEdited) return words.maskAwaited;
    if (!this.mask.isEdited && this.mask.painted) {
      const found = words.maskDetected.replace("{share}", share);
      return this.isSoughtOtherwise ? `${found} ${words.maskAnew}` : found;
    }
    if (!this.mask.isEdited) return words.maskSought;
    return this.mask.painted ? words.maskShare.replace("{share}", share) : words.maskEmpty;
  }
}
