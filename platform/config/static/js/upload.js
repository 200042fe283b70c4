// Several scans at once: dropped or chosen, one row each, sent one after the other, then asked
// about until the archive has read them. Without a script the form is an ordinary one.

import { csrfToken, isTyping, send } from "./site.js";

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
    for (const file of [...files]) {
      const row = new Row(this.template, file);
      row.show("waiting", this.words.waiting);
      this.list.append(row.element);
      this.queue = this.queue.then(() => this.one(file, row));
    }
    this.input.value = "";
  }

  async one(file, row) {
    row.show("sending", this.words.sending);
    const answer = await this.post(file, row);
    if (!answer.ok) return this.fail(file, row, answer);
    row.progress(null);
    const [item] = answer.data.items ?? [answer.data];
    if (item.done) row.finish(item);
    else {
      row.show("reading", item.label ?? this.words.reading);
      this.follow(item.state_url, row);
    }
  }

  /** XMLHttpRequest, because fetch tells nothing about how much has been sent. */
  post(file, row) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      const body = new FormData(this.form);
      body.delete(this.input.name);
      body.append(this.input.name, file, file.name);
      request.open("POST", this.form.action);
      request.responseType = "json";
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", csrfToken());
      request.upload.onprogress = (event) => row.progress(event.lengthComputable ? event.loaded / event.total : null);
      request.onload = () => resolve({ ok: request.status < 300, data: request.response ?? {} });
      request.onerror = () => resolve({ ok: false, data: {} });
      request.send(body);
    });
  }

  fail(file, row, { data }) {
    row.finish({ state: "failed", label: this.words.failed, message: data.message ?? data.detail ?? this.words.broken });
    const again = row.part("again");
    again.hidden = false;
    again.addEventListener("click", () => {
      again.hidden = true;
      row.part("bar").hidden = false;
      this.queue = this.queue.then(() => this.one(file, row));
    }, { once: true });
  }

  async follow(url, row) {
    const answer = await send(url, { method: "GET" }).catch(() => null);
    if (answer?.ok && answer.data.done) return row.finish(answer.data);
    if (answer?.ok) row.show(answer.data.state, answer.data.label ?? this.words.reading, answer.data.message);
    window.setTimeout(() => this.follow(url, row), POLL);
  }
}

for (const form of document.querySelectorAll("[data-upload]")) form.upload = new Upload(form);

// A file dropped beside the frame must not replace the page.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => { if (!isTyping(event)) event.preventDefault(); });
}
