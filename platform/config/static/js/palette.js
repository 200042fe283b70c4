// The colour in hand: picked, taken from the palette, or said in words that the server knows.

import { announce, send, toast } from "./site.js";

const one = (selector, root) => root.querySelector(selector);

export class Palette {
  /** bench: {root, config, words, marks, viewer, turnOn()} */
  constructor(bench) {
    this.bench = bench;
    this.box = one("[data-colours]", bench.root);
    if (this.box) this.listen();
  }

  get colour() {
    return this.box ? one("[data-colour]", this.box).value : "#8c6d52";
  }

  get word() {
    return this.field?.value.trim() ?? "";
  }

  listen() {
    const { box, bench: { marks, words } } = this;
    this.field = one("input[data-word]", box);
    this.said = one("[data-word-problem]", box);
    this.problem = this.said.parentElement;
    box.addEventListener("click", (event) => this.onClick(event));
    this.field.addEventListener("input", () => this.complain(""));
    this.field.addEventListener("change", () => this.takeWord(this.word, true));
    marks.addEventListener("word", (event) => this.takeWord(event.detail));
    marks.addEventListener("removed", () => announce(words.dabRemoved));
    marks.addEventListener("emptied", () => one("[data-add-middle]", box).focus());
  }

  onClick(event) {
    const swatch = event.target.closest("[data-swatch]");
    if (swatch) this.takeSwatch(swatch);
    if (event.target.closest("[data-add-middle]")) this.addMiddle();
    if (event.target.closest("[data-add-area]")) this.addArea();
  }

  takeSwatch(swatch) {
    one("[data-colour]", this.box).value = swatch.dataset.swatch;
    this.field.value = swatch.dataset.word;
    this.complain("");
  }

  /** Show the colour that a word names, also on marks that were placed while the server was asked. */
  async takeWord(word, isInHand = false) {
    if (!word) return;
    const url = `${this.bench.config.urls.colour}?word=${encodeURIComponent(word)}`;
    const answer = await send(url, { method: "GET" }).catch(() => null);
    if (answer?.data.message && !isInHand) toast(answer.data.message, "warning");
    if (isInHand && this.word === word) this.complain(answer?.data.message ?? "");
    if (!answer?.ok) return;
    if (this.word === word) one("[data-colour]", this.box).value = answer.data.colour;
    this.bench.marks.recolour(word, answer.data.colour);
  }

  /** What was typed stays in its field, with the reason under it. */
  complain(message) {
    const isNew = this.said.textContent !== message;
    this.said.textContent = message;
    this.problem.hidden = !message;
    this.field.toggleAttribute("aria-invalid", false);
    this.field.removeAttribute("aria-describedby");
    if (!message) return;
    this.field.setAttribute("aria-invalid", "true");
    this.field.setAttribute("aria-describedby", this.problem.id);
    if (isNew) announce(message);
  }

  addMiddle() {
    const { marks, viewer, words, root } = this.bench;
    this.bench.turnOn("colourise");
    const number = marks.add({ ...viewer.centre }, this.colour, this.word);
    announce(words.dabAdded.replace("{n}", number));
    one("[data-dab-list]", root).lastElementChild?.querySelector('[data-part="x"]').focus();
  }

  addArea() {
    this.bench.turnOn("colourise");
    this.bench.marks.addMiddleArea(this.colour, this.word);
    one("[data-region-list]", this.bench.root).lastElementChild?.querySelector('[data-part="corners"]').focus();
  }
}
