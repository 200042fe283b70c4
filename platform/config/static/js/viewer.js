// A zoomable picture. One view (scale and centre) drives any number of panes, so that two
// pictures side by side are synchronised by construction. Coordinates of the world are pixels of
// the photograph; "100 %" is one of them on one pixel of the screen.

import { announce, hasModifier, isTyping } from "./site.js";

const LARGEST = 8;
const MAGNIFIED = 2;
const STEP = 1.25;
const MATS = ["dark", "middle", "light"];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A finger or pointer, remembered while it is down. */
class Pointers {
  constructor() {
    this.down = new Map();
  }

  set(event) {
    this.down.set(event.pointerId, { x: event.clientX, y: event.clientY, type: event.pointerType });
  }

  get size() {
    return this.down.size;
  }

  of(type) {
    return [...this.down.values()].filter((each) => each.type === type);
  }

  /** Middle and spread of the first two fingers. */
  pinch() {
    const [a, b] = this.of("touch");
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, spread: Math.hypot(a.x - b.x, a.y - b.y) || 1 };
  }
}

export class Viewer extends EventTarget {
  /**
   * stage: the element that receives gestures and keys. panes: elements of equal size that each
   * hold one .viewer-world. size: {width, height} of the photograph. root: holds the zoom buttons.
   * mayPan: asked at each press, false leaves the press to a drawing tool.
   */
  constructor(stage, { panes = [stage], size, root = stage, mayPan = () => true, zoomText = "{level}" }) {
    super();
    this.stage = stage;
    this.panes = panes;
    this.size = size;
    this.root = root;
    this.mayPan = mayPan;
    this.zoomText = zoomText;
    this.pointers = new Pointers();
    this.scale = 1;
    this.centre = { x: size.width / 2, y: size.height / 2 };
    this.isFit = true;
    this.spaceDown = false;
    this.worlds = panes.map((pane) => pane.querySelector(".viewer-world"));
    for (const world of this.worlds) {
      world.style.width = `${size.width}px`;
      world.style.height = `${size.height}px`;
    }
    this.listen();
    this.observer = new ResizeObserver(() => this.onResize());
    this.observer.observe(panes[0]);
    this.fit();
  }

  // ---- the view

  get paneSize() {
    const visible = this.panes.find((pane) => pane.clientWidth > 0) ?? this.panes[0];
    return { width: visible.clientWidth || 1, height: visible.clientHeight || 1 };
  }

  get fitScale() {
    const pane = this.paneSize;
    return Math.min(pane.width / this.size.width, pane.height / this.size.height);
  }

  get isMagnified() {
    return this.scale * window.devicePixelRatio > MAGNIFIED;
  }

  get percent() {
    return Math.round(this.scale * window.devicePixelRatio * 100);
  }

  fit() {
    this.isFit = true;
    this.scale = this.fitScale;
    this.centre = { x: this.size.width / 2, y: this.size.height / 2 };
    this.apply();
  }

  /** Zoom so that the world's point under (x, y) of the pane stays where it is. */
  zoomTo(scale, at = null) {
    const pane = this.paneSize;
    const point = at ?? { x: pane.width / 2, y: pane.height / 2 };
    const world = this.toWorld(point);
    const least = Math.min(this.fitScale, 1 / window.devicePixelRatio);
    // A very small photograph is larger than that where all of it is shown.
    this.scale = clamp(scale, least, Math.max(LARGEST / window.devicePixelRatio, this.fitScale));
    this.isFit = Math.abs(this.scale - this.fitScale) < 1e-6;
    this.centre = {
      x: world.x - (point.x - pane.width / 2) / this.scale,
      y: world.y - (point.y - pane.height / 2) / this.scale,
    };
    this.apply();
  }

  panBy(dx, dy) {
    this.centre = { x: this.centre.x - dx / this.scale, y: this.centre.y - dy / this.scale };
    this.isFit = false;
    this.apply();
  }

  /** Bring a point of the photograph to the middle, for keyboard work on dabs. */
  reveal(x, y) {
    this.centre = { x, y };
    this.apply();
  }

  apply() {
    const pane = this.paneSize;
    this.keepInside(pane);
    const x = pane.width / 2 - this.centre.x * this.scale;
    const y = pane.height / 2 - this.centre.y * this.scale;
    for (const world of this.worlds) {
      world.style.transform = `translate(${x}px, ${y}px) scale(${this.scale})`;
      world.classList.toggle("is-magnified", this.isMagnified);
    }
    for (const output of this.root.querySelectorAll("[data-zoom-level]")) {
      if (this.owns(output)) output.textContent = `${this.percent} %`;
    }
    this.dispatchEvent(new Event("view"));
  }

  /** The picture can't be lost: its middle half stays reachable, and what fits is centred. */
  keepInside(pane) {
    for (const [axis, side] of [["x", "width"], ["y", "height"]]) {
      const shown = pane[side] / this.scale;
      if (shown >= this.size[side]) this.centre[axis] = this.size[side] / 2;
      else this.centre[axis] = clamp(this.centre[axis], shown / 4, this.size[side] - shown / 4);
    }
  }

  /** Nothing is reckoned while it is hidden: there are no sides to fit into. */
  onResize() {
    if (!this.panes.some((pane) => pane.clientWidth > 0)) return;
    if (this.isFit) this.fit();
    else this.apply();
  }

  // ---- coordinates

  toPane(event) {
    const pane = this.panes.find((each) => {
      const box = each.getBoundingClientRect();
      return event.clientX >= box.left && event.clientX <= box.right;
    }) ?? this.panes[0];
    const box = pane.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  toWorld(point) {
    const pane = this.paneSize;
    return {
      x: this.centre.x + (point.x - pane.width / 2) / this.scale,
      y: this.centre.y + (point.y - pane.height / 2) / this.scale,
    };
  }

  /** Where a pointer is on the photograph, in its pixels. */
  pointAt(event) {
    return this.toWorld(this.toPane(event));
  }

  // ---- gestures and keys

  listen() {
    this.stage.addEventListener("pointerdown", (event) => this.onDown(event));
    this.stage.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.stage.addEventListener(name, (event) => this.onUp(event));
    }
    this.stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.stage.addEventListener("contextmenu", (event) => this.onMenu(event));
    this.stage.addEventListener("dblclick", (event) => this.onDouble(event));
    this.root.addEventListener("click", (event) => this.onButton(event));
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.stage.addEventListener("keyup", (event) => { if (event.code === "Space") this.spaceDown = false; });
    this.stage.addEventListener("blur", () => { this.spaceDown = false; });
  }

  onDown(event) {
    if (event.target.closest("[data-handle]") || this.isPalm(event)) return;
    if (event.pointerType === "pen") this.letGo();
    this.pointers.set(event);
    if (this.pointers.of("touch").length === 2) return this.startPinch();
    if (this.panning || this.pinching || !(event.button === 1 || this.spaceDown || this.mayPan(event))) return;
    this.stage.setPointerCapture(event.pointerId);
    this.panning = { id: event.pointerId, x: event.clientX, y: event.clientY };
    this.stage.classList.add("is-panning");
  }

  /** A hand that holds a pen rests on the picture: what touches beside the pen means nothing. */
  isPalm(event) {
    return event.pointerType === "touch" && this.pointers.of("pen").length > 0;
  }

  /** The hand was down first: what it began is given up. */
  letGo() {
    if (this.pointers.of("touch").length === 0) return;
    this.pointers.down.clear();
    this.pinching = null;
    this.panning = null;
    this.dispatchEvent(new Event("giveup"));
  }

  startPinch() {
    this.pinching = this.pointers.pinch();
    this.panning = null;
    this.dispatchEvent(new Event("giveup"));
  }

  /** Whether a pointer that is down counts. */
  holds(event) {
    return this.pointers.down.has(event.pointerId);
  }

  onMove(event) {
    if (!this.holds(event)) return;
    this.pointers.set(event);
    if (this.pinching) this.movePinch(event);
    else if (this.panning?.id === event.pointerId) {
      this.panBy(event.clientX - this.panning.x, event.clientY - this.panning.y);
      this.panning = { id: event.pointerId, x: event.clientX, y: event.clientY };
    }
  }

  movePinch(event) {
    const now = this.pointers.pinch();
    const before = this.pinching;
    this.pinching = now;
    this.panBy(now.x - before.x, now.y - before.y);
    const at = this.toPane({ clientX: now.x, clientY: now.y });
    this.zoomTo(this.scale * (now.spread / before.spread), at);
    event.preventDefault();
  }

  onUp(event) {
    this.pointers.down.delete(event.pointerId);
    if (this.pointers.of("touch").length < 2) this.pinching = null;
    if (this.panning?.id === event.pointerId) this.panning = null;
    if (this.pointers.size === 0) {
      this.stage.classList.remove("is-panning");
    }
  }

  onWheel(event) {
    event.preventDefault();
    const factor = Math.exp(-clamp(event.deltaY, -120, 120) * (event.deltaMode ? 0.04 : 0.0022));
    this.zoomTo(this.scale * factor, this.toPane(event));
  }

  onDouble(event) {
    if (!this.mayPan(event)) return;
    if (this.isFit) this.zoomTo(1 / window.devicePixelRatio, this.toPane(event));
    else this.fit();
    this.say();
  }

  /** A finger that rests while it draws asks for no menu of the picture; a mouse does. */
  onMenu(event) {
    const isTouch = event.pointerType === "touch" || this.pointers.of("touch").length > 0;
    if (isTouch && !this.mayPan(event)) event.preventDefault();
  }

  onButton(event) {
    const button = event.target.closest("[data-zoom]");
    if (button && this.owns(button)) this.command(button.dataset.zoom);
  }

  /** The comparison of the bench lies inside its stage, and has a viewer of its own. */
  owns(element) {
    return element.closest("[data-compare], [data-stage-root]") === this.root;
  }

  command(name) {
    const commands = {
      in: () => this.zoomTo(this.scale * STEP),
      out: () => this.zoomTo(this.scale / STEP),
      fit: () => this.fit(),
      full: () => this.toggleFull(),
      mat: () => this.nextMat(),
    };
    commands[name]?.();
    if (name !== "mat") this.say();
  }

  toggleFull() {
    if (this.percent === 100) this.fit();
    else this.zoomTo(1 / window.devicePixelRatio);
  }

  nextMat() {
    const now = this.root.dataset.mat ?? "dark";
    this.root.dataset.mat = MATS[(MATS.indexOf(now) + 1) % MATS.length];
  }

  onKey(event) {
    if (isTyping(event) || hasModifier(event)) return;
    if (event.key === "z" || event.key === "Z") return this.take(event, () => this.command("full"));
    if (event.target !== this.stage) return;
    const far = event.shiftKey ? 240 : 60;
    const keys = {
      ArrowLeft: () => this.panBy(far, 0),
      ArrowRight: () => this.panBy(-far, 0),
      ArrowUp: () => this.panBy(0, far),
      ArrowDown: () => this.panBy(0, -far),
      "+": () => this.command("in"),
      "=": () => this.command("in"),
      "-": () => this.command("out"),
      0: () => this.command("fit"),
      " ": () => { this.spaceDown = true; },
    };
    if (keys[event.key]) this.take(event, keys[event.key]);
  }

  take(event, action) {
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  say() {
    window.clearTimeout(this.saying);
    this.saying = window.setTimeout(
      () => announce(this.zoomText.replace("{level}", `${this.percent} %`)), 400);
  }
}

/**
 * Exchange a picture for the smallest file that is sharp at the present zoom; never for a smaller
 * one. sources: [{src, width}] in growing width.
 */
export function sharpen(viewer, image, sources) {
  let shown = sources[0]?.width ?? 0;
  let loading = false;
  const look = async () => {
    const wanted = viewer.size.width * viewer.scale * window.devicePixelRatio;
    if (loading || shown >= wanted) return;
    const next = sources.find((each) => each.width >= wanted) ?? sources.at(-1);
    if (!next || next.width <= shown) return;
    loading = true;
    const probe = new Image();
    probe.src = next.src;
    try {
      await probe.decode();
      image.removeAttribute("srcset");
      image.src = next.src;
      shown = next.width;
    } catch {
      shown = next.width; // a file that can't be read is not asked for again
    }
    loading = false;
  };
  viewer.addEventListener("view", look);
  look();
}

/** How wide the file is that an image shows: of one chosen from a srcset, naturalWidth tells a width of the page. */
function fileWidth(image) {
  for (const each of image.srcset.split(/,\s+/)) {
    const [address, width] = each.split(/\s+/);
    if (width?.endsWith("w") && new URL(address, document.baseURI).href === image.currentSrc) return parseInt(width, 10);
  }
  return image.naturalWidth;
}

/**
 * Put tiles under a picture once one looks closer than its own file is sharp; before that nothing
 * is loaded for it. deep: {bundle: address of dist/zoom.js, source: JSON of an info.json}. Without
 * the bundle `otherwise` is done.
 */
export function deepen(viewer, pane, image, deep, otherwise = () => {}) {
  const look = async () => {
    const wanted = viewer.size.width * viewer.scale * window.devicePixelRatio;
    if (!image.naturalWidth || wanted <= fileWidth(image)) return;
    viewer.removeEventListener("view", look);
    image.removeEventListener("load", look);
    try {
      const { underlay } = await import(deep.bundle);
      await underlay(viewer, pane, deep.source);
    } catch {
      otherwise();
    }
  };
  viewer.addEventListener("view", look);
  image.addEventListener("load", look);
  look();
}
