// The damage mask: a canvas of the photograph's ratio, at most 2048 long. What is painted is kept
// as one byte a pixel (0 or 255); the canvas only shows it. White is damage in the file.

const INK = "rgb(255 82 66)";
const INK_WORD = 0xff4252ff; // the same ink as one little-endian word: alpha, blue, green, red
const WHITE_WORD = 0xffffffff;
const BLACK_WORD = 0xff000000;
const SOLID = 128;

/** The part of the mask that a stroke touched, clipped to it. */
function clip(box, width, height) {
  const x = Math.max(0, Math.floor(box.x0));
  const y = Math.max(0, Math.floor(box.y0));
  const right = Math.min(width, Math.ceil(box.x1));
  const bottom = Math.min(height, Math.ceil(box.y1));
  return { x, y, width: right - x, height: bottom - y };
}

export class Mask extends EventTarget {
  constructor(canvas, { width, height }, history) {
    super();
    this.canvas = canvas;
    this.width = width;
    this.height = height;
    this.history = history;
    canvas.width = width;
    canvas.height = height;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.bytes = new Uint8Array(width * height);
    this.painted = 0;
    this.isEdited = false; // by a person; a mask that only was detected is not sent
    this.isPlacing = false; // a change is no person's doing, but a picture that came
    this.isAwaited = false; // what lies under the strokes is still to come: alone they are no mask
  }

  get share() {
    return this.painted / this.bytes.length;
  }

  // ---- reading and writing

  /** The bytes that a picture means; white is damage, and its own size does not matter. None without an
   *  address. They come, or fail to, between two strokes. */
  async bytesOf(url) {
    const next = new Uint8Array(this.bytes.length);
    if (!url) return next;
    const image = new Image();
    image.src = url;
    await image.decode().finally(() => this.lifted());
    const scratch = new OffscreenCanvas(this.width, this.height).getContext("2d");
    scratch.drawImage(image, 0, 0, this.width, this.height);
    const pixels = scratch.getImageData(0, 0, this.width, this.height).data;
    for (let i = 0; i < next.length; i += 1) {
      next[i] = pixels[4 * i] >= SOLID && pixels[4 * i + 3] >= SOLID ? 255 : 0;
    }
    return next;
  }

  async lifted() {
    while (this.stroke) await new Promise((done) => { window.requestAnimationFrame(done); });
  }

  /** Put what was read in the place of what was there `before`; what was painted since lies on it. */
  place(next, before, { isEdited }) {
    let isPainted = false;
    for (let i = 0; i < next.length; i += 1) {
      if (this.bytes[i] === before[i]) continue;
      next[i] = this.bytes[i];
      isPainted = true;
    }
    this.isPlacing = true;
    this.fill(next, { isUndoable: false, isEdited: isEdited || isPainted });
    this.isPlacing = false;
  }

  /** Every byte is another from now on. */
  fill(next, { isUndoable = true, isEdited = true } = {}) {
    this.replace({ x: 0, y: 0, width: this.width, height: this.height }, next, { isUndoable, isEdited });
  }

  clear() {
    this.fill(new Uint8Array(this.bytes.length));
  }

  /** The file: an opaque black and white PNG. */
  toBlob() {
    return this.toCanvas().convertToBlob({ type: "image/png" });
  }

  /** The same file as text, for the browser's own memory when the page is being closed. */
  toDataURL() {
    const canvas = document.createElement("canvas");
    canvas.width = this.width;
    canvas.height = this.height;
    canvas.getContext("2d").putImageData(this.toImage(), 0, 0);
    return canvas.toDataURL("image/png");
  }

  toCanvas() {
    const canvas = new OffscreenCanvas(this.width, this.height);
    canvas.getContext("2d").putImageData(this.toImage(), 0, 0);
    return canvas;
  }

  toImage() {
    return this.paint(this.bytes, this.width, this.height, WHITE_WORD, BLACK_WORD);
  }

  // ---- strokes, in pixels of the mask

  begin(point, radius, isErasing) {
    this.stroke = { radius, isErasing, last: point, box: { x0: point.x, y0: point.y, x1: point.x, y1: point.y } };
    this.move(point);
  }

  move(point) {
    const { stroke, context } = this;
    if (!stroke) return;
    context.globalCompositeOperation = stroke.isErasing ? "destination-out" : "source-over";
    context.strokeStyle = INK;
    context.lineWidth = Math.max(1, 2 * stroke.radius);
    context.lineCap = "round";
    context.lineJoin = "round";
    context.beginPath();
    context.moveTo(stroke.last.x, stroke.last.y);
    context.lineTo(point.x + 0.01, point.y);
    context.stroke();
    stroke.last = point;
    this.grow(stroke.box, point);
  }

  grow(box, point) {
    box.x0 = Math.min(box.x0, point.x);
    box.y0 = Math.min(box.y0, point.y);
    box.x1 = Math.max(box.x1, point.x);
    box.y1 = Math.max(box.y1, point.y);
  }

  end() {
    const { stroke } = this;
    this.stroke = null;
    if (!stroke) return;
    const pad = stroke.radius + 2;
    const { x0, y0, x1, y1 } = stroke.box;
    const box = clip({ x0: x0 - pad, y0: y0 - pad, x1: x1 + pad, y1: y1 + pad }, this.width, this.height);
    if (box.width <= 0 || box.height <= 0) return;
    const pixels = this.context.getImageData(box.x, box.y, box.width, box.height).data;
    const next = new Uint8Array(box.width * box.height);
    for (let i = 0; i < next.length; i += 1) next[i] = pixels[4 * i + 3] >= SOLID ? 255 : 0;
    this.replace(box, next, { isUndoable: true, isEdited: true });
  }

  /** A second finger turned the stroke into a pinch: forget it. */
  abandon() {
    if (!this.stroke) return;
    this.stroke = null;
    this.show({ x: 0, y: 0, width: this.width, height: this.height });
  }

  // ---- bytes

  replace(box, next, { isUndoable, isEdited }) {
    const runs = this.changes(box, next);
    const wasEdited = this.isEdited;
    const put = (edited, isBack) => { this.isEdited = edited; this.write(box, runs, isBack); };
    put(isEdited, false);
    if (!isUndoable) return;
    this.history.push({ undo: () => put(wasEdited, true), redo: () => put(isEdited, false), bytes: runs.byteLength });
  }

  /** What differs, as runs along the rows: where each begins and how long it is, negative where paint goes. */
  changes(box, next) {
    const runs = [];
    for (let y = 0; y < box.height; y += 1) {
      const from = (box.y + y) * this.width + box.x;
      let last = 0; // of this row's pixel before: what changed there
      for (let x = 0; x < box.width; x += 1) {
        const change = Math.sign(next[y * box.width + x] - this.bytes[from + x]);
        if (change && change === last) runs[runs.length - 1] += change;
        else if (change) runs.push(from + x, change);
        last = change;
      }
    }
    return Int32Array.from(runs);
  }

  read(box) {
    const part = new Uint8Array(box.width * box.height);
    for (let y = 0; y < box.height; y += 1) {
      const from = (box.y + y) * this.width + box.x;
      part.set(this.bytes.subarray(from, from + box.width), y * box.width);
    }
    return part;
  }

  write(box, runs, isBack) {
    for (let i = 0; i < runs.length; i += 2) {
      const length = isBack ? -runs[i + 1] : runs[i + 1];
      this.bytes.fill(length > 0 ? 255 : 0, runs[i], runs[i] + Math.abs(length));
      this.painted += length;
    }
    this.show(box);
    this.dispatchEvent(new Event("change"));
  }

  show(box) {
    const image = this.paint(this.read(box), box.width, box.height, INK_WORD, 0);
    this.context.putImageData(image, box.x, box.y);
  }

  paint(bytes, width, height, on, off) {
    const image = new ImageData(width, height);
    const words = new Uint32Array(image.data.buffer);
    for (let i = 0; i < bytes.length; i += 1) words[i] = bytes[i] ? on : off;
    return image;
  }
}
