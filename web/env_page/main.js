// main.js - the page of an environment: it shows boards and numbers, and does what the viewer asks

import { Curve } from "../page/curve.js";
import { bytesOf, find, fixed, input, whole } from "../page/dom.js";
import { beWorker, Link } from "../page/link.js";
import { Play } from "./play.js";

/** @typedef {import("./play.js").Frame} Frame */
/** @typedef {import("./play.js").Param} Param */
/** @typedef {import("./play.js").Player} Player */
/** @typedef {import("./play.js").Question} Question */
/** @typedef {import("./play.js").Values} Values */

const BOARDS = [1, 4, 9, 16]; // what the slider stands for
const PACES = [1, 2, 5, 10, 20, 60, 240, 1000]; // steps a second
const PRACTICE = 12; // milliseconds of each frame for the school: the page stays smooth
const MOST_PIXELS = 1400; // a side of the picture: c_pixels draws every one of them on the processor
const MOST_LOG = 4; // fields of the log that have a curve; the reward is beside them

class EnvPage {
  /** @param {Link<Question>} link @param {import("./play.js").About} about @param {Values} values of the link or of the command */
  constructor(link, about, values) {
    this.link = link;
    this.about = about;
    /** What differs from the defaults. */
    this.values = values;
    this.usual = { ...values };
    /** @type {Player} */
    this.who = "learning";
    this.seed = 1;
    this.boards = 1;
    this.pace = 10; // steps a second
    this.paused = false;
    this.opened = 0; // answers about earlier boards are dropped
    this.asking = false;
    this.due = 0;
    this.last = 0;
    this.canvas = /** @type {HTMLCanvasElement} */ (find("boards"));
    /** @type {Frame | null} */
    this.current = null;
    /** The newest mean of each field of the log. @type {number[]} */
    this.means = [];
    /** @type {Curve[]} */
    this.curves = [];
    /** Whether the clock stands still: see run(). A test sets it before the page begins, as { held: true }. */
    this.held = !!(/** @type {any} */ (globalThis).page?.held);
    this.ready = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.toasting = undefined;
  }

  // ---- Boards

  /** New boards, and a fresh network. Returns how many agents a board has; 0: they could not be opened. */
  async open() {
    this.opened++;
    this.asking = false;
    this.current = null;
    this.due = 1;
    this.means = this.about.log.map(() => Number.NaN);
    for (const curve of this.curves) curve.clear();
    let agents = 0;
    try {
      agents = await this.link.ask({ ask: "open", values: this.values, seed: this.seed, boards: this.boards });
    } catch (error) {
      this.pause(true);
      this.toast(error instanceof Error ? error.message : String(error));
      return 0;
    }
    const pairs = Object.entries(this.values).map(([name, value]) => `${name}=${value}`);
    history.replaceState(null, "", `#${pairs.join("&")}`);
    return agents;
  }

  /** @param {number} steps @param {number} milliseconds @param {number} [practise] */
  async ask(steps, milliseconds, practise = 0) {
    const opened = this.opened;
    const ratio = Math.min(
      globalThis.devicePixelRatio || 1,
      MOST_PIXELS / Math.max(this.canvas.clientWidth, this.canvas.clientHeight),
    );
    const width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    const { canvas, who } = this;
    const picture = steps > 0 || !this.current || canvas.width !== width || canvas.height !== height;
    this.asking = true;
    try {
      /** @type {Frame} */
      const frame = await this.link.ask({ ask: "frame", steps, who, picture, width, height, milliseconds, practise });
      if (opened === this.opened) this.show(frame);
    } catch (error) {
      if (opened !== this.opened) return;
      this.pause(true);
      this.toast(error instanceof Error ? error.message : String(error));
    } finally {
      if (opened === this.opened) this.asking = false;
    }
  }

  /** @param {ArrayBuffer} buffer @param {number} width @param {number} height */
  draw(buffer, width, height) {
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    context?.putImageData(new ImageData(new Uint8ClampedArray(buffer), width, height), 0, 0);
  }

  /** @param {Frame} frame */
  show(frame) {
    this.current = frame;
    if (frame.buffer) this.draw(frame.buffer, frame.width, frame.height);
    if (this.who === "learning") this.curves[0].push(frame.reward);
    frame.numbers.forEach((value, k) => {
      if (Number.isNaN(value)) return;
      this.means[k] = value;
      this.curves[k + 1]?.push(value);
    });
    this.tell(frame);
  }

  /** @param {Frame} frame */
  tell(frame) {
    const texts = [this.who === "learning" ? fixed(frame.reward, 3) : "", ...this.means.map((mean) => digits(mean))];
    this.curves.forEach((curve, k) => {
      const box = /** @type {HTMLElement} */ (curve.canvas.parentElement);
      /** @type {HTMLElement} */ (box.firstElementChild).textContent = texts[k];
      curve.draw(k ? "#63e0cd" : "#ffb45a");
    });
    const { experience } = frame;
    const learned = experience < 1e6 ? `${whole(experience / 1000)}k` : `${fixed(experience / 1e6, 1)}M`;
    const steps = `<b>${whole(frame.steps)}</b> steps so far.`;
    find("words").innerHTML = {
      random: `All actions are drawn at random: ${steps}`,
      script: `The script of the header plays: ${steps}`,
      learning: `A small network learns from nothing, by reward alone: <b>${learned}</b> agent-steps so far.`,
    }[this.who];
  }

  /** @param {number} now milliseconds */
  tick(now) {
    const seconds = Math.min(0.1, Math.max(0, (now - this.last) / 1000));
    this.last = now;
    if (this.paused) return;
    this.due = Math.min(this.due + seconds * this.pace, Math.max(1, this.pace / 30));
    if (this.asking) return;
    const steps = Math.floor(this.due);
    this.due -= steps;
    this.ask(steps, this.who === "learning" ? PRACTICE : 0);
  }

  // ---- Controls

  /** Makes the boxes of the numbers and the fields of the parameters. */
  build() {
    const { about } = this;
    find("scripted").hidden = !about.script;
    const shown = about.log.slice(0, Math.min(MOST_LOG, about.log.length - 1));
    const names = [{ name: "reward", doc: "mean reward of an agent-step in the last update" }, ...shown];
    find("numbers").innerHTML = names
      .map(({ name }, k) => {
        const label = name.replaceAll("_", " ");
        return `<div class="number ${k ? "" : "wide"}"><b></b><span>${label}</span><canvas role="img" aria-label="${label} over time"></canvas></div>`;
      })
      .join("");
    const boxes = Array.from(find("numbers").children);
    this.curves = boxes.map((box, k) => {
      /** @type {HTMLElement} */ (box).title = names[k].doc;
      return new Curve(/** @type {HTMLCanvasElement} */ (box.lastElementChild), "fit");
    });
    this.fields("params", about.params);
    this.fields("settings", about.settings);
    find("params-of").hidden = about.params.length === 0;
  }

  /** @param {string} id @param {Param[]} params */
  fields(id, params) {
    for (const param of params) {
      const label = document.createElement("label");
      const choices = param.kind === 3 ? param.unit.split("|") : null;
      const unit = choices || !param.unit ? "" : ` ${param.unit}`;
      label.className = "field";
      label.title = `${param.doc}${choices || param.kind === 2 ? "" : ` (${param.least} to ${param.most}${unit})`}`;
      label.innerHTML = `<span>${param.name.replaceAll("_", " ")}</span>`;
      const field = document.createElement(choices ? "select" : "input");
      field.id = `param-${param.name}`;
      if (field instanceof HTMLSelectElement) {
        for (const [k, name] of (choices ?? []).entries()) field.add(new Option(name, String(k)));
      } else if (param.kind === 2) {
        field.type = "checkbox";
      } else {
        Object.assign(field, {
          type: "number",
          min: String(param.least),
          max: String(param.most),
          step: param.kind === 1 ? "any" : "1",
        });
      }
      field.addEventListener("change", () => this.set(param, field));
      label.append(field);
      find(id).append(label);
    }
  }

  /** A parameter was changed. @param {Param} param @param {HTMLInputElement | HTMLSelectElement} field */
  async set(param, field) {
    const value = field.type === "checkbox" ? Number(/** @type {HTMLInputElement} */ (field).checked) : Number(field.value);
    if (!field.checkValidity() || (field.value === "" && field.type === "number")) {
      this.toast(`${param.name}: expected ${param.least} to ${param.most}, got ${field.value || "nothing"}.`);
      this.showValues();
      return;
    }
    this.values[param.name] = value;
    if (value === param.value) delete this.values[param.name];
    await this.anew(`${param.name.replaceAll("_", " ")}: all begins anew.`);
  }

  /** @param {string} words */
  async anew(words) {
    this.toast(words);
    this.pause(false);
    await this.open();
  }

  /** Writes what is set into the controls. */
  showValues() {
    for (const { name, kind, value } of [...this.about.params, ...this.about.settings]) {
      const now = this.values[name] ?? value;
      const field = input(`param-${name}`);
      if (kind === 2) field.checked = now !== 0;
      else field.value = kind === 1 ? String(Number(now.toPrecision(6))) : String(now);
    }
    /** @type {HTMLInputElement} */ (document.querySelector(`input[name=who][value=${this.who}]`)).checked = true;
    input("boards-shown").value = String(BOARDS.indexOf(this.boards));
    input("pace").value = String(PACES.indexOf(this.pace));
    for (const [id, text] of [
      ["boards-shown", String(this.boards)],
      ["pace", `${this.pace}/s`],
    ]) {
      const slider = input(id);
      slider.style.setProperty("--at", `${(100 * slider.valueAsNumber) / Number(slider.max)}%`);
      slider.setAttribute("aria-valuetext", text);
      /** @type {HTMLElement} */ (document.querySelector(`output[for=${id}]`)).textContent = text;
    }
  }

  /** @param {Player} who */
  play(who) {
    if (who === "script" && !this.about.script) return;
    this.who = who;
    this.means = this.about.log.map(() => Number.NaN);
    for (const curve of this.curves) curve.clear();
    this.showValues();
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.paused = paused;
    find("pause").textContent = paused ? "Go on" : "Pause";
    find("pause").setAttribute("aria-pressed", String(paused));
  }

  async step() {
    this.pause(true);
    if (!this.asking) await this.ask(1, 0);
  }

  async restart() {
    this.seed++;
    await this.anew("A fresh network begins to learn.");
  }

  /** @param {string} text */
  toast(text) {
    const toast = find("toast");
    toast.textContent = text;
    toast.classList.add("shown");
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => toast.classList.remove("shown"), 4000);
  }

  listen() {
    /** @param {string} id @param {() => unknown} act */
    const press = (id, act) => find(id).addEventListener("click", act);
    press("pause", () => this.pause(!this.paused));
    press("step", () => this.step());
    press("restart", () => this.restart());
    press("defaults", () => {
      this.values = { ...this.usual };
      this.showValues();
      this.anew("As it was when the page was made.");
    });
    press("sheet", () => {
      const sheet = find("sheet");
      sheet.setAttribute("aria-expanded", String(sheet.getAttribute("aria-expanded") !== "true"));
    });
    for (const radio of document.querySelectorAll("input[name=who]"))
      radio.addEventListener("change", () =>
        this.play(/** @type {Player} */ (/** @type {HTMLInputElement} */ (radio).value)),
      );
    input("pace").addEventListener("input", () => {
      this.pace = PACES[input("pace").valueAsNumber];
      this.showValues();
    });
    input("boards-shown").addEventListener("input", () => {
      this.boards = BOARDS[input("boards-shown").valueAsNumber];
      this.showValues();
      this.open();
    });
    addEventListener("resize", () => {
      if (this.paused && !this.asking && !this.held) this.ask(0, 0);
    });
    addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { target } = event;
    const typing = target instanceof HTMLInputElement && target.type === "number";
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && target instanceof HTMLElement && target.matches("button, input, summary, select")) return;
    const faster = (/** @type {number} */ by) => {
      this.pace = PACES[Math.min(PACES.length - 1, Math.max(0, PACES.indexOf(this.pace) + by))];
      this.showValues();
    };
    /** @type {Record<string, () => unknown>} */
    const keys = {
      " ": () => this.pause(!this.paused),
      ".": () => this.step(),
      1: () => this.play("random"),
      2: () => this.play("script"),
      3: () => this.play("learning"),
      r: () => this.restart(),
      "+": () => faster(1),
      "=": () => faster(1),
      "-": () => faster(-1),
    };
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  }

  async start() {
    this.build();
    this.listen();
    this.showValues();
    const agents = await this.open();
    if (agents === 1) {
      this.boards = 9; // who plays alone is best watched beside others
      await this.open();
      this.showValues();
    }
    if (agents) await this.ask(0, 0);
    this.ready = true;
    const loop = (/** @type {number} */ now) => {
      if (!this.held) this.tick(now);
      requestAnimationFrame(loop);
    };
    requestAnimationFrame(loop);
  }

  // ---- For tests and for the console: `page`

  /** Stops the clock, and makes exactly so many steps of the boards and of the school. @param {number} steps @param {number} practise */
  async run(steps, practise = 0) {
    this.held = true;
    this.pause(true);
    while (this.asking) await new Promise((resolve) => setTimeout(resolve, 5));
    await this.ask(steps, 0, practise);
    return { means: this.means, reward: this.current?.reward, experience: this.current?.experience };
  }

  hash() {
    return this.link.ask({ ask: "hash" });
  }
}

/** Three digits that count. @param {number} value */
const digits = (value) =>
  Number.isNaN(value) ? "–" : fixed(value, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) + 0.01))));

/** What the page was made with, and what the link sets: checked when the boards are opened. @returns {Values} */
function given() {
  const own = JSON.parse(find("values").textContent ?? "{}");
  const link = [...new URLSearchParams(location.hash.slice(1))].map(([name, text]) => [name, Number(text || Number.NaN)]);
  return { ...own, ...Object.fromEntries(link) };
}

async function start() {
  const link = await Link.open(find("code").textContent ?? "", bytesOf("module"), Play.load);
  const { about } = await Play.load(link.module);
  const page = new EnvPage(link, about, given());
  Object.assign(globalThis, { page });
  await page.start();
}

if (typeof document === "undefined") beWorker(Play.load);
else
  start().catch((error) => {
    find("words").textContent = `This browser cannot run it: it needs WebAssembly with SIMD. (${error.message})`;
    throw error;
  });
