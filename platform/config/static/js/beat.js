// The claim's clock: a heartbeat each minute while the page is open, a countdown, more time on request.

import { announce, hour, send, toast } from "./site.js";

const MINUTE = 60000;
const SOON = 10;

export class Beat {
  /** save(): sends what is not sent of the draft, before the photo is given back. */
  constructor({ root, urls, claim, words, save }) {
    Object.assign(this, { root, urls, words, save });
    this.clock = root.querySelector("[data-clock]");
    if (claim?.expires_at) this.setEnd(claim);
    this.state = claim?.state ?? "open";
    this.warned = "";
    if (!this.clock || !urls.claim) return;
    window.setInterval(() => this.beat(), MINUTE);
    window.setInterval(() => this.show(), MINUTE / 4);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.beat(); });
    root.querySelector("[data-extend]")?.addEventListener("submit", (event) => this.extend(event));
    root.querySelector("[data-release]")?.addEventListener("submit", (event) => this.release(event));
    this.show();
  }

  async beat() {
    if (this.state !== "open") return;
    const answer = await send(this.urls.claim).catch(() => null);
    if (answer) this.take(answer);
  }

  async extend(event) {
    event.preventDefault();
    const answer = await send(this.urls.extend).catch(() => null);
    if (!answer) return;
    this.take(answer);
    if (!answer.ok) return toast(answer.data.message ?? this.words.notExtended, "warning");
    toast(this.words.extended, "success");
    this.leaveExtend();
  }

  /** More time is given once: its form goes, and the focus to what stands beside it. */
  leaveExtend() {
    const form = this.root.querySelector("[data-extend]");
    if (form.contains(document.activeElement)) this.root.querySelector("[data-release] button").focus();
    form.hidden = true;
  }

  /** What was typed last is saved before the photo goes; pressed once more, it goes at once. */
  async release(event) {
    if (this.isReleasing) return;
    event.preventDefault();
    if (!window.confirm(this.words.release)) return;
    this.isReleasing = true;
    await this.save();
    event.target.requestSubmit();
  }

  take({ ok, code, data }) {
    if (data.expires_at) this.setEnd(data);
    if (data.state) this.state = data.state;
    else if (!ok && [403, 404, 410].includes(code)) this.state = "expired";
    if (data.warning && data.warning !== this.warned) toast(data.warning, "warning");
    this.warned = data.warning ?? "";
    this.show();
  }

  /** The seconds are the server's: the hour of this machine may be wrong. */
  setEnd({ expires_at: at, seconds_left: seconds }) {
    this.until = new Date(at);
    this.ends = performance.now() + 1000 * seconds;
  }

  show() {
    if (this.state !== "open") return this.end();
    if (!this.until) return;
    const left = Math.max(0, this.ends - performance.now());
    const minutes = Math.ceil(left / MINUTE);
    const time = hour(this.until, new Date(this.until - left));
    const isSoon = minutes <= SOON;
    const sentence = isSoon ? this.words.soon.replace("{minutes}", minutes) : this.words.until.replace("{time}", time);
    if (isSoon && !this.clock.parentElement.classList.contains("is-soon")) announce(sentence);
    this.clock.textContent = sentence;
    this.clock.parentElement.classList.toggle("is-soon", isSoon);
  }

  end() {
    if (this.isOver) return;
    this.isOver = true;
    this.clock.textContent = this.words.ended;
    this.clock.parentElement.classList.add("is-soon");
    announce(this.words.ended);
  }
}
