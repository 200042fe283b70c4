// Several scans at once: dropped or chosen, one row each, sent one after the other, then asked
// about until the archive has read them. Without a script the form is an ordinary one.

import { isTyping, send, toast } from "./site.js";
import { dropped } from "./dropped.js";
import { Readings } from "./reading.js";
import { DELAYS, isAway, looked, turn, way } from "./sending.js";

const SIGNED_OUT = 401;

/** A file that was moved or written to since it was chosen breaks off like a line that is down. */
const isReadable = (file) => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

class Row {
  constructor(template, file) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(`[data-part="${name}"]`);
    this.part("name").textContent = file.name;
    this.part("bar").setAttribute("aria-label", file.name);
  }

  show(state, label, line = "") {
    this.element.dataset.state = state;
    this.part("state").textContent = label;
    this.part("line").textContent = line;
  }

  progress(share) {
    const bar = this.part("bar");
    if (share === null) bar.removeAttribute("value");
    else bar.value = Math.round(share * 100);
  }

  /** Only what can be done now can be seen. */
  buttons(...names) {
    for (const name of ["pause", "go-on", "give-up", "again"]) this.part(name).hidden = !names.includes(name);
  }

  finish({ state, label, message, photo_url: url, thumb }) {
    this.part("bar").hidden = true;
    this.show(state, label ?? "", message ?? "");
    if (url) this.part("link").href = url;
    this.part("link").hidden = !url;
    if (!thumb) return;
    const image = new Image();
    image.alt = "";
    image.src = thumb;
    this.part("thumb").replaceChildren(image);
  }
}

/** One file on its way: it may pause, break, go on, and end. */
class Journey {
  constructor(upload, file, pages) {
    Object.assign(this, { upload, file, pages, words: upload.words, row: new Row(upload.template, file), breaks: 0 });
    this.row.show("waiting", this.words.waiting);
    for (const [name, act] of Object.entries({ pause: "pause", "go-on": "goOn", "give-up": "giveUp", again: "goOn" })) {
      this.row.part(name).addEventListener("click", () => this[act]());
    }
    window.addEventListener("online", () => { if (this.broken) this.goOn(); });
  }

  /** Not by the person's own will, and they can set it going again. */
  get isStopped() {
    return this.broken || !this.row.part("again").hidden;
  }

  /** Resolves when the next file may set out: true when this one has to be the next. */
  set() {
    return new Promise((resolve) => {
      this.leave = resolve;
      this.depart();
    });
  }

  async depart() {
    this.broken = false;
    this.row.part("bar").hidden = false;
    this.row.show("sending", this.words.sending);
    this.way ??= await way(this.file, this.upload.form, this.pages, {
      progress: (share) => this.progress(share),
      stalled: () => { this.row.part("line").textContent = this.words.stalled; },
      done: (item) => this.arrive(item),
      broken: (sentence, mayPass, code) => this.break(sentence, mayPass, code),
    });
    this.row.buttons(...(this.way.canPause ? ["pause"] : []));
    if (this.started) this.way.goOn();
    else this.way.start();
    this.started = this.way.canPause;
  }

  progress(share) {
    this.row.progress(share);
    if (share !== null && this.way?.canPause) this.row.part("line").textContent = `${Math.floor(share * 100)} %`;
  }

  arrive(item) {
    this.row.buttons();
    this.row.progress(null);
    if (item.done) this.row.finish(item);
    else {
      this.row.show("reading", item.label ?? this.words.reading);
      this.upload.readings.follow(item.state_url, this.row);
    }
    this.leave();
  }

  async break(sentence, mayPass, code) {
    if (code === 0 && !(await isReadable(this.file))) this.fail(this.words.unreadable);
    else if (this.mustWait(code)) return this.wait(sentence);
    else if (mayPass && this.way.canPause) this.stop(sentence);
    else this.fail(sentence ?? this.words.broken);
    this.leave();
  }

  /** Without the site nobody comes further; and a way that cannot pause itself is not given up at once. */
  mustWait(code) {
    if (code === SIGNED_OUT) return true;
    this.breaks += 1;
    return !this.way.canPause && isAway(code) && this.breaks < DELAYS.length;
  }

  wait(sentence) {
    this.row.buttons();
    this.row.progress(0);
    this.row.show("waiting", this.words.waiting, sentence ?? this.words.stalled);
    this.leave(true);
  }

  stop(sentence) {
    this.broken = true;
    this.row.show("paused", this.words.paused, sentence ?? this.words.kept);
    this.row.buttons("go-on", "give-up");
  }

  fail(sentence) {
    this.row.finish({ state: "failed", label: this.words.failed, message: sentence });
    this.row.buttons("again");
    this.way = null;
    this.started = false;
  }

  pause() {
    this.way.pause();
    this.row.show("paused", this.words.paused, this.row.part("line").textContent);
    this.row.buttons("go-on", "give-up");
    this.row.part("go-on").focus();
    this.leave();
  }

  goOn() {
    this.broken = false;
    this.breaks = 0;
    this.row.buttons();
    this.row.show("waiting", this.words.waiting);
    this.upload.offerAgain();
    this.upload.enqueue(this);
  }

  async giveUp() {
    this.broken = false;
    this.row.buttons();
    this.upload.offerAgain();
    await this.way.giveUp();
    this.row.finish({ state: "failed", label: this.words.failed, message: this.words.ended });
  }
}

class Upload {
  constructor(form) {
    this.form = form;
    this.input = form.querySelector('input[type="file"]');
    this.drop = form.querySelector("[data-drop]");
    this.list = form.querySelector("[data-uploads]") ?? document.querySelector("[data-uploads]");
    this.template = document.getElementById("upload-row");
    this.words = form.dataset;
    this.readings = new Readings(this.words, (isOut) => this.tellOut(isOut));
    this.out = document.querySelector("[data-upload-out]");
    this.again = document.querySelector("[data-upload-again]");
    this.journeys = [];
    this.waiting = [];
    form.dataset.ready = "";
    this.again.addEventListener("click", () => this.sendAgain());
    window.addEventListener("beforeunload", (event) => { if (this.isGoing) event.preventDefault(); });
    form.addEventListener("submit", (event) => { event.preventDefault(); this.take(this.input.files); });
    this.input.addEventListener("change", () => this.take(this.input.files));
    this.listenToDrop();
  }

  listenToDrop() {
    let depth = 0;
    const over = (isOver) => this.drop.classList.toggle("is-over", isOver);
    this.drop.addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; over(true); });
    this.drop.addEventListener("dragover", (event) => event.preventDefault());
    this.drop.addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) over(false); });
    this.drop.addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      over(false);
      this.takeDropped(event.dataTransfer);
    });
  }

  async takeDropped(told) {
    const { scans, empty } = await dropped(told, this.input.accept);
    this.take(scans);
    for (const name of empty) toast(this.words.noScans.replace("{folder}", name), "warning");
  }

  take(files) {
    // As it is said now: what is sent later may be answered otherwise.
    const pages = new FormData(this.form).get("pages") ?? "";
    for (const file of [...files]) {
      const journey = new Journey(this, file, pages);
      this.journeys.push(journey);
      this.list.append(journey.row.element);
      this.meet(file);
      this.enqueue(journey);
    }
    this.input.value = "";
  }

  enqueue(journey) {
    this.waiting.push(journey);
    if (!this.isGoing) this.go();
  }

  /** One after the other; while the site cannot be reached nobody sets out. */
  async go() {
    this.isGoing = true;
    while (this.waiting.length) {
      const journey = this.waiting.shift();
      const mustBeNext = await journey.set();
      this.offerAgain();
      if (!mustBeNext) continue;
      this.waiting.unshift(journey);
      await this.reached(journey.breaks);
    }
    this.isGoing = false;
  }

  /** Until the site answers this person; breaks: how often in a row the line has broken by now. */
  async reached(breaks) {
    for (let tries = Math.max(0, breaks - 1); ; tries += 1) {
      await turn(DELAYS[Math.min(tries, DELAYS.length - 1)]);
      const { code } = await send(this.words.endpoint, { method: "OPTIONS" }).catch(() => ({ code: 0 }));
      this.tellOut(code === SIGNED_OUT);
      if (code === SIGNED_OUT) await looked();
      else if (!isAway(code)) return;
    }
  }

  /** The door opens in a tab of its own: from this page the chosen files would be gone. */
  tellOut(isOut) {
    this.out.hidden = !isOut;
  }

  offerAgain() {
    this.again.hidden = this.journeys.filter((each) => each.isStopped).length < 2;
  }

  sendAgain() {
    for (const journey of this.journeys) if (journey.isStopped) journey.goOn();
    this.input.focus(); // the button that had it is away
  }

  /** What was begun before is going on now, and no longer waits above. */
  meet(file) {
    for (const each of document.querySelectorAll("[data-unfinished]")) {
      if (each.dataset.name === file.name && Number(each.dataset.size) === file.size) each.remove();
    }
    const list = document.querySelector("[data-unfinished-list]");
    if (list && !list.querySelector("[data-unfinished]")) list.hidden = true;
  }
}

for (const form of document.querySelectorAll("[data-upload]")) form.upload = new Upload(form);

// A file dropped beside the frame must not replace the page.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => { if (!isTyping(event)) event.preventDefault(); });
}
