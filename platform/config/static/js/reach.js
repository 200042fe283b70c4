// How far the word of a dab reaches over a picture, as the engine reckons it (engine/hints.py): each
// so many pixels of the way halve it, a change of brightness on the way counts as more of it, and a
// place that is lighter, darker or of another colour believes it less. An outline ends where drawn.

const GRAIN = 1.5; // pixels: what is finer is no edge
const ALONG = 1000; // pixels of way that a change of brightness from black to white is worth
const DARKER = 0.1; // differences of brightness and of chroma that halve the word once more
const OTHER = 0.2;
const ENDED = 4; // halvings after which nothing can be seen
const RIM = 5; // pixels outside an outline at which its word ends

/** In [0, 1] for each pixel. picture: {light, width, height}; dabbed, outlined: 1 where said; values:
 *  the two chromas that were said, pixel by pixel, and carried: those that would be shown. */
export function confidence(picture, { dabbed, outlined, values }, carried, reach) {
  const halving = 30 * 60 ** reach;
  const even = blurred(picture);
  const trust = new Float32Array(even.length);
  const { way, from } = shortest({ ...picture, light: even }, dabbed, ALONG, ENDED * halving);
  const { way: away } = shortest(picture, outlined, 0, RIM);
  const apart = (some, others, here, there) => Math.abs(some[here] - others[there]);
  for (let here = 0; here < trust.length; here += 1) {
    const there = Math.max(0, from[here]);
    const [red, blue] = [0, 1].map((n) => apart(carried, values, 2 * here + n, 2 * there + n));
    const darker = apart(even, even, here, there);
    const dab = 2 ** (-way[here] / halving - darker / DARKER - Math.max(red, blue) / OTHER);
    const outline = Math.min(1, Math.max(0, 1 - (away[here] - 2) / (RIM - 2)));
    trust[here] = Math.max(dab, outline);
  }
  return trust;
}

/** The shortest ways from all places where `start` is 1, and each one's beginning; no way is longer
 *  than `most`: what lies farther has Infinity and -1. A step costs at least 1, so that places whose
 *  ways begin with the same whole number cannot shorten each other's (R. Dial, 1969). */
function shortest({ light, width, height }, start, along, most) {
  const way = new Float64Array(light.length).fill(Infinity);
  const from = new Int32Array(light.length).fill(-1);
  const waiting = [[]];
  for (let here = 0; here < start.length; here += 1) {
    if (!start[here]) continue;
    [way[here], from[here]] = [0, here];
    waiting[0].push(here);
  }
  for (let whole = 0; whole < waiting.length; whole += 1) {
    for (const here of waiting[whole] ?? []) {
      if (Math.floor(way[here]) === whole) step(here);
    }
    waiting[whole] = undefined;
  }
  return { way, from };

  function step(here) {
    const x = here % width;
    const y = (here - x) / width;
    for (let down = y ? -1 : 0; down <= (y < height - 1 ? 1 : 0); down += 1) {
      for (let right = x ? -1 : 0; right <= (x < width - 1 ? 1 : 0); right += 1) {
        const there = here + down * width + right;
        const far = way[here] + Math.hypot(down, right) + along * Math.abs(light[here] - light[there]);
        if (far >= way[there] || far > most) continue;
        [way[there], from[there]] = [far, from[here]];
        (waiting[Math.floor(far)] ??= []).push(there);
      }
    }
  }
}

/** The light under a bell of GRAIN pixels, mirrored at the rims. */
function blurred({ light, width, height }) {
  const radius = 4 * GRAIN;
  const bell = Array.from({ length: 2 * radius + 1 }, (_, at) => Math.exp(-0.5 * ((at - radius) / GRAIN) ** 2));
  const sum = bell.reduce((total, each) => total + each, 0);
  const pass = (from, long, stride, other, otherStride) => {
    const to = new Float32Array(from.length);
    for (let row = 0; row < other; row += 1) {
      for (let at = 0; at < long; at += 1) {
        let total = 0;
        for (let n = -radius; n <= radius; n += 1) {
          total += bell[n + radius] * from[row * otherStride + mirrored(at + n, long) * stride];
        }
        to[row * otherStride + at * stride] = total / sum;
      }
    }
    return to;
  };
  return pass(pass(light, width, 1, height, width), height, width, width, 1);
}

function mirrored(at, long) {
  const place = ((at % (2 * long)) + 2 * long) % (2 * long);
  return place < long ? place : 2 * long - 1 - place;
}
