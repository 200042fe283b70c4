// The bench: ties the viewer, the mask, the colours, the recipe, the draft, the clock and the run
// together. The page's HTML and JSON are described at the top of templates/restoration/bench.html.

import { Beat } from "./beat.js";
import { BenchCompare } from "./bench_compare.js";
import { Marks } from "./dabs.js";
import { Draft } from "./draft.js";
import { Faces } from "./faces.js";
import { applySetting, settingsOf } from "./fields.js";
import { History } from "./history.js";
import { KeyBrush } from "./keybrush.js";
import { Mask } from "./mask.js";
import { Palette } from "./palette.js";
import { Run } from "./run.js";
import { Saved } from "./saved.js";
import { announce, hasModifier, isTyping, singleKeys, toast } from "./site.js";
import { Tint } from "./tint.js";
import { Tour } from "./tour.js";
import { startUndo } from "./undo.js";
import { Veil } from "./veil.js";
import { Viewer, deepen, sharpen } from "./viewer.js";

const TOOLS = { h: "hand", b: "mask", e: "eraser", c: "dab", r: "region", f: "face" };

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

class Bench {
  constructor(root, config, words) {
    Object.assign(this, { root, config, words });
    this.form = one("[data-recipe]", root);
    this.stage = one("[data-viewer]", root);
    this.stageRoot = one("[data-stage-root]", root);
    this.history = new History();
    this.tool = "hand";
    this.pointer = null; // whose movements count, while it is down
    root.dataset.ready = "";
    this.startViewer();
    this.startDrawing();
    this.startFaces();
    this.startDraft();
    this.run = new Run({ form: this.form, draft: this.draft, before: () => this.keepBegun(), fill: () => this.fillHidden(), words });
    this.beat = new Beat({ root, urls: config.urls, claim: config.claim, words, save: () => this.draft.flush() });
    this.listen();
    this.palette = new Palette(this);
    this.keyBrush = new KeyBrush(this);
    this.tint = new Tint(this);
    this.comparing = new BenchCompare(this);
    this.tour = new Tour(root);
    this.begin();
    this.showRefused();
  }

  /** The refused form under a version comes into view: the picture stays on top and covers more now. */
  showRefused() {
    const form = one(".version .form-errors")?.closest("form");
    if (form) window.requestAnimationFrame(() => form.scrollIntoView({ block: "end" }));
  }

  // ---- parts

  startViewer() {
    const size = { width: this.config.photo.width, height: this.config.photo.height };
    this.viewer = new Viewer(this.stage, {
      size, root: this.stageRoot, mayPan: () => this.tool === "hand", zoomText: this.words.zoom,
    });
    const image = one("[data-picture]", this.stage);
    const { sources, tiles } = this.config.picture;
    const larger = () => sharpen(this.viewer, image, sources);
    if (tiles) deepen(this.viewer, this.stage, image, { bundle: this.stage.dataset.deep, source: tiles }, larger);
    else larger();
  }

  startDrawing() {
    const canvas = one("[data-mask]", this.root);
    this.mask = new Mask(canvas, this.config.mask, this.history);
    this.veil = new Veil(this);
    this.marks = new Marks({
      svg: one("[data-marks]", this.root),
      viewer: this.viewer,
      history: this.history,
      lists: { dabs: this.listOf("[data-dab-list]"), regions: this.listOf("[data-region-list]") },
      templates: { dabs: one("#dab-row"), regions: one("#region-row") },
      words: this.words,
    });
  }

  startFaces() {
    this.faces = new Faces({
      svg: one("[data-faces]", this.root),
      stage: this.stage,
      viewer: this.viewer,
      history: this.history,
      panel: one("[data-faces-panel]", this.root),
      template: one("#face-row"),
      words: this.words,
    });
    this.faces.set(this.config.faces);
    this.faces.addEventListener("change", () => { this.showOverlay(true); this.draft.touch(); });
    this.faces.addEventListener("added", ({ detail }) => announce(this.words.faceAdded.replace("{n}", detail)));
    this.faces.addEventListener("removed", () => announce(this.words.faceRemoved));
  }

  /** The panel's list, or one that is nowhere when the recipe offers no colour. */
  listOf(selector) {
    return one(selector, this.root) ?? document.createElement("ol");
  }

  startDraft() {
    this.saved = new Saved(this.root, this.words);
    this.draft = new Draft({
      urls: this.config.urls,
      rev: this.config.draft?.rev ?? 0,
      maskSha: this.config.mask.sha256 ?? null,
      mask: this.mask,
      collect: () => this.collect(),
      apply: (draft, maskUrl) => this.apply(draft, maskUrl),
      ask: () => this.saved.ask(),
    });
    this.draft.addEventListener("state", () => {
      const tooMany = this.words.tooMany.replace("{said}", this.draft.said);
      this.saved.words = { ...this.words, tooMany };
      this.saved.show(this.draft.state);
    });
    this.draft.addEventListener("restored", () => toast(this.words.restored, "success"));
  }

  /** Show what the server has, then what this browser kept and the server has not. */
  async begin() {
    this.showRanges();
    const { draft, mask } = this.config;
    this.showOverlay(!mask.is_done); // a result is looked at bare: its damage would seem to be there still
    if (draft?.draft) this.applyForm(draft.draft);
    this.mask.addEventListener("change", () => this.onMask());
    this.marks.addEventListener("change", () => { this.showOverlay(true); this.showMarks(); this.draft.touch(); });
    this.showMarks();
    this.placed = this.veil.load(mask.url);
    await this.placed;
    await this.draft.bringBack();
  }

  onMask() {
    this.veil.show();
    if (this.mask.isPlacing) return;
    this.showOverlay(true);
    this.draft.touch({ isMask: true });
  }

  /** The steps of a returned version are saved with the first change, or with the run. */
  keepBegun() {
    if (this.config.draft.is_begun) this.draft.touch();
    this.config.draft.is_begun = false;
  }

  // ---- the draft and the form

  collect() {
    const steps = {};
    for (const step of all("[data-step]", this.form)) {
      const name = step.dataset.step;
      const box = one(`[name="step-${name}"]`, step);
      steps[name] = { on: box.checked && !box.disabled, settings: settingsOf(step, name) };
    }
    const prompt = {};
    for (const field of all('[name^="prompt-"]', this.form)) prompt[field.name.slice(7)] = field.value;
    const { dabs, regions } = this.marks;
    return { base: this.config.base, steps, prompt, dabs, regions, faces: this.faces.all, find_faces: this.faces.isBlind };
  }

  /** Without an address, which may be null, the mask stays. */
  async apply(draft, maskUrl) {
    this.applyForm(draft ?? {});
    this.showOverlay(true);
    this.history.clear();
    if (maskUrl !== undefined) await this.veil.load(maskUrl);
  }

  applyForm(draft) {
    this.applySteps(draft.steps ?? {});
    for (const [name, text] of Object.entries(draft.prompt ?? {})) {
      const field = one(`[name="prompt-${CSS.escape(name)}"]`, this.form);
      if (field) field.value = text;
    }
    this.marks.set(draft.dabs, draft.regions);
    this.faces.set(draft.faces ?? this.config.faces, Boolean(draft.find_faces));
    this.showMarks();
  }

  applySteps(steps) {
    for (const [name, step] of Object.entries(steps)) {
      const box = one(`[name="step-${CSS.escape(name)}"]`, this.form);
      if (!box) continue;
      if (!box.disabled) box.checked = Boolean(step.on);
      for (const [key, value] of Object.entries(step.settings ?? {})) applySetting(this.form, name, key, value);
    }
    this.showRanges();
  }

  fillHidden() {
    const values = {
      base: this.config.base,
      rev: this.draft.rev,
      mask: this.draft.maskSha ?? "",
      dabs: JSON.stringify(this.marks.dabs),
      regions: JSON.stringify(this.marks.regions),
    };
    for (const [name, value] of Object.entries(values)) this.form.elements[name].value = value;
  }

  // ---- what is shown

  showRanges() {
    this.veil.show();
    for (const input of all('.setting input[type="range"]', this.form)) {
      const output = one(`output[for="${input.id}"]`, this.form);
      if (output) output.textContent = input.value;
    }
  }

  showMarks() {
    const note = one("[data-no-marks]", this.root);
    if (note) note.hidden = this.marks.dabs.length + this.marks.regions.length > 0;
    this.tint?.soon();
  }

  showOverlay(isShown) {
    one("[data-show-mask]", this.root).setAttribute("aria-pressed", String(isShown));
    this.stage.classList.toggle("is-bare", !isShown);
  }

  // ---- tools

  choose(tool) {
    const radio = one(`[name="tool"][value="${tool}"]`, this.root);
    if (!radio) return;
    radio.checked = true;
    this.keyBrush?.lift();
    this.tool = tool;
    this.stage.dataset.tool = tool;
    this.marks.giveUp();
    for (const part of all("[data-for-tool]", this.root)) {
      part.hidden = !part.dataset.forTool.split(" ").includes(tool);
    }
    if (tool !== "hand") this.showOverlay(true);
    if (tool === "region") announce(this.words.regionHint);
    if (tool === "face") announce(this.words.faceHint);
    if (this.isBrush) announce(this.words.brushHint);
    one("[data-cursor]", this.root).hidden = true;
    this.veil.show();
  }

  get brush() {
    return Number(one("[data-brush]", this.root).value);
  }

  set brush(size) {
    const input = one("[data-brush]", this.root);
    input.value = String(size);
    this.showBrush();
    this.sizeCursor();
  }

  /** The brush keeps its size on the screen, so what it covers of the photo changes with the zoom. */
  showBrush() {
    const output = one("[data-brush-size]", this.root);
    const pixels = Math.max(1, Math.round(this.brush / this.viewer.scale));
    output.textContent = output.dataset.covers.replace("{size}", this.brush).replace("{pixels}", pixels);
  }

  get isBrush() {
    return this.tool === "mask" || this.tool === "eraser";
  }

  /** A point of the photograph in pixels of the mask, whose sides are whole: each axis has its own factor. */
  toMask({ x, y }) {
    const { width, height } = this.viewer.size;
    return { x: (x * this.mask.width) / width, y: (y * this.mask.height) / height };
  }

  onDown(event) {
    if (event.button !== 0 || this.viewer.spaceDown || this.viewer.pinching || this.tool === "hand") return;
    if (!this.viewer.holds(event)) return;
    this.onUp(); // of a pointer whose end was missed
    const point = this.viewer.pointAt(event);
    this.stage.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    if (this.isBrush) this.beginStroke(point);
    else if (this.tool === "dab") this.downOnDab(point);
    else if (this.tool === "face") this.faces.down(point);
    else this.corner = point; // placed when it is let go: a second finger makes a pinch of it
  }

  beginStroke(point) {
    const pixel = this.toMask({ x: 1, y: 1 });
    const radius = (this.brush / 2 / this.viewer.scale) * Math.sqrt(pixel.x * pixel.y);
    this.mask.begin(this.toMask(point), radius, this.tool === "eraser");
  }

  downOnDab(point) {
    const index = this.marks.find(point);
    if (index >= 0) this.marks.beginDrag(index);
    else this.marks.beginNew(point, this.palette.colour, this.palette.word);
  }

  onMove(event) {
    this.moveCursor(event);
    if (event.pointerId !== this.pointer) return;
    if (this.mask.stroke) {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.mask.move(this.toMask(this.viewer.pointAt(each)));
    } else if (this.marks.dragging) this.marks.drag(this.viewer.pointAt(event));
    else this.faces.move(this.viewer.pointAt(event));
  }

  /** What the hand has done counts now. */
  onUp() {
    this.pointer = null;
    if (this.mask.stroke) {
      this.turnOn("repair");
      this.mask.end();
    }
    const number = this.marks.endDrag();
    if (number) this.sayPlaced(this.words.dabAdded, number);
    this.placeCorner();
    this.faces.up();
  }

  placeCorner() {
    const { corner } = this;
    this.corner = null;
    if (!corner || !this.marks.addCorner(corner, this.palette.colour, this.palette.word)) return;
    this.sayPlaced(this.words.regionAdded, this.marks.regions.length);
  }

  sayPlaced(words, number) {
    this.turnOn("colourise");
    announce(words.replace("{n}", number));
  }

  /** As if nothing had been done since the hand came down. */
  giveUp() {
    this.pointer = null;
    this.corner = null;
    this.mask.abandon();
    this.marks.abandon();
    this.faces.abandon();
  }

  moveCursor(event) {
    const box = this.stage.getBoundingClientRect();
    this.showCursor({ x: event.clientX - box.left, y: event.clientY - box.top });
    if (event.pointerType === "touch") one("[data-cursor]", this.root).hidden = true;
  }

  /** The ring of the brush, at a place of the stage. */
  showCursor({ x, y }) {
    const cursor = one("[data-cursor]", this.root);
    cursor.style.left = `${x}px`;
    cursor.style.top = `${y}px`;
    cursor.hidden = !this.isBrush;
    this.sizeCursor();
  }

  sizeCursor() {
    const cursor = one("[data-cursor]", this.root);
    cursor.style.width = cursor.style.height = `${this.brush}px`;
  }

  /** Who paints damage wants repair; who places a colour wants colour. */
  turnOn(name) {
    const box = one(`[name="step-${name}"]`, this.form);
    if (box && !box.disabled) box.checked = true;
    this.veil.show();
  }

  // ---- listeners

  listen() {
    const { stage, root, form } = this;
    stage.addEventListener("pointerdown", (event) => this.onDown(event));
    stage.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) {
      stage.addEventListener(name, ({ pointerId }) => { if (pointerId === this.pointer) this.onUp(); });
    }
    stage.addEventListener("pointerleave", () => { one("[data-cursor]", root).hidden = true; });
    this.viewer.addEventListener("view", () => this.showBrush());
    this.showBrush();
    this.viewer.addEventListener("giveup", () => this.giveUp());
    one("[data-tools]", root).addEventListener("change", (event) => this.choose(event.target.value));
    one("[data-brush]", root).addEventListener("input", (event) => { this.brush = event.target.value; });
    form.addEventListener("input", (event) => this.onInput(event));
    form.addEventListener("change", (event) => this.onInput(event));
    root.addEventListener("click", (event) => this.onClick(event));
    document.addEventListener("keydown", (event) => this.onKey(event));
    startUndo(root, this.history, this.words);
  }

  onInput(event) {
    if (!event.target.name || event.target.closest(".job-slot")) return;
    this.showRanges();
    this.draft.touch();
  }

  onClick(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const actions = {
      showMask: () => this.showOverlay(this.stage.classList.contains("is-bare")),
      pickTool: () => { this.choose(button.dataset.pickTool); this.stage.focus({ preventScroll: false }); },
      maskClear: () => this.placed.then(() => { this.veil.clear(); announce(this.words.maskCleared); }),
      maskDetected: () => this.placed.then(() => this.veil.detect()),
      suggest: () => this.suggest(),
    };
    for (const [name, action] of Object.entries(actions)) if (name in button.dataset) action();
  }

  suggest() {
    this.applySteps(this.config.suggestion?.steps ?? {});
    this.draft.touch();
    toast(this.words.suggested);
  }

  // ---- keys

  onKey(event) {
    if (event.defaultPrevented || one("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && !isTyping(event)) return this.onControlKey(event);
    if (isTyping(event) || hasModifier(event)) return;
    if (document.activeElement === this.stage && this.onStageKey(event)) return event.preventDefault();
    if (singleKeys() && this.onSingleKey(event)) event.preventDefault();
  }

  onControlKey(event) {
    const key = event.key.toLowerCase();
    if (key === "enter") this.run.start();
    else if (key === "z" && event.shiftKey) this.history.redo();
    else if (key === "z") this.history.undo();
    else if (key === "y") this.history.redo();
    else return;
    event.preventDefault();
  }

  onStageKey(event) {
    if (event.key === "Delete" || event.key === "Backspace") this.marks.remove("dabs", this.marks.selected);
    else if (event.key === "Enter" && this.marks.corners) this.marks.close(this.palette.colour, this.palette.word);
    else if (event.key === "Escape" && this.marks.corners) this.marks.giveUp();
    else return false;
    return true;
  }

  onSingleKey(event) {
    const key = event.key.toLowerCase();
    if (key in TOOLS) this.choose(TOOLS[key]);
    else if (key === "[") this.brush = Math.max(2, Math.round(this.brush / 1.2));
    else if (key === "]") this.brush = Math.min(200, Math.round(this.brush * 1.2) + 1);
    else if (key === "z") this.comparing.viewer.command("full");
    else if (key === "x" && !this.comparing.isOpen) this.comparing.open();
    else if (/^[1-9]$/.test(key)) return this.focusStep(Number(key));
    else return false;
    return true;
  }

  focusStep(number) {
    const step = all("[data-step]", this.form).find((each) => one(".step-number", each).textContent.trim() === String(number));
    const box = step && one('[type="checkbox"]', step);
    box?.focus();
    step?.scrollIntoView({ block: "nearest" });
    return Boolean(box);
  }
}

const root = document.querySelector("[data-bench]");
const config = document.getElementById("bench-config");
if (root && config) {
  root.bench = new Bench(root, JSON.parse(config.textContent), document.getElementById("bench-words").dataset);
}
