// What becomes of the scans that are here: asked about a few at a time, the less often the longer
// nothing happens, and not at all while nobody looks or the person is signed out.

import { send } from "./site.js";
import { looked } from "./sending.js";

const HEAD = 2; // the scans that came first are read first; beside them the others take turns
const BESIDE = 2;
const SOON = 1500;
const LATE = 15000;
const SLOWER = 1.3;
const GONE = [403, 404, 410];

export class Readings {
  /** words: the sentences of the form. out(isOut): the site says whether the person is signed out. */
  constructor(words, out) {
    Object.assign(this, { words, out, rows: [], pause: SOON });
  }

  follow(url, row) {
    this.rows.push({ url, row });
    if (this.rows.length === 1 && !this.isAsking) this.ask();
  }

  async ask() {
    this.isAsking = true;
    while (this.rows.length) {
      await new Promise((resolve) => { window.setTimeout(resolve, this.pause); });
      if (document.hidden) await looked();
      const codes = await this.askSome();
      if (!codes.includes(401)) continue;
      this.out(true);
      await looked();
    }
    this.isAsking = false;
  }

  /** The states of the answers; whoever is done is asked about no more. */
  async askSome() {
    const head = this.rows.splice(0, HEAD);
    const beside = this.rows.splice(0, BESIDE);
    const before = head.length + beside.length;
    const codes = await Promise.all([...head, ...beside].map((each) => this.askOne(each)));
    const open = (each) => !each.isDone;
    this.rows = [...head.filter(open), ...this.rows, ...beside.filter(open)];
    const isNews = [...head, ...beside].filter(open).length < before;
    this.pause = isNews ? SOON : Math.min(LATE, this.pause * SLOWER);
    return codes;
  }

  async askOne(each) {
    const { ok, code, data } = await send(each.url, { method: "GET" }).catch(() => ({ code: 0 }));
    each.isDone = (ok && data.done) || GONE.includes(code);
    if (ok) {
      this.out(false);
      each.url = data.state_url ?? each.url;
      if (data.done) each.row.finish(data);
      else each.row.show(data.state, data.label ?? this.words.reading, data.message);
    } else if (each.isDone) each.row.finish({ state: "failed", label: "", message: this.words.untold });
    return code;
  }
}
