// Boxes around faces: found by the machine, put right by a person. Each is a share of width and
// height and a kind: "face" (protected), "keep" (left exactly as it is), "not" (nobody's face).
// All can be done in the list of the panel or by keys too, so that no pointer is needed.

const SVG = "http://www.w3.org/2000/svg";
const SIDES = ["x", "y", "width", "height"];
const GRIP = 14; // pixels of the screen around a corner
const LEAST = 8; // pixels of the screen; a smaller box is a slip of the hand
const STEP = 0.005;

const percent = (value) => String(Math.round(value * 1000) / 10);
const copy = (value) => JSON.parse(JSON.stringify(value));
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function shape(name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** The box on the picture: never empty, never over the edge. */
function kept(face) {
  const width = clamp(face.width, 0.005, 1);
  const height = clamp(face.height, 0.005, 1);
  const sides = { x: clamp(face.x, 0, 1 - width), y: clamp(face.y, 0, 1 - height), width, height };
  for (const side of SIDES) sides[side] = Math.round(sides[side] * 100000) / 100000;
  return { ...face, ...sides };
}

/** Whether two boxes are around one face: a third of the smaller lies in both, as the server says. */
function isSame(one, other) {
  const across = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const down = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  const smaller = Math.min(one.width * one.height, other.width * other.height);
  return Math.min(across, down) > 0 && 3 * across * down > smaller;
}

export class Faces extends EventTarget {
  constructor({ svg, stage, viewer, history, panel, template, words }) {
    super();
    Object.assign(this, { svg, stage, viewer, history, panel, template, words });
    this.list = panel.querySelector("[data-face-list]");
    panel.querySelector(".no-script-only").remove(); // its fields are named as those of the next row
    this.all = null; // null: nobody has said anything about faces yet
    this.found = null; // what the machine found since the page was made
    this.isBlind = false; // boxes were drawn before the machine had looked: what it finds joins them
    this.selected = -1;
    svg.setAttribute("viewBox", `0 0 ${viewer.size.width} ${viewer.size.height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    viewer.addEventListener("view", () => this.draw());
    this.listen();
  }

  /** Replace everything without a step of undo, as when a draft arrives. */
  set(all, isBlind = false) {
    this.all = all ? copy(all) : null;
    this.isBlind = isBlind;
    if (this.found && (this.isBlind || !this.all)) this.join(this.all ?? [], this.found);
    this.selected = -1;
    this.action = null;
    this.render();
  }

  /** Do something to the boxes, as one step of undo. */
  change(action) {
    const before = [copy(this.all), this.isBlind];
    this.isBlind ||= this.all === null;
    this.all ??= [];
    action();
    this.all = this.all.map(kept);
    const after = [copy(this.all), this.isBlind];
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      const put = (state) => { this.set(...state); this.tell("change"); };
      this.history.push({ undo: () => put(before), redo: () => put(after) });
      this.tell("change");
    }
    this.render();
  }

  /** The machine has looked meanwhile: what it found joins the boxes that were drawn. */
  meet(found) {
    const { isBlind } = this;
    this.found = found;
    this.set(this.all, isBlind);
    if (isBlind) this.tell("change");
  }

  join(drawn, found) {
    this.all = [...drawn, ...copy(found).filter((box) => !drawn.some((face) => isSame(face, box)))];
    this.isBlind = false;
  }

  tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  add(face) {
    this.change(() => this.all.push({ kind: "face", ...face }));
    this.selected = this.all.length - 1;
    this.draw();
    this.tell("added", this.all.length);
  }

  addMiddle() {
    const { width, height } = this.viewer.size;
    const centre = { x: this.viewer.centre.x / width, y: this.viewer.centre.y / height };
    const side = 0.15 * Math.min(width, height);
    const box = { width: side / width, height: side / height };
    this.add({ x: centre.x - box.width / 2, y: centre.y - box.height / 2, ...box });
    const row = this.list.lastElementChild;
    row.querySelector("details").open = true; // who has no pointer moves it from there
    row.querySelector('[data-part="kind"]').focus();
  }

  remove(index) {
    if (!this.all?.[index]) return;
    this.selected = -1;
    this.change(() => this.all.splice(index, 1));
    this.tell("removed");
  }

  // ---- by pointer

  toShare({ x, y }) {
    return { x: clamp(x / this.viewer.size.width, 0, 1), y: clamp(y / this.viewer.size.height, 0, 1) };
  }

  /** On a corner of the chosen box: pull it. In a box: move it. Elsewhere: draw a new one. */
  down(point) {
    const start = this.toShare(point);
    const before = copy(this.all);
    const fixed = this.oppositeCorner(point);
    if (fixed) this.action = { before, fixed, index: this.selected };
    else {
      this.selected = (this.all ?? []).findLastIndex((face) => start.x >= face.x && start.x <= face.x + face.width
        && start.y >= face.y && start.y <= face.y + face.height);
      const face = this.all?.[this.selected];
      this.action = face ? { before, index: this.selected, offset: { x: start.x - face.x, y: start.y - face.y } }
        : { before, fixed: start, isNew: true };
    }
    this.draw();
  }

  oppositeCorner(point) {
    const face = this.all?.[this.selected];
    if (!face) return null;
    const { width, height } = this.viewer.size;
    const reach = GRIP / this.viewer.scale;
    for (const right of [0, 1]) for (const low of [0, 1]) {
      const corner = { x: (face.x + right * face.width) * width, y: (face.y + low * face.height) * height };
      if (Math.hypot(corner.x - point.x, corner.y - point.y) <= reach) {
        return { x: face.x + (1 - right) * face.width, y: face.y + (1 - low) * face.height };
      }
    }
    return null;
  }

  move(point) {
    const { action } = this;
    if (!action) return;
    const at = this.toShare(point);
    if (action.offset) {
      Object.assign(this.all[action.index], { x: at.x - action.offset.x, y: at.y - action.offset.y });
    } else {
      const box = {
        x: Math.min(at.x, action.fixed.x), y: Math.min(at.y, action.fixed.y),
        width: Math.abs(at.x - action.fixed.x), height: Math.abs(at.y - action.fixed.y),
      };
      if (action.isNew) action.box = box;
      else Object.assign(this.all[action.index], box);
    }
    this.draw();
  }

  up() {
    const { action } = this;
    this.action = null;
    if (!action) return;
    if (action.isNew) return this.isLarge(action.box) ? this.add(action.box) : this.draw();
    const after = this.all[action.index];
    this.all = action.before;
    this.change(() => { this.all[action.index] = after; });
  }

  /** A second finger turned it into a pinch: as if nothing had been done. */
  abandon() {
    if (!this.action) return;
    this.all = this.action.before;
    this.action = null;
    this.draw();
  }

  isLarge(box) {
    const { width, height } = this.viewer.size;
    return Boolean(box) && Math.min(box.width * width, box.height * height) * this.viewer.scale >= LEAST;
  }

  // ---- by keys, on the picture with the tool in hand

  onKey(event) {
    const face = this.all?.[this.selected];
    if (this.stage.dataset.tool !== "face" || !face || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows = { ArrowLeft: ["x", -STEP], ArrowRight: ["x", STEP], ArrowUp: ["y", -STEP], ArrowDown: ["y", STEP] };
    if (event.key in arrows) this.nudge(...arrows[event.key], event.shiftKey);
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(this.selected);
    else if (event.key === "Escape") { this.selected = -1; this.draw(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  nudge(axis, by, isSize) {
    const index = this.selected;
    const side = isSize ? { x: "width", y: "height" }[axis] : axis;
    this.change(() => { this.all[index][side] += by; });
    this.selected = index;
    this.draw();
  }

  // ---- drawing

  render() {
    this.draw();
    this.fill();
    const isKnown = this.all !== null && !this.isBlind;
    const said = { some: Boolean(this.all?.length), none: isKnown && !this.all.length, unknown: !isKnown };
    for (const words of this.panel.querySelectorAll("[data-faces-said]")) words.hidden = !said[words.dataset.facesSaid];
    this.panel.querySelector('[name="faces-known"]').disabled = !isKnown;
  }

  draw() {
    const drawn = [...(this.all ?? [])];
    if (this.action?.box) drawn.push({ ...this.action.box, kind: "face" });
    this.svg.replaceChildren(...drawn.flatMap((face, index) => this.box(face, index)));
  }

  /** Told apart by their lines, not by colour: plain, doubled, or broken and struck through. */
  box(face, index) {
    const unit = 1 / this.viewer.scale;
    const { width, height } = this.viewer.size;
    const at = { x: face.x * width, y: face.y * height, width: face.width * width, height: face.height * height };
    const thick = index === this.selected ? 3 : 2;
    const dash = face.kind === "not" ? { "stroke-dasharray": `${6 * unit} ${4 * unit}` } : {};
    const parts = [
      shape("rect", { ...at, fill: "none", stroke: "#000", "stroke-width": (thick + 2) * unit }),
      shape("rect", { ...at, fill: "none", stroke: "#fff", "stroke-width": thick * unit, ...dash }),
      shape("text", {
        x: at.x + 4 * unit, y: at.y - 6 * unit, fill: "#fff", stroke: "#000", "stroke-width": 3 * unit,
        "paint-order": "stroke", "font-size": 14 * unit,
      }, String(index + 1)),
    ];
    if (face.kind === "keep") parts.push(this.inner(at, 5 * unit, unit));
    if (face.kind === "not") parts.push(shape("line", {
      x1: at.x, y1: at.y + at.height, x2: at.x + at.width, y2: at.y, stroke: "#fff", "stroke-width": thick * unit,
    }));
    return index === this.selected ? parts.concat(this.corners(at, unit)) : parts;
  }

  inner(at, gap, unit) {
    return shape("rect", {
      x: at.x + gap, y: at.y + gap, width: Math.max(0, at.width - 2 * gap), height: Math.max(0, at.height - 2 * gap),
      fill: "none", stroke: "#fff", "stroke-width": 2 * unit,
    });
  }

  corners(at, unit) {
    return [0, 1, 2, 3].map((corner) => shape("circle", {
      cx: at.x + (corner % 2) * at.width, cy: at.y + (corner > 1) * at.height, r: 6 * unit,
      fill: "#fff", stroke: "#000", "stroke-width": 2 * unit,
    }));
  }

  // ---- the list of the panel

  /** Rows are kept and their values changed, so that the keyboard's place is not lost. */
  fill() {
    const all = this.all ?? [];
    while (this.list.children.length > all.length) this.list.lastElementChild.remove();
    while (this.list.children.length < all.length) {
      this.list.append(this.template.content.firstElementChild.cloneNode(true));
    }
    all.forEach((face, index) => this.write(this.list.children[index], face, index));
  }

  write(row, face, index) {
    const name = this.words.face.replace("{n}", index + 1);
    for (const place of row.querySelectorAll("[data-name]")) place.textContent = name;
    for (const part of row.querySelectorAll("[data-label]")) {
      part.setAttribute("aria-label", `${name}: ${part.dataset.label}`);
      if (part.name) part.name = `face-${index}-${part.dataset.part}`;
    }
    row.querySelector('[data-part="kind"]').value = face.kind;
    for (const side of SIDES) row.querySelector(`[data-part="${side}"]`).value = percent(face[side]);
  }

  listen() {
    document.addEventListener("htmx:afterSwap", () => {
      const look = document.querySelector("#look[data-found]");
      if (look) this.meet(JSON.parse(look.dataset.found) ?? []);
      look?.removeAttribute("data-found");
    });
    const indexOf = (event) => [...this.list.children].indexOf(event.target.closest("li"));
    this.list.addEventListener("change", (event) => this.edit(indexOf(event), event.target));
    this.list.addEventListener("click", (event) => {
      if (event.target.closest('[data-part="remove"]')) this.removeRow(indexOf(event));
    });
    this.list.addEventListener("focusin", (event) => { this.selected = indexOf(event); this.draw(); });
    this.panel.querySelector("[data-add-face]").addEventListener("click", () => this.addMiddle());
    this.stage.addEventListener("keydown", (event) => this.onKey(event), { capture: true });
  }

  edit(index, input) {
    const { part } = input.dataset;
    if (!this.all?.[index] || !part) return;
    this.change(() => {
      if (part === "kind") this.all[index].kind = input.value;
      else this.all[index][part] = Number(input.value) / 100;
    });
  }

  /** Remove and put the focus on the neighbour, so that the keyboard is not thrown to the top. */
  removeRow(index) {
    this.remove(index);
    const rows = this.list.children;
    const next = rows[Math.min(index, rows.length - 1)];
    (next?.querySelector('[data-part="remove"]') ?? this.panel.querySelector("[data-add-face]")).focus();
  }
}
