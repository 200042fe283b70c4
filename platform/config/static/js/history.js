// Undo and redo over everything that is drawn: mask, colours, areas, in the order it was done.

const LONGEST = 60;
const LARGEST = 32 * 2 ** 20; // bytes that the steps may keep; the last one is always kept

/** Dispatches "change" whenever a step is noted or taken, and "undo" or "redo" for what it took. */
export class History extends EventTarget {
  constructor() {
    super();
    this.done = [];
    this.undone = [];
  }

  /** entry: {undo(), redo(), bytes: what it keeps, if that is much}; it has already been done. */
  push(entry) {
    this.done.push(entry);
    while (this.done.length > LONGEST || (this.bytes > LARGEST && this.done.length > 1)) this.done.shift();
    this.undone = [];
    this.changed();
  }

  get bytes() {
    return this.done.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  }

  undo() {
    this.shift(this.done, this.undone, "undo");
  }

  redo() {
    this.shift(this.undone, this.done, "redo");
  }

  shift(from, to, verb) {
    const entry = from.pop();
    if (!entry) return;
    entry[verb]();
    to.push(entry);
    this.changed();
    this.dispatchEvent(new Event(verb));
  }

  clear() {
    this.done = [];
    this.undone = [];
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
