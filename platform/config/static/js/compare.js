// The curtain, the flip and the common zoom of partials/_compare.html. The view itself is a radio
// group that works by CSS; this adds what CSS can't do.

import { announce, hasModifier, isTyping, singleKeys } from "./site.js";
import { Viewer, deepen } from "./viewer.js";

const SMALL = 20; // rem: over a picture that is lower or narrower, a sentence hides too much
const started = new WeakSet();

function isFlip(event) {
  return event.key.toLowerCase() === "x" && singleKeys() && !isTyping(event) && !hasModifier(event);
}

/** A world inside each pane, so that both pictures can be moved by one view. */
function wrapPanes(figure) {
  const panes = [...figure.querySelectorAll("[data-pane]")];
  for (const pane of panes) {
    const world = document.createElement("div");
    world.className = "viewer-world";
    world.append(...pane.querySelectorAll("img, [data-maps]"));
    pane.querySelector("[data-frame]")?.remove();
    pane.prepend(world);
  }
  return panes;
}

function startZoom(figure, stage) {
  const size = { width: Number(figure.dataset.width), height: Number(figure.dataset.height) };
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  stage.setAttribute("aria-label", figure.getAttribute("aria-label"));
  stage.setAttribute("aria-describedby", figure.querySelector("[data-stage-keys]").id);
  const panes = wrapPanes(figure);
  const viewer = new Viewer(stage, { panes, size, root: figure, zoomText: figure.dataset.zoomtext });
  const bundle = figure.dataset.deep;
  for (const pane of panes.filter((each) => each.dataset.tiles)) {
    deepen(viewer, pane, pane.querySelector("img"), { bundle, source: pane.dataset.tiles });
  }
  return viewer;
}

/** What was done to the picture is told on it, or under it where that would hide it. */
function keepNotice(stage, notice) {
  const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
  const place = () => {
    const isSmall = Math.min(stage.clientWidth, stage.clientHeight) < SMALL * rem();
    if (isSmall && stage.contains(notice)) stage.after(notice);
    else if (!isSmall && !stage.contains(notice)) stage.append(notice);
  };
  const observer = new ResizeObserver(place);
  for (const each of [stage, notice]) observer.observe(each); // the notice grows with the letters
}

/** The maps over the later picture. Boxes and CSS show them; this keeps their patterns legible. */
class Maps {
  constructor(curtain) {
    this.curtain = curtain;
    this.drawing = curtain.figure.querySelector("[data-maps]");
    this.boxes = [...curtain.figure.querySelectorAll("[data-map]")];
    for (const box of this.boxes) box.addEventListener("change", () => this.change());
    curtain.figure.querySelector("[data-maps-all]").addEventListener("click", () => this.all());
    curtain.viewer?.addEventListener("view", () => this.draw());
    this.draw();
  }

  get chosen() {
    return this.boxes.filter((box) => box.checked).map((box) => box.value);
  }

  /** Whoever asks for a map wants to see the picture that it lies over. */
  change() {
    const isHidden = ["left", "difference"].includes(this.curtain.view);
    if (isHidden && this.chosen.length) this.curtain.choose("right");
  }

  all() {
    const isNone = this.chosen.length === 0;
    for (const box of this.boxes) box.checked = isNone;
    this.change();
  }

  /** The lines keep their distance on the screen however near one looks. */
  draw() {
    const shown = this.drawing.getBoundingClientRect().width;
    if (!shown) return;
    const unit = this.drawing.viewBox.baseVal.width / shown;
    for (const pattern of this.drawing.querySelectorAll("[data-hatch]")) pattern.setAttribute("patternTransform", `scale(${unit})`);
  }
}

class Curtain {
  constructor(figure) {
    this.figure = figure;
    this.stage = figure.querySelector("[data-stage]");
    this.range = figure.querySelector("[data-cut]");
    this.handle = figure.querySelector("[data-handle]");
    this.flipper = figure.querySelector("[data-flip]");
    const { width, height } = figure.dataset;
    figure.style.setProperty("--aspect", `${width} / ${height}`);
    figure.style.setProperty("--aspect-both", `${2 * width} / ${height}`);
    figure.style.setProperty("--ratio", String(width / height));
    this.radios = [...figure.querySelectorAll('.choice [type="radio"]')];
    figure.dataset.ready = "";
    this.choose("curtain");
    this.choose(figure.dataset.first); // a map that was asked for by its link
    this.set(50);
    this.listen();
    const notice = figure.querySelector("[data-notice]");
    if (notice) keepNotice(this.stage, notice);
    if ("zoomable" in figure.dataset) this.viewer = startZoom(figure, this.stage);
    if (figure.querySelector("[data-maps]")) this.maps = new Maps(this);
  }

  get view() {
    return this.figure.dataset.view;
  }

  choose(view) {
    const radio = this.radios.find((each) => each.value === view);
    if (!radio) return;
    radio.checked = true;
    this.figure.dataset.view = view;
    this.flipper.setAttribute("aria-pressed", String(view === "left"));
    this.viewer?.onResize();
  }

  get viewName() {
    return this.radios.find((each) => each.checked).labels[0].textContent.trim();
  }

  /** cut: where the curtain hangs, in percent from the left; what is right of it is restored. */
  set(cut) {
    const value = Math.min(100, Math.max(0, cut));
    const share = 100 - Math.round(value);
    this.range.value = String(share);
    this.figure.style.setProperty("--cut", `${value}%`);
    this.range.setAttribute("aria-valuetext", this.figure.dataset.valuetext.replace("{share}", `${share} %`));
  }

  flip() {
    const held = document.activeElement === this.range; // which goes with the curtain
    this.choose(this.view === "right" ? "left" : "right");
    announce(this.viewName);
    if (held) this.flipper.focus({ preventScroll: true });
  }

  listen() {
    this.range.addEventListener("input", () => this.set(100 - Number(this.range.value)));
    for (const radio of this.radios) radio.addEventListener("change", () => this.choose(radio.value));
    this.flipper.addEventListener("click", () => this.flip());
    this.figure.addEventListener("keydown", (event) => this.onKey(event));
    const grip = "zoomable" in this.figure.dataset ? this.handle : this.stage;
    grip.addEventListener("pointerdown", (event) => this.onDown(event, grip));
  }

  onKey(event) {
    if (!isFlip(event)) return;
    event.preventDefault();
    event.stopPropagation();
    this.flip();
  }

  onDown(event, grip) {
    if (this.view !== "curtain" || event.button !== 0) return;
    grip.setPointerCapture(event.pointerId);
    const move = (each) => {
      const box = this.stage.getBoundingClientRect();
      this.set(((each.clientX - box.left) / box.width) * 100);
    };
    grip.addEventListener("pointermove", move);
    const stop = () => grip.removeEventListener("pointermove", move);
    grip.addEventListener("pointerup", stop, { once: true });
    grip.addEventListener("pointercancel", stop, { once: true });
    move(event);
  }
}

/** Start every comparison inside an element that has not been started. */
export function startCompare(root = document) {
  for (const figure of root.querySelectorAll("[data-compare]")) {
    if (started.has(figure)) continue;
    started.add(figure);
    figure.curtain = new Curtain(figure);
  }
}

// X flips the only comparison of the page from anywhere, as on a light table; where nobody can
// switch single letters off, it is heard inside the figure alone.
document.addEventListener("keydown", (event) => {
  if (!isFlip(event) || !document.querySelector("[data-single-keys]")) return;
  const figures = document.querySelectorAll("[data-compare]");
  if (figures.length === 1) figures[0].curtain?.flip();
});

document.addEventListener("htmx:load", (event) => startCompare(event.target.parentElement ?? document));
startCompare();
