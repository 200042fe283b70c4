// The draft reaches the server by itself, a second after the last change; a painted mask more seldom, but
// before anything that needs it. What the server has not confirmed is kept in this browser: a reload, a
// second tab or a lost line lose nothing.

import { Copies } from "./copies.js";
import { csrfToken, hasModifier, send } from "./site.js";

const PAUSE = 1000;
// From mask to mask: each is kept for ever, and who paints all the time reaches no account's limit.
const MASK_PAUSE = 12000;
const MASK_RETRY = 60; // seconds, where the server does not say
const RETRY = 15000;
const MOST_SENT = 20;

/** What a submit or a click does to leave the page, to be done later; null when it does not. */
function wayOut(event) {
  const { target, submitter } = event;
  if (event.type === "submit") return () => target.requestSubmit(submitter);
  const link = target.closest("a[href]");
  const isOther = !link || event.button || event.shiftKey || hasModifier(event) || link.target || link.hasAttribute("download");
  if (isOther || link.href.split("#")[0] === window.location.href.split("#")[0]) return null;
  return () => window.location.assign(link.href);
}

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
    this.maskFrom = 0; // when the next one may go by itself
    this.said = ""; // by the server, when there were too many masks
    this.leaving = null; // the event that waits until all is sent
    this.state = "saved";
    this.chain = Promise.resolve();
    window.addEventListener("online", () => this.flush());
    window.addEventListener("pagehide", () => { this.isGone = true; this.keep(); });
    window.addEventListener("pageshow", () => { this.isGone = false; });
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.putAway(); else this.comeBack(); });
    window.addEventListener("focus", () => this.comeBack());
    for (const name of ["submit", "click"]) document.addEventListener(name, (event) => this.onLeave(event));
  }

  /** Nobody may come back to this page, and the work go on elsewhere. From one that ends nothing is sent:
   *  whether it arrived would not be known. */
  putAway() {
    this.keep();
    if (!this.isGone) this.flush();
  }

  /** A form or a link that leaves the page waits until what is here was sent, or could not be; pressed once
   *  more, it goes at once. */
  async onLeave(event) {
    const go = wayOut(event);
    if (!go || event.defaultPrevented) return;
    const isSecond = this.leaving !== null; // or the form itself, which goes now
    this.leaving = null;
    if (isSecond || !(this.dirty || this.maskDirty)) return;
    this.leaving = event;
    event.preventDefault();
    await this.flush();
    if (this.leaving === event) go();
    this.leaving = null;
  }

  /** Who was signed out has perhaps signed in again in another tab. */
  comeBack() {
    if (this.state === "signedOut") this.flush();
  }

  touch({ isMask = false } = {}) {
    this.dirty = true;
    this.maskDirty ||= isMask;
    this.begin();
    this.soon(PAUSE);
  }

  soon(milliseconds) {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.flush({ isUrgent: false }), milliseconds);
  }

  /** Send what is not sent; resolves true when the server has everything. One at a time. */
  flush({ isUrgent = true } = {}) {
    window.clearTimeout(this.timer);
    this.chain = this.chain.then(() => this.save(isUrgent)).catch(() => false);
    return this.chain;
  }

  async save(isUrgent) {
    if (!this.dirty && !this.maskDirty) return this.state === "saved";
    this.begin();
    try {
      if (this.isMaskDue(isUrgent) && !(await this.saveMask())) return false;
      return this.dirty ? await this.saveDraft(isUrgent) : this.hold();
    } catch {
      return this.wait(); // fetch rejects only when the line is down
    }
  }

  /** Whether there is a new mask that may go now. */
  isMaskDue(isUrgent) {
    if (!this.maskDirty || this.mask.isAwaited) return false;
    return isUrgent || !this.mask.isEdited || performance.now() >= this.maskFrom;
  }

  /** True when the draft may go: with the new mask, or when the server takes no more of them for now. */
  async saveMask() {
    this.maskDirty = false;
    this.dirty = true; // it names its mask
    this.said = "";
    if (!this.mask.isEdited) { this.maskSha = null; return true; } // the run detects by itself
    this.maskFrom = performance.now() + MASK_PAUSE;
    this.maskOnWay = true;
    const answer = await this.sendMask().catch((error) => { this.maskDirty = true; throw error; })
      .finally(() => { this.maskOnWay = false; });
    if (answer.ok && answer.data.sha256) { this.maskSha = answer.data.sha256; return true; }
    this.maskDirty = true;
    if (answer.code === 429 && answer.data.message) return this.putOff(answer);
    return this.refuse(answer.code);
  }

  async sendMask() {
    const body = new FormData();
    body.append("mask", await this.mask.toBlob(), "mask.png");
    body.append("csrfmiddlewaretoken", csrfToken());
    return send(this.urls.mask, { body });
  }

  putOff({ data, wait }) {
    this.said = data.message;
    this.maskFrom = performance.now() + 1000 * (wait || MASK_RETRY);
    return true;
  }

  /** All but the mask is there, and the mask may not go yet; the page says why when that takes long. */
  hold() {
    if (this.mask.isAwaited) this.become("awaited"); // the veil tells when it is here
    else {
      this.become(this.said ? "tooMany" : "saving");
      this.soon(Math.max(PAUSE, this.maskFrom - performance.now()));
    }
    if (this.said) this.keep();
    return false;
  }

  async saveDraft(isUrgent) {
    this.dirty = false;
    const draft = this.full();
    this.note(JSON.stringify(draft));
    const answer = await this.put(this.rev, draft).catch((error) => { this.dirty = true; throw error; });
    if (answer.ok && "rev" in answer.data) return this.confirm(answer.data.rev, isUrgent);
    this.dirty = true;
    if (answer.code === 409 && "rev" in answer.data) return this.settle(answer.data, isUrgent);
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

  confirm(rev, isUrgent) {
    this.rev = rev;
    this.sent = [];
    this.maskThere = this.maskSha;
    // Changed again while it was on its way; a mask that was just refused is not sent on and on.
    if (this.dirty || this.isMaskDue(isUrgent && !this.said)) return this.save(isUrgent);
    if (this.maskDirty) return this.hold();
    this.copies.forget();
    this.become("saved");
    return true;
  }

  async settle({ rev, draft, mask_url: maskUrl }, isUrgent) {
    const answer = (await this.isOurs(rev)) ? "mine" : await this.ask();
    this.rev = rev;
    if (answer === "mine") return this.saveDraft(isUrgent);
    this.maskSha = draft?.mask ?? null;
    this.dirty = false;
    this.maskDirty = false;
    await this.apply(draft, maskUrl);
    return this.confirm(rev, isUrgent);
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
    this.soon(RETRY);
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
    const isChanged = this.maskDirty || this.maskOnWay || this.maskSha !== this.maskThere;
    const isNew = isChanged && !this.mask.isAwaited; // strokes alone would take the place of the whole
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
