// Three ways in which a file travels: in one request; as a file that grows on the server and goes
// on where it was cut off (tus); in parts straight to the bucket. All say the same to the page:
// on.progress(share), on.stalled() while they wait to try again, then one of on.done(item),
// on.broken(sentence, whether it can go on, HTTP code: 0 when there was no answer).

import { csrfToken, send } from "./site.js";

const CHUNK = 8 * 1024 * 1024; // what a proxy on the way may have to hold
export const DELAYS = [0, 1000, 3000, 5000, 10000, 20000, 30000, 60000];
const TUS = "1.0.0";
const OVER = ["ended", "failed"]; // such a file begins anew

/** The way for this file: small ones in one request, large ones so that they can go on. */
export async function way(file, form, pages, on) {
  const { resumeFrom, tus, way: storage } = form.dataset;
  if (file.size < Number(resumeFrom ?? Infinity)) return new OneRequest(file, form, pages, on);
  if (storage === "parts") return new Parts(file, form, pages, on);
  const library = storage === "file" ? await import(tus).catch(() => ({})) : {};
  return library.Upload ? new Growing(library.Upload, file, form, pages, on) : new OneRequest(file, form, pages, on);
}

/** XMLHttpRequest, because fetch tells nothing about how much has been sent. */
function request(method, url, { body, headers = {}, progress, started }) {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => progress(event.loaded, event.lengthComputable ? event.total : null);
    xhr.onload = () => resolve({ ok: xhr.status >= 200 && xhr.status < 300, code: xhr.status, text: xhr.responseText });
    xhr.onerror = xhr.onabort = () => resolve({ ok: false, code: 0, text: "" });
    started?.(xhr);
    xhr.send(body);
  });
}

function parsed(text) {
  try { return JSON.parse(text) ?? {}; } catch { return {}; }
}

class OneRequest {
  canPause = false;

  constructor(file, form, pages, on) {
    Object.assign(this, { file, form, pages, on });
  }

  async start() {
    const body = new FormData(this.form);
    body.set("pages", this.pages);
    body.set("csrfmiddlewaretoken", csrfToken());
    const field = this.form.querySelector('input[type="file"]').name;
    body.delete(field);
    body.append(field, this.file, this.file.name);
    const answer = await request("POST", this.form.action, {
      body,
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      progress: (sent, total) => this.on.progress(total ? sent / total : null),
    });
    const data = parsed(answer.text);
    if (answer.ok) this.on.done(data.items?.[0] ?? data);
    else this.on.broken(data.message ?? data.detail, false, answer.code);
  }
}

/** tus. The library finds by the file's name, size and date what it began before a reload. */
class Growing {
  canPause = true;

  constructor(Upload, file, form, pages, on) {
    this.on = on;
    this.upload = new Upload(file, {
      endpoint: form.dataset.endpoint,
      chunkSize: CHUNK,
      retryDelays: DELAYS,
      removeFingerprintOnSuccess: true,
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      metadata: { filename: file.name, pages },
      onShouldRetry: (error) => this.mayRetry(error),
      onProgress: (sent, total) => on.progress(sent / total),
      onSuccess: () => this.finish(),
      onError: (error) => this.fail(error),
    });
  }

  async start() {
    const [before] = (await this.upload.findPreviousUploads()).reverse();
    if (before) this.upload.resumeFromPreviousUpload(before);
    this.upload.start();
  }

  mayRetry(error) {
    const may = mayPass(error.originalResponse?.getStatus() ?? 0);
    if (may) this.on.stalled();
    return may;
  }

  pause() { return this.upload.abort(); }

  goOn() {
    this.upload.options.headers["X-CSRFToken"] = csrfToken(); // signing in again made a new one
    return this.upload.start();
  }

  giveUp() { return this.upload.abort(true).catch(() => null); }

  async finish() {
    const answer = await send(this.upload.url, { method: "GET" }).catch(() => null);
    this.on.done(answer?.ok ? answer.data : { state: "reading", done: false, state_url: this.upload.url });
  }

  fail(error) {
    const code = error.originalResponse?.getStatus() ?? 0;
    this.on.broken(parsed(error.originalResponse?.getBody() ?? "").message, mayPass(code), code);
  }
}

/** Whether asking again may help: the line broke, the server is away, or another request is at it. */
function mayPass(code) {
  return code === 0 || code >= 500 || [409, 423, 460].includes(code);
}

/** Nobody answered, or only what stands before the site. */
export const isAway = (code) => code === 0 || [502, 503, 504].includes(code);

/** Until it is time to try again: then, when the browser says that the line is back, or when it is over. */
export function turn(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, milliseconds);
    const now = () => { window.clearTimeout(timer); resolve(); };
    window.addEventListener("online", now, { once: true, signal });
    signal?.addEventListener("abort", now, { once: true });
  });
}

/** Until the person looks at this page again. */
export function looked() {
  return new Promise((resolve) => {
    const over = new AbortController();
    const look = () => { if (!document.hidden) { over.abort(); resolve(); } };
    window.addEventListener("focus", look, { signal: over.signal });
    document.addEventListener("visibilitychange", look, { signal: over.signal });
  });
}

/** S3 multipart: the site signs each part's address, the bucket says which parts it has. */
class Parts {
  canPause = true;

  constructor(file, form, pages, on) {
    Object.assign(this, { file, form, pages, on });
    this.key = ["rekindle-upload", form.dataset.endpoint, file.name, file.size, file.lastModified].join("::");
  }

  /** Each start has a signal of its own: what was paused while it waited never goes on beside the next. */
  async start() {
    this.going = new AbortController();
    const { signal } = this.going;
    this.failures = 0; // in a row
    while (!signal.aborted) {
      try {
        return await this.travel(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!error.mayPass || this.failures >= DELAYS.length) return this.on.broken(error.sentence, error.mayPass ?? false, error.code ?? 0);
        this.on.stalled();
        await turn(DELAYS[this.failures], signal);
        this.failures += 1;
      }
    }
  }

  async travel(signal) {
    this.told = (await this.found()) ?? (await this.begun());
    if (this.told.parts_url) await this.sendMissing(signal);
    if (signal.aborted) return;
    const told = this.told.join_url ? await this.ask(this.told.join_url, {}) : this.told;
    this.forget();
    this.on.done(told);
  }

  /** What was begun before a reload, if the site still knows it. */
  async found() {
    const url = this.memory("getItem");
    if (!url) return null;
    const answer = await send(url, { method: "GET" }).catch(() => null);
    if (!answer) throw new Broken(0);
    // Also one that is taken: the answer may be all that was lost.
    if (answer.ok && !OVER.includes(answer.data.state)) return answer.data;
    if (mayPass(answer.code)) throw new Broken(answer.code);
    this.forget();
    return null;
  }

  async begun() {
    const told = { filename: this.file.name, pages: this.pages };
    const words = Object.entries(told).map(([name, said]) => `${name} ${btoa(String.fromCharCode(...new TextEncoder().encode(said)))}`);
    const headers = { "Tus-Resumable": TUS, "Upload-Length": String(this.file.size), "Upload-Metadata": words.join(",") };
    const begun = await this.ask(this.form.dataset.endpoint, { headers });
    this.memory("setItem", begun.state_url);
    return begun;
  }

  async sendMissing(signal) {
    const size = this.told.part_size;
    const count = Math.ceil(this.file.size / size);
    const have = await this.list();
    for (let number = 1; number <= count && !signal.aborted; number += 1) {
      const part = this.file.slice((number - 1) * size, number * size);
      if (have.get(number) === part.size) continue;
      await this.put(number, part, have, signal);
      have.set(number, part.size);
      this.failures = 0;
    }
  }

  async list() {
    const { parts } = await this.ask(this.told.parts_url, { method: "GET" });
    return new Map(parts.map((each) => [each.number, each.size]));
  }

  async put(number, part, have, signal) {
    const before = [...have.values()].reduce((sum, each) => sum + each, 0);
    const signed = await this.ask(this.told.parts_url, { json: { number } });
    if (signal.aborted) throw new Broken(0);
    const answer = await request("PUT", signed.url, {
      body: part,
      progress: (sent) => this.on.progress((before + sent) / this.file.size),
      started: (xhr) => { this.xhr = xhr; },
    });
    if (!answer.ok) throw new Broken(0); // also where the address was too old: the next is new
  }

  async ask(url, options) {
    const answer = await send(url, options).catch(() => null);
    if (!answer?.ok) throw new Broken(answer?.code ?? 0, answer?.data?.message);
    return answer.data;
  }

  pause() { this.going.abort(); this.xhr?.abort(); }

  goOn() { return this.start(); }

  async giveUp() {
    this.pause();
    this.forget();
    if (this.told) await send(this.told.state_url, { method: "DELETE" }).catch(() => null);
  }

  forget() { this.memory("removeItem"); }

  /** Private windows may have no storage; then a reload begins anew. */
  memory(verb, ...words) {
    try { return window.localStorage[verb](this.key, ...words); } catch { return null; }
  }
}

class Broken extends Error {
  constructor(code, sentence) {
    super(sentence ?? "");
    this.sentence = sentence;
    this.code = code;
    this.mayPass = mayPass(code);
  }
}
