// Colours placed on the picture: dabs (points) and areas (outlines), each with a colour and, if
// wanted, a word. They live as shares of width and height. Every mark can be placed, moved and
// removed from the lists of the panel too, so that no pointer is needed.

const SVG = "http://www.w3.org/2000/svg";
const GRIP = 16;

const share = (value) => Math.min(1, Math.max(0, Math.round(value * 10000) / 10000));
const percent = (value) => String(Math.round(value * 1000) / 10);
const copy = (value) => JSON.parse(JSON.stringify(value));

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** "12 20, 40 20, 40 60" as corners, or null when it is not at least three points. */
export function readCorners(text) {
  const points = text.split(/[,;\n]+/).map((pair) => pair.trim().split(/\s+/).map(Number));
  const isGood = points.length >= 3 && points.every((pair) => pair.length === 2 && pair.every(Number.isFinite));
  return isGood ? points.map(([x, y]) => [share(x / 100), share(y / 100)]) : null;
}

export class Marks extends EventTarget {
  constructor({ svg, viewer, history, lists, templates, words }) {
    super();
    Object.assign(this, { svg, viewer, history, lists, templates, words });
    this.dabs = [];
    this.regions = [];
    this.selected = -1;
    this.corners = null;
    this.dragging = null; // {index, dab}: where a dab is under the hand, until it is let go
    svg.setAttribute("viewBox", `0 0 ${viewer.size.width} ${viewer.size.height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    viewer.addEventListener("view", () => this.draw());
    for (const [kind, list] of Object.entries(lists)) this.listenTo(kind, list);
  }

  /** Replace everything without a step of undo, as when a draft arrives. */
  set(dabs, regions) {
    this.dabs = copy(dabs ?? []);
    this.regions = copy(regions ?? []);
    this.selected = -1;
    this.corners = null;
    this.dragging = null;
    this.render();
  }

  /** Do something to the marks, as one step of undo. */
  change(action) {
    const before = copy({ dabs: this.dabs, regions: this.regions });
    action();
    const after = copy({ dabs: this.dabs, regions: this.regions });
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    const put = (state) => { this.set(state.dabs, state.regions); this.tell(); };
    this.history.push({ undo: () => put(before), redo: () => put(after) });
    this.render();
    this.tell();
  }

  tell() {
    this.dispatchEvent(new Event("change"));
  }

  // ---- dabs

  add(point, colour, word) {
    const { width, height } = this.viewer.size;
    this.change(() => this.dabs.push({ x: share(point.x / width), y: share(point.y / height), colour, word }));
    this.selected = this.dabs.length - 1;
    this.draw();
    return this.dabs.length;
  }

  /** The dab under a point of the photograph, or -1. */
  find(point) {
    const reach = GRIP / this.viewer.scale;
    const { width, height } = this.viewer.size;
    return this.dabs.findLastIndex((dab) => Math.hypot(dab.x * width - point.x, dab.y * height - point.y) <= reach);
  }

  beginDrag(index) {
    this.hold(index, copy(this.dabs[index]));
  }

  /** A new one, which is none before it is let go. */
  beginNew(point, colour, word) {
    this.hold(this.dabs.length, { x: 0, y: 0, colour, word });
    this.drag(point);
  }

  hold(index, dab) {
    this.selected = index;
    this.dragging = { index, dab };
    this.draw();
  }

  drag(point) {
    if (!this.dragging) return;
    const { dab } = this.dragging;
    dab.x = share(point.x / this.viewer.size.width);
    dab.y = share(point.y / this.viewer.size.height);
    this.draw();
  }

  /** Returns the number of a dab that is new. */
  endDrag() {
    const { dragging, dabs } = this;
    this.dragging = null;
    if (!dragging) return 0;
    const isNew = dragging.index === dabs.length;
    this.change(() => { this.dabs[dragging.index] = dragging.dab; });
    return isNew ? dragging.index + 1 : 0;
  }

  /** A second finger turned it into a pinch: as if nothing had been done. */
  abandon() {
    if (!this.dragging) return;
    this.dragging = null;
    this.selected = -1;
    this.draw();
  }

  remove(kind, index) {
    if (index < 0 || index >= this[kind].length) return;
    this.change(() => this[kind].splice(index, 1));
    this.selected = -1;
    this.render();
    this.dispatchEvent(new CustomEvent("removed"));
  }

  // ---- areas

  /** Add a corner; a click on the first one closes the area. Returns true when it closed. */
  addCorner(point, colour, word) {
    this.corners ??= [];
    const first = this.corners[0];
    const reach = GRIP / this.viewer.scale;
    if (this.corners.length >= 3 && Math.hypot(first.x - point.x, first.y - point.y) <= reach) {
      return this.close(colour, word);
    }
    this.corners.push(point);
    this.draw();
    return false;
  }

  close(colour, word) {
    const { width, height } = this.viewer.size;
    const corners = this.corners ?? [];
    this.corners = null;
    if (corners.length < 3) { this.draw(); return false; }
    const points = corners.map(({ x, y }) => [share(x / width), share(y / height)]);
    this.change(() => this.regions.push({ points, colour, word }));
    return true;
  }

  addMiddleArea(colour, word) {
    const points = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]];
    this.change(() => this.regions.push({ points, colour, word }));
  }

  giveUp() {
    this.corners = null;
    this.draw();
  }

  // ---- drawing

  render() {
    this.draw();
    this.fill("dabs");
    this.fill("regions");
  }

  draw() {
    const { width, height } = this.viewer.size;
    const unit = 1 / this.viewer.scale;
    const parts = this.regions.map((region) => this.outline(
      region.points.map(([x, y]) => ({ x: x * width, y: y * height })), region.colour, unit, true)).flat();
    if (this.corners?.length) parts.push(...this.outline(this.corners, "#ffffff", unit, false));
    this.seen.forEach((dab, index) => parts.push(...this.drop(dab, index, unit)));
    this.svg.replaceChildren(...parts);
  }

  /** The dabs, the one under the hand where the hand has it. */
  get seen() {
    const dabs = [...this.dabs];
    if (this.dragging) dabs[this.dragging.index] = this.dragging.dab;
    return dabs;
  }

  outline(points, colour, unit, isClosed) {
    const text = points.map(({ x, y }) => `${x},${y}`).join(" ");
    const name = isClosed ? "polygon" : "polyline";
    const fill = isClosed ? colour : "none";
    const parts = [
      shape(name, { points: text, fill, "fill-opacity": 0.25, stroke: "#000", "stroke-width": 4 * unit }),
      shape(name, { points: text, fill: "none", stroke: isClosed ? colour : "#fff", "stroke-width": 2 * unit }),
    ];
    if (isClosed) return parts;
    return parts.concat(points.map(({ x, y }, index) => shape("circle", {
      cx: x, cy: y, r: (index ? 4 : 7) * unit, fill: "#fff", stroke: "#000", "stroke-width": 2 * unit,
    })));
  }

  drop(dab, index, unit) {
    const place = { cx: dab.x * this.viewer.size.width, cy: dab.y * this.viewer.size.height };
    const radius = index === this.selected ? 12 : 9;
    return [
      shape("circle", { ...place, r: (radius + 3) * unit, fill: "#000" }),
      shape("circle", { ...place, r: (radius + 2) * unit, fill: "#fff" }),
      shape("circle", { ...place, r: radius * unit, fill: dab.colour }),
    ];
  }

  // ---- the lists of the panel

  /** Rows are kept and their values changed, so that the keyboard's place is not lost. */
  fill(kind) {
    const list = this.lists[kind];
    const marks = this[kind];
    while (list.children.length > marks.length) list.lastElementChild.remove();
    while (list.children.length < marks.length) list.append(this.newRow(kind, list.children.length));
    marks.forEach((mark, index) => this.write(kind, list.children[index], mark));
  }

  newRow(kind, index) {
    const row = this.templates[kind].content.firstElementChild.cloneNode(true);
    const name = this.words[kind === "dabs" ? "dab" : "region"].replace("{n}", index + 1);
    row.querySelector("[data-name]").textContent = name;
    for (const part of row.querySelectorAll("[data-label]")) {
      part.setAttribute("aria-label", `${name}: ${part.dataset.label}`);
    }
    return row;
  }

  write(kind, row, mark) {
    const values = {
      colour: mark.colour,
      word: mark.word ?? "",
      x: kind === "dabs" ? percent(mark.x) : "",
      y: kind === "dabs" ? percent(mark.y) : "",
      corners: (mark.points ?? []).map(([x, y]) => `${percent(x)} ${percent(y)}`).join(", "),
    };
    for (const input of row.querySelectorAll("input")) input.value = values[input.dataset.part];
  }

  listenTo(kind, list) {
    const indexOf = (event) => [...list.children].indexOf(event.target.closest("li"));
    list.addEventListener("change", (event) => this.edit(kind, indexOf(event), event.target));
    list.addEventListener("click", (event) => {
      if (event.target.closest('[data-part="remove"]')) this.removeRow(kind, indexOf(event));
    });
    list.addEventListener("keydown", (event) => {
      const isText = event.target.matches('[type="text"], [type="number"]');
      if (event.key === "Delete" && !isText) this.removeRow(kind, indexOf(event));
    });
    list.addEventListener("focusin", (event) => {
      if (kind !== "dabs") return;
      this.selected = indexOf(event);
      this.draw();
    });
  }

  /** Remove and put the focus on the neighbour, so that the keyboard is not thrown to the top. */
  removeRow(kind, index) {
    this.remove(kind, index);
    const rows = this.lists[kind].children;
    const next = rows[Math.min(index, rows.length - 1)];
    next?.querySelector('[data-part="remove"]').focus();
    if (!next) this.dispatchEvent(new CustomEvent("emptied"));
  }

  edit(kind, index, input) {
    const mark = this[kind][index];
    if (!mark) return;
    const part = input.dataset.part;
    const corners = part === "corners" ? readCorners(input.value) : null;
    input.toggleAttribute("aria-invalid", false);
    if (part === "corners" && !corners) return input.setAttribute("aria-invalid", "true");
    this.change(() => {
      if (part === "colour" || part === "word") mark[part] = input.value;
      else if (part === "corners") mark.points = corners;
      else mark[part] = share(Number(input.value) / 100);
    });
    if (part === "word") this.dispatchEvent(new CustomEvent("word", { detail: input.value.trim() }));
  }

  /** Everything said in this word gets the colour it names. */
  recolour(word, colour) {
    this.change(() => {
      for (const mark of [...this.dabs, ...this.regions]) if (mark.word === word) mark.colour = colour;
    });
  }
}
