// Undo and redo over everything that is drawn: mask, colours, areas, in the order it was done.

const LONGEST = 60;

export class History extends EventTarget {
  constructor() {
    super();
    this.done = [];
    this.undone = [];
  }

  /** entry: {undo(), redo()}; it has already been done. */
  push(entry) {
    this.done.push(entry);
    if (this.done.length > LONGEST) this.done.shift();
    this.undone = [];
    this.changed();
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
