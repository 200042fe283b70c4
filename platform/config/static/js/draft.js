// The draft reaches the server by itself, a second after the last change. What the server has not
// confirmed is kept in this browser: a reload, a second tab or a lost line lose nothing.

import { Copies } from "./copies.js";
import { csrfToken, send } from "./site.js";

const PAUSE = 1000;
const RETRY = 15000;
const MOST_SENT = 20;

export class Draft extends EventTarget {
  /**
   * urls: {draft, mask}. collect(): the draft as JSON without its mask. apply(draft, maskUrl): show
   * another one; without a second argument the mask stays. ask(): resolves "mine" or "theirs" when
   * two tabs disagree.
   */
  constructor({ urls, rev, maskSha, mask, collect, apply, ask }) {
    super();
    Object.assign(this, { urls, rev, maskSha, mask, collect, apply, ask });
    this.maskThere = maskSha; // the mask of the draft that the server has confirmed
    this.copies = new Copies(document.body.dataset.person, urls.draft.split("?")[0]);
    this.sent = []; // as text: the drafts that went out since the last one that was confirmed
    this.dirty = false;
    this.maskDirty = false;
    this.maskOnWay = false;
    this.state = "saved";
    this.chain = Promise.resolve();
    window.addEventListener("online", () => this.flush());
    window.addEventListener("pagehide", () => this.keep());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.keep(); else this.comeBack(); });
    window.addEventListener("focus", () => this.comeBack());
  }

  /** Who was signed out has perhaps signed in again in another tab. */
  comeBack() {
    if (this.state === "signedOut") this.flush();
  }

  touch({ isMask = false } = {}) {
    this.dirty = true;
    this.maskDirty ||= isMask;
    this.begin();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.flush(), PAUSE);
  }

  /** Send what is not sent; resolves true when the server has everything. One at a time. */
  flush() {
    window.clearTimeout(this.timer);
    this.chain = this.chain.then(() => this.save()).catch(() => false);
    return this.chain;
  }

  async save() {
    if (!this.dirty) return this.state === "saved";
    this.begin();
    try {
      return (await this.saveMask()) && (await this.saveDraft());
    } catch {
      return this.wait(); // fetch rejects only when the line is down
    }
  }

  async saveMask() {
    if (!this.maskDirty) return true;
    this.maskDirty = false;
    if (!this.mask.isEdited) { this.maskSha = null; return true; } // the run detects by itself
    this.maskOnWay = true;
    const answer = await this.sendMask().catch((error) => { this.maskDirty = true; throw error; })
      .finally(() => { this.maskOnWay = false; });
    if (answer.ok && answer.data.sha256) { this.maskSha = answer.data.sha256; return true; }
    this.maskDirty = true;
    return this.refuse(answer.code);
  }

  async sendMask() {
    const body = new FormData();
    body.append("mask", await this.mask.toBlob(), "mask.png");
    body.append("csrfmiddlewaretoken", csrfToken());
    return send(this.urls.mask, { body });
  }

  async saveDraft() {
    this.dirty = false;
    const draft = this.full();
    this.note(JSON.stringify(draft));
    const answer = await this.put(this.rev, draft).catch((error) => { this.dirty = true; throw error; });
    if (answer.ok && "rev" in answer.data) return this.confirm(answer.data.rev);
    this.dirty = true;
    if (answer.code === 409 && "rev" in answer.data) return this.settle(answer.data);
    return this.refuse(answer.code);
  }

  put(rev, draft) {
    return send(this.urls.draft, { method: "PUT", json: { rev, draft } });
  }

  note(text) {
    this.sent = [...this.sent.filter((each) => each !== text), text].slice(-MOST_SENT);
  }

  full() {
    return { ...this.collect(), mask: this.maskSha };
  }

  confirm(rev) {
    this.rev = rev;
    this.sent = [];
    if (this.dirty) return this.save(); // changed again while it was on its way
    this.maskThere = this.maskSha;
    this.copies.forget();
    this.become("saved");
    return true;
  }

  async settle({ rev, draft, mask_url: maskUrl }) {
    const answer = (await this.isOurs(rev)) ? "mine" : await this.ask();
    this.rev = rev;
    if (answer === "mine") return this.saveDraft();
    this.maskSha = draft?.mask ?? null;
    await this.apply(draft, maskUrl);
    this.dirty = false;
    this.maskDirty = false;
    return this.confirm(rev);
  }

  /**
   * Whether what the server has under this number came from here, and only its answer was lost. The
   * server takes what it has already for saved under any number, and 0 is never one that it waits for.
   */
  async isOurs(rev) {
    for (const text of this.sent.slice(0, -1)) {
      const answer = await this.put(0, JSON.parse(text));
      if (answer.ok && answer.data.rev === rev) return true;
    }
    return false;
  }

  refuse(code) {
    // What is no answer of ours, though it looks like one, comes from something in between.
    if (code < 400 || code >= 500 || code === 429 || code === 408) return this.wait();
    this.keep();
    this.become(code === 401 ? "signedOut" : "refused");
    return false;
  }

  wait() {
    this.keep();
    this.become("offline");
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.flush(), RETRY);
    return false;
  }

  /** Who is signed out keeps the link to sign in under the hand until something is saved. */
  begin() {
    if (this.state !== "signedOut") this.become("saving");
  }

  become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  // ---- the browser's own memory

  keep() {
    if (!this.dirty && !this.maskDirty && !this.sent.length) return;
    const isNew = this.maskDirty || this.maskOnWay || this.maskSha !== this.maskThere;
    const mask = isNew && this.mask.isEdited ? this.mask.toDataURL() : null;
    this.copies.write({ rev: this.rev, draft: this.full(), mask, isMaskNew: isNew, sent: this.sent });
  }

  /** Show and send what earlier pages could not, the oldest first: each is saved, or the person chooses. */
  async bringBack() {
    for (const key of this.copies.others()) {
      const copy = this.copies.take(key);
      if (!copy) continue;
      this.rev = copy.rev; // an older number makes the server answer 409, and the person choose
      this.sent = copy.sent ?? [];
      await (copy.isMaskNew ? this.apply(copy.draft, copy.mask) : this.apply(copy.draft));
      this.touch({ isMask: Boolean(copy.isMaskNew) });
      this.dispatchEvent(new Event("restored"));
      if (!(await this.flush())) return; // the others wait until somebody opens the bench again
    }
  }
}
