// A first sight of the colours while they are being placed: spread in the browser over a small
// copy of the picture and laid over it by the blend mode "color", which keeps the picture's luma.
// The rule is the engine's (Levin 2004: like brightness, like colour), solved from coarse to fine,
// and so is how far a colour reaches; the engine's network and its maps come with the run.

import { confidence } from "./reach.js";

const SIDE = 256; // long side of the working copy
const FEWEST = 400; // pixels of the coarsest level
const ROUNDS = 8;
const COARSEST_ROUNDS = 300;
const FULL = 0.3; // confidence at which colour is whole, and at which it ends, as in the engine
const NONE = 0.07;
const SHADE = 0.85;
const DAB = 0.01; // of the long side
const AS_LIGHT = 0.1; // what differs by less in brightness may be one surface
const PLANES = 2; // red chroma, blue chroma
const PAUSE = 120; // milliseconds without a change

const place = (share, side) => Math.min(side - 1, Math.floor(share * side));
const lumaOf = (red, green, blue) => 0.299 * red + 0.587 * green + 0.114 * blue;

/** The neighbours' weights of every pixel, which sum to 1: eight a pixel, row by row. */
function likeness({ light, width, height }) {
  const weights = new Float32Array(8 * light.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) weigh(weights, light, width, height, x, y);
  }
  return weights;
}

function weigh(weights, light, width, height, x, y) {
  const here = y * width + x;
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let n = 0; n < 9; n += 1) {
    const there = neighbour(width, height, x, y, n);
    if (there < 0) continue;
    sum += light[there];
    squares += light[there] ** 2;
    count += 1;
  }
  const varied = Math.max(0.6 * (squares / count - (sum / count) ** 2), 2e-6);
  let total = 0;
  for (let n = 0, slot = 8 * here; n < 9; n += 1) {
    if (n === 4) continue;
    const there = neighbour(width, height, x, y, n);
    if (there >= 0) {
      const away = (light[here] - light[there]) ** 2 / varied;
      weights[slot] = Math.exp(-Math.min(away, 30)) + 1e-6;
      total += weights[slot];
    }
    slot += 1;
  }
  for (let slot = 8 * here; slot < 8 * here + 8; slot += 1) weights[slot] /= total;
}

/** The place of the nth of the nine pixels around (x, y), or -1 outside the picture. */
function neighbour(width, height, x, y, n) {
  const column = x + (n % 3) - 1;
  const row = y + Math.floor(n / 3) - 1;
  return column < 0 || row < 0 || column >= width || row >= height ? -1 : row * width + column;
}

/** Each pixel becomes its neighbours' mean, in place, forwards and back in turn; known ones stay. */
function settle({ width, known, weights }, planes, rounds) {
  const ways = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1];
  for (let round = 0; round < rounds; round += 1) {
    for (let step = 0; step < known.length; step += 1) {
      const here = round % 2 ? known.length - 1 - step : step;
      if (known[here]) continue;
      let [red, blue] = [0, 0];
      for (let n = 0; n < 8; n += 1) {
        const weight = weights[8 * here + n];
        if (weight === 0) continue; // outside the picture
        const there = PLANES * (here + ways[n]);
        red += weight * planes[there];
        blue += weight * planes[there + 1];
      }
      planes[PLANES * here] = red;
      planes[PLANES * here + 1] = blue;
    }
  }
}

/** The level at half the size: means of luma, and of the known values where there are any. */
function halved({ light, known, values, width, height }) {
  const wide = Math.ceil(width / 2);
  const high = Math.ceil(height / 2);
  const small = {
    width: wide, height: high, light: new Float32Array(wide * high),
    known: new Uint8Array(wide * high), values: new Float32Array(PLANES * wide * high),
  };
  for (let y = 0; y < high; y += 1) {
    for (let x = 0; x < wide; x += 1) {
      const here = y * wide + x;
      let count = 0;
      for (const row of [2 * y, Math.min(2 * y + 1, height - 1)]) {
        for (const column of [2 * x, Math.min(2 * x + 1, width - 1)]) {
          const there = row * width + column;
          small.light[here] += light[there] / 4;
          if (!known[there]) continue;
          count += 1;
          for (let plane = 0; plane < PLANES; plane += 1) {
            small.values[PLANES * here + plane] += values[PLANES * there + plane];
          }
        }
      }
      if (!count) continue;
      small.known[here] = 1;
      for (let plane = 0; plane < PLANES; plane += 1) small.values[PLANES * here + plane] /= count;
    }
  }
  return small;
}

/** What is not known begins with the mean of what is: rounds alone come too slowly to far places. */
function fill({ known, values }, planes) {
  const count = known.reduce((total, is) => total + is, 0);
  for (let plane = 0; plane < PLANES; plane += 1) {
    let total = 0;
    for (let here = 0; here < known.length; here += 1) total += known[here] * values[PLANES * here + plane];
    for (let here = 0; here < known.length; here += 1) {
      if (!known[here]) planes[PLANES * here + plane] = total / count;
    }
  }
}

/** Solved from the coarsest level up; kept: weights of each level by its number of pixels, since the picture stays the same. */
function solved(level, kept) {
  if (!kept.has(level.known.length)) kept.set(level.known.length, likeness(level));
  level.weights = kept.get(level.known.length);
  const planes = level.values.slice();
  const isCoarsest = level.known.length <= FEWEST;
  if (isCoarsest) {
    fill(level, planes);
  } else {
    const small = halved(level);
    const coarse = solved(small, kept);
    for (let here = 0; here < level.known.length; here += 1) {
      if (level.known[here]) continue;
      const x = here % level.width;
      const from = PLANES * ((((here - x) / level.width) >> 1) * small.width + (x >> 1));
      for (let plane = 0; plane < PLANES; plane += 1) planes[PLANES * here + plane] = coarse[from + plane];
    }
  }
  settle(level, planes, isCoarsest ? COARSEST_ROUNDS : ROUNDS);
  return planes;
}

/** What is known of a small picture, spread: two chromas a pixel, and the weight of each pixel. */
export function spread(level, { reach, strength }, kept = new Map()) {
  const planes = solved(level, kept);
  const weight = confidence(level, level, planes, reach).map((trust) => {
    const share = Math.min(1, Math.max(0, (trust - NONE) / (FULL - NONE)));
    return strength * share * share * (3 - 2 * share);
  });
  return { planes, weight };
}

export class Tint {
  /** bench: {root, form, marks, viewer} */
  constructor(bench) {
    Object.assign(this, { bench, kept: new Map() });
    this.canvas = bench.root.querySelector("[data-tint]");
    this.note = bench.root.querySelector("[data-tint-note]");
    this.toggle = bench.root.querySelector("[data-tint-toggle]");
    const { width, height } = bench.viewer.size;
    const scale = Math.min(1, SIDE / Math.max(width, height));
    this.width = Math.max(2, Math.round(width * scale));
    this.height = Math.max(2, Math.round(height * scale));
    this.listen();
  }

  listen() {
    this.bench.form.addEventListener("input", (event) => {
      if (event.target === this.toggle || event.target.name?.includes("colourise")) this.soon();
    });
    this.soon();
  }

  soon() {
    window.clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.show(), PAUSE);
  }

  get isWanted() {
    const { form, marks } = this.bench;
    const box = form.elements["step-colourise"];
    return Boolean(this.toggle?.checked && box?.checked && marks.dabs.length + marks.regions.length);
  }

  show() {
    const level = this.isWanted ? this.level() : null;
    this.canvas.hidden = !level;
    if (this.note) this.note.hidden = !level;
    if (level) this.paint(spread(level, this.settings, this.kept));
  }

  get settings() {
    const read = (name, other) => Number(this.bench.form.elements[`colourise-${name}`]?.value ?? other);
    return { reach: read("reach", 0.5), strength: read("strength", 0.9) };
  }

  /** The small picture and what is said of it; null while it is not here. */
  level() {
    const { width, height } = this;
    this.light ??= this.readLight();
    if (!this.light) return null;
    return { width, height, light: this.light, ...this.hints() };
  }

  /** Of a copy that the site itself gives: a picture from a bucket may be shown, but not read. */
  ask() {
    const copy = new Image();
    copy.onload = () => this.soon();
    copy.onerror = () => { this.copy = null; }; // the next change asks again
    copy.src = this.canvas.dataset.from;
    return copy;
  }

  readLight() {
    this.copy ??= this.ask();
    if (!this.copy.complete || !this.copy.naturalWidth) return null;
    const pen = this.pen();
    pen.drawImage(this.copy, 0, 0, this.width, this.height);
    const pixels = this.pixels(pen);
    const light = new Float32Array(this.width * this.height);
    for (let i = 0; i < light.length; i += 1) {
      light[i] = lumaOf(pixels[4 * i], pixels[4 * i + 1], pixels[4 * i + 2]) / 255;
    }
    return light;
  }

  pen() {
    const canvas = new OffscreenCanvas(this.width, this.height);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.imageSmoothingQuality = "high";
    return pen;
  }

  pixels(pen) {
    return pen.getImageData(0, 0, this.width, this.height).data;
  }

  /** Areas and, over them, dabs, drawn in their colours and read back; soft rims say nothing. */
  hints() {
    const { width, height } = this;
    const { dabs, regions } = this.bench.marks;
    const areas = this.drawn(regions, (pen, { points }) => {
      for (const [x, y] of points) pen.lineTo(x * width, y * height);
    });
    const spots = this.drawn(dabs, (pen, { x, y }) => {
      pen.arc(x * width, y * height, Math.max(1.5, DAB * Math.max(width, height)), 0, 7);
    });
    return this.read(areas, spots, this.asLight(dabs));
  }

  /** 1 around the middle of a dab where it is as light: a dab at an edge speaks of one side. */
  asLight(dabs) {
    const { width, height, light } = this;
    const found = new Uint8Array(light.length);
    const reach = Math.ceil(Math.max(1.5, DAB * Math.max(width, height)));
    for (const { x, y } of dabs) {
      const row = place(y, height);
      const column = place(x, width);
      const middle = light[row * width + column];
      for (let i = Math.max(0, row - reach); i <= Math.min(height - 1, row + reach); i += 1) {
        for (let j = Math.max(0, column - reach); j <= Math.min(width - 1, column + reach); j += 1) {
          if (Math.abs(light[i * width + j] - middle) < AS_LIGHT) found[i * width + j] = 1;
        }
      }
    }
    return found;
  }

  drawn(marks, trace) {
    const pen = this.pen();
    for (const mark of marks) {
      pen.fillStyle = mark.colour;
      pen.beginPath();
      trace(pen, mark);
      pen.fill();
    }
    return this.pixels(pen);
  }

  read(areas, spots, asLight) {
    const said = (pixels) => Uint8Array.from(this.light, (_, i) => pixels[4 * i + 3] === 255);
    const dabbed = said(spots).map((is, i) => is && asLight[i]);
    const outlined = said(areas).map((is, i) => is && !dabbed[i]);
    const known = dabbed.map((is, i) => is || outlined[i]);
    const values = new Float32Array(PLANES * known.length);
    for (let i = 0; i < known.length; i += 1) {
      if (known[i]) values.set(this.chroma(dabbed[i] ? spots : areas, i), PLANES * i);
    }
    return { known, dabbed, outlined, values };
  }

  /** In the shade a surface shows less of its colour. */
  chroma(pixels, i) {
    const [red, green, blue] = [0, 1, 2].map((band) => pixels[4 * i + band] / 255);
    const said = lumaOf(red, green, blue);
    const shade = Math.min(1, this.light[i] / Math.max(said, 0.05)) ** SHADE;
    return [(red - said) * shade, (blue - said) * shade];
  }

  /** Any colour of that chroma will do: the blend mode takes the brightness from the picture. */
  paint({ planes, weight }) {
    const { canvas, width, height } = this;
    canvas.width = width;
    canvas.height = height;
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i += 1) {
      const red = planes[PLANES * i];
      const blue = planes[PLANES * i + 1];
      const green = -(0.299 * red + 0.114 * blue) / 0.587;
      const middle = 0.5 - (Math.max(red, green, blue) + Math.min(red, green, blue)) / 2;
      image.data.set([red, green, blue].map((band) => 255 * (band + middle)), 4 * i);
      image.data[4 * i + 3] = 255 * weight[i];
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }
}
