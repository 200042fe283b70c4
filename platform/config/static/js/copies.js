// What the server has not confirmed of a draft, in the browser's own memory. Every open page writes
// a copy of its own, under the person and the photo: no other tab throws it away, and it is found
// again when the same person holds the photo under another claim.

export class Copies {
  /** person: who works here. address: of the draft, without its claim. */
  constructor(person, address) {
    this.about = `rekindle-draft:${person}:${address}:`;
    this.key = `${this.about}${Date.now().toString(36)}${Math.random().toString(36).slice(1)}`;
  }

  write(copy) {
    try {
      window.localStorage.setItem(this.key, JSON.stringify({ ...copy, at: Date.now() }));
    } catch {
      this.forget(); // full: better no copy than half of one
    }
  }

  forget() {
    window.localStorage.removeItem(this.key);
  }

  /** The keys of what other pages wrote, the oldest first. */
  others() {
    const keys = Object.keys(window.localStorage).filter((key) => key.startsWith(this.about) && key !== this.key);
    return keys.sort((one, other) => (this.read(one)?.at ?? 0) - (this.read(other)?.at ?? 0));
  }

  /** What another page wrote, which is this one's from now on; null when it cannot be read. */
  take(key) {
    const copy = this.read(key);
    const text = window.localStorage.getItem(key);
    window.localStorage.removeItem(key);
    if (copy?.draft) window.localStorage.setItem(this.key, text);
    return copy?.draft ? copy : null;
  }

  read(key) {
    try {
      return JSON.parse(window.localStorage.getItem(key));
    } catch {
      return null;
    }
  }
}
