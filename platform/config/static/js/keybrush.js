// The brush for who has no pointer: on the focused picture arrows move it, Enter sets it down and
// lifts it, Escape lifts it. At the rim the picture moves on beneath it.

import { announce, hasModifier } from "./site.js";

const STEP = 8; // pixels of the screen; with Shift a quarter of them
const RIM = 24;
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class KeyBrush {
  constructor(bench) {
    this.bench = bench;
    this.place = null; // in pixels of the stage; none until a key is pressed
    const { stage } = bench;
    stage.addEventListener("keydown", (event) => this.onKey(event));
    stage.addEventListener("blur", () => this.lift());
    // Ahead of the bench, which begins a stroke of its own.
    stage.addEventListener("pointerdown", () => { this.lift(); this.place = null; }, { capture: true });
  }

  get isDown() {
    return this.place !== null && Boolean(this.bench.mask.stroke);
  }

  onKey(event) {
    if (!this.bench.isBrush || hasModifier(event)) return;
    const way = WAYS[event.key];
    if (way) this.move(way, event.shiftKey ? STEP / 4 : STEP);
    else if (event.key === "Enter") this.toggle();
    else if (event.key === "Escape" && this.isDown) this.lift();
    else return;
    event.preventDefault();
    event.stopPropagation(); // the picture would move as well
  }

  move([right, down], step) {
    const { viewer } = this.bench;
    const { width, height } = viewer.paneSize;
    const { x, y } = this.here();
    const next = { x: x + right * step, y: y + down * step };
    const inner = { x: Math.min(Math.max(next.x, RIM), width - RIM), y: Math.min(Math.max(next.y, RIM), height - RIM) };
    if (inner.x !== next.x || inner.y !== next.y) viewer.panBy(inner.x - next.x, inner.y - next.y);
    this.place = inner;
    if (this.isDown) this.bench.mask.move(this.onMask());
    this.show();
  }

  toggle() {
    if (this.isDown) return this.lift();
    this.place = this.here();
    this.bench.beginStroke(this.bench.viewer.toWorld(this.place));
    announce(this.bench.words.brushDown);
    this.show();
  }

  lift() {
    if (!this.isDown) return;
    this.bench.onUp();
    announce(this.bench.words.brushUp);
  }

  /** Where it is; at first in the middle. */
  here() {
    const { width, height } = this.bench.viewer.paneSize;
    return this.place ?? { x: width / 2, y: height / 2 };
  }

  onMask() {
    return this.bench.toMask(this.bench.viewer.toWorld(this.place));
  }

  show() {
    this.bench.showCursor(this.place);
  }
}
