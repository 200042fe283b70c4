// The claim's clock: a heartbeat each minute while the page is open, a countdown, more time on request.

import { announce, send, toast } from "./site.js";

const MINUTE = 60000;
const SOON = 10;

export class Beat {
  constructor({ root, urls, claim, words }) {
    Object.assign(this, { root, urls, words });
    this.clock = root.querySelector("[data-clock]");
    this.until = claim?.expires_at ? new Date(claim.expires_at) : null;
    this.state = claim?.state ?? "open";
    this.warned = "";
    if (!this.clock || !urls.claim) return;
    window.setInterval(() => this.beat(), MINUTE);
    window.setInterval(() => this.show(), MINUTE / 4);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.beat(); });
    root.querySelector("[data-extend]")?.addEventListener("submit", (event) => this.extend(event));
    root.querySelector("[data-release]")?.addEventListener("submit", (event) => {
      if (!window.confirm(words.release)) event.preventDefault();
    });
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
    this.root.querySelector("[data-extend]").hidden = true; // more time is given once
  }

  take({ ok, code, data }) {
    if (data.expires_at) this.until = new Date(data.expires_at);
    if (data.state) this.state = data.state;
    else if (!ok && [403, 404, 410].includes(code)) this.state = "expired";
    if (data.warning && data.warning !== this.warned) toast(data.warning, "warning");
    this.warned = data.warning ?? "";
    this.show();
  }

  show() {
    if (this.state !== "open") return this.end();
    if (!this.until) return;
    const minutes = Math.max(0, Math.ceil((this.until - Date.now()) / MINUTE));
    const time = this.time();
    const isSoon = minutes <= SOON;
    const sentence = isSoon ? this.words.soon.replace("{minutes}", minutes) : this.words.until.replace("{time}", time);
    if (isSoon && !this.clock.parentElement.classList.contains("is-soon")) announce(sentence);
    this.clock.textContent = sentence;
    this.clock.parentElement.classList.toggle("is-soon", isSoon);
  }

  /** The hour, with its day when that is not today. */
  time() {
    const isToday = this.until.toDateString() === new Date().toDateString();
    const day = isToday ? {} : { weekday: "short" };
    const form = { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    return this.until.toLocaleString(document.documentElement.lang, form);
  }

  end() {
    if (this.isOver) return;
    this.isOver = true;
    this.clock.textContent = this.words.ended;
    this.clock.parentElement.classList.add("is-soon");
    announce(this.words.ended);
  }
}
