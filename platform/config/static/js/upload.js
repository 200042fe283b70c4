// Several scans at once: dropped or chosen, one row each, sent one after the other, then asked
// about until the archive has read them. Without a script the form is an ordinary one.

import { isTyping, send } from "./site.js";
import { way } from "./sending.js";

const POLL = 1500;

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
    Object.assign(this, { upload, file, pages, words: upload.words, row: new Row(upload.template, file) });
    this.row.show("waiting", this.words.waiting);
    for (const [name, act] of Object.entries({ pause: "pause", "go-on": "goOn", "give-up": "giveUp", again: "goOn" })) {
      this.row.part(name).addEventListener("click", () => this[act]());
    }
    window.addEventListener("online", () => { if (this.broken) this.goOn(); });
  }

  /** Resolves when the next file may set out. */
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
      broken: (sentence, mayPass) => this.break(sentence, mayPass),
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
      this.upload.follow(item.state_url, this.row);
    }
    this.leave();
  }

  break(sentence, mayPass) {
    this.broken = mayPass && this.way.canPause;
    if (this.broken) {
      this.row.show("paused", this.words.paused, sentence ?? this.words.kept);
      this.row.buttons("go-on", "give-up");
    } else {
      this.row.finish({ state: "failed", label: this.words.failed, message: sentence ?? this.words.broken });
      this.row.buttons("again");
      this.way = null;
      this.started = false;
    }
    this.leave();
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
    this.row.buttons();
    this.row.show("waiting", this.words.waiting);
    this.upload.enqueue(this);
  }

  async giveUp() {
    this.row.buttons();
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
    this.queue = Promise.resolve();
    form.dataset.ready = "";
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
      this.take(event.dataTransfer.files);
    });
  }

  take(files) {
    // As it is said now: what is sent later may be answered otherwise.
    const pages = new FormData(this.form).get("pages") ?? "";
    for (const file of [...files]) {
      const journey = new Journey(this, file, pages);
      this.list.append(journey.row.element);
      this.meet(file);
      this.enqueue(journey);
    }
    this.input.value = "";
  }

  enqueue(journey) {
    this.queue = this.queue.then(() => journey.set());
  }

  /** What was begun before is going on now, and no longer waits above. */
  meet(file) {
    for (const each of document.querySelectorAll("[data-unfinished]")) {
      if (each.dataset.name === file.name && Number(each.dataset.size) === file.size) each.remove();
    }
    const list = document.querySelector("[data-unfinished-list]");
    if (list && !list.querySelector("[data-unfinished]")) list.hidden = true;
  }

  async follow(url, row) {
    const answer = await send(url, { method: "GET" }).catch(() => null);
    if (answer?.ok && answer.data.done) return row.finish(answer.data);
    if (answer?.ok) row.show(answer.data.state, answer.data.label ?? this.words.reading, answer.data.message);
    window.setTimeout(() => this.follow(answer?.data?.state_url ?? url, row), POLL);
  }
}

for (const form of document.querySelectorAll("[data-upload]")) form.upload = new Upload(form);

// A file dropped beside the frame must not replace the page.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => { if (!isTyping(event)) event.preventDefault(); });
}
