// The red veil over the photograph: what was detected until a person paints or erases, then theirs.

export class Veil {
  /** bench: {root, config, words, mask, form, isBrush} */
  constructor(bench) {
    this.bench = bench;
    this.mask = bench.mask;
    this.place = bench.root.querySelector("[data-mask-share]");
    this.back = bench.root.querySelector("[data-mask-detected]");
  }

  get detectedUrl() {
    return this.bench.config.mask.detected_url;
  }

  /** The mask somebody made, or without one what was detected. */
  async load(url) {
    if (!url) return this.detect();
    await this.mask.load(url).catch(() => {});
  }

  async detect({ isUndoable = false } = {}) {
    const how = { isUndoable, isEdited: false };
    if (!this.detectedUrl) return this.mask.clear(how);
    await this.mask.load(this.detectedUrl, how).catch(() => this.mask.clear(how));
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
    if (!this.mask.isEdited && this.mask.painted) {
      const found = words.maskDetected.replace("{share}", share);
      return this.isSoughtOtherwise ? `${found} ${words.maskAnew}` : found;
    }
    if (!this.mask.isEdited) return words.maskSought;
    return this.mask.painted ? words.maskShare.replace("{share}", share) : words.maskEmpty;
  }
}
