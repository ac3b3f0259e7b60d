// main.js - the page: it shows the flock and its numbers, and does what the viewer asks

import { Curve } from "./curve.js";
import { bytesOf, find, fixed, input, whole } from "./dom.js";
import { advantage, markFan, showFan, worth } from "./fan.js";
import { Film } from "./film.js";
import { Flight } from "./flight.js";
import { beWorker, Link } from "./link.js";
import { Machine } from "./machine.js";
import { readPolicy, writePolicy } from "./npz.js";
import { fromFragment, POINTERS, toFragment } from "./share.js";
import { Sky } from "./sky.js";

/** @typedef {import("./flight.js").Frame} Frame */
/** @typedef {import("./machine.js").Network} Network */
/** @typedef {import("./machine.js").Who} Who */
/** @typedef {import("./machine.js").Params} Params */
/** @typedef {import("./share.js").Choices} Choices */

/** What the named settings change of the parameters of boids.h. @type {Record<string, Params>} */
const SETTINGS = {
  school: {},
  mill: { cohesion_weight: 1, alignment_weight: -0.3, view_radius: 200, separation_radius: 12, flockmates: 60 },
  swarm: { cohesion_weight: 1, alignment_weight: -2, separation_weight: 1 },
};
/** The sliders of rewards: element, parameter. */
const REWARDS = /** @type {const} */ ([
  ["cohesion", "cohesion_weight"],
  ["align", "alignment_weight"],
  ["separation", "separation_weight"],
]);
/** What a link may set, and in which range. @type {Record<string, [number, number]>} */
const RANGES = {
  num_boids: [20, 100000],
  cohesion_weight: [0, 10],
  alignment_weight: [-10, 10],
  separation_weight: [0, 10],
};
const DEFAULTS = {
  cohesion_weight: 0.4,
  alignment_weight: 0.6,
  separation_weight: 1.5,
  speed: 4,
  view_radius: 100,
  separation_radius: 25,
};
const ROOM = 8000; // square world units for each boid
const FEWEST = 20;
const MOST_BOIDS = 30000; // of the slider
const AHEAD = 3; // frames that are computed before they are shown: a pause of the worker, which learns, is not seen
const STEPS_PER_SECOND = 60;
/** What is given up, one after the other, where frames take too long: device pixels to a CSS pixel, trails. */
const QUALITIES = [
  { ratio: 2, trails: true },
  { ratio: 1, trails: true },
  { ratio: 1, trails: false },
  { ratio: 0.6, trails: false },
];
const SLOW = 1 / 33; // seconds: a frame that takes longer is too slow

const KEYS = [
  ["space", "pause and go on"],
  [".", "one step"],
  ["1 2 3 4 5", "random, Reynolds, learned, learning, planner"],
  ["r", "restart"],
  ["p", "what the pointer does"],
  ["+ −", "faster, slower"],
  ["i", "look into a boid"],
  ["t", "trails"],
  ["s", "share"],
  ["h", "hide all but the flock"],
  ["f", "full screen"],
  ["?", "what this is"],
];

/** How many boids a value of the slider stands for, and back. @param {number} at */
const boidsAt = (at) => {
  const exact = FEWEST * (MOST_BOIDS / FEWEST) ** (at / 100);
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(exact)) - 1);
  return Math.round(exact / digits) * digits;
};
/** @param {number} boids */
const sliderOf = (boids) => Math.min(100, Math.round((100 * Math.log(boids / FEWEST)) / Math.log(MOST_BOIDS / FEWEST)));

/** With its sign, and without a leading 0. @param {number} value */
const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3).replace(/^0/, "")}`;

class Page {
  /** @param {Link<import("./flight.js").Question>} link @param {Machine} machine @param {Network} learned */
  constructor(link, machine, learned) {
    this.link = link;
    this.machine = machine; // of this thread: it flies nothing, and knows the names and the palette
    /** The network of "learned": ours, or the viewer's. */
    this.learned = learned;
    this.canvas = /** @type {HTMLCanvasElement} */ (find("sky"));
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    /** @type {Choices} */
    this.usual = {
      who: "learning",
      setting: "school",
      params: {},
      pace: 1,
      trails: this.calm ? 0 : 0.6,
      pointer: "scare",
      seed: 1,
    };
    /** @type {Choices} */
    this.choices = { ...this.usual, params: {} };
    /** @type {{ kind: number, x: number, y: number }} */
    this.guest = { kind: 0, x: 0.5, y: 0.5 };
    /** @type {Sky | Film | null} */
    this.drawing = null;
    this.quality = 0;
    this.pinned = false; // the quality stays
    this.slow = 0;
    this.paused = false;
    this.flocks = 0; // opened so far: answers about an earlier one are dropped
    /** @type {Frame[]} */
    this.queue = [];
    /** @type {Frame | null} */
    this.current = null;
    /** @type {ArrayBuffer[]} */
    this.spare = [];
    this.asked = 0; // frames on their way
    this.due = 0; // frames that should have been shown and were not
    this.last = 0;
    this.shown = 0; // frames drawn
    this.selected = -1;
    this.mood = "";
    /** The window's size that the world has the shape of. */
    this.seen = { width: 0, height: 0 };
    /** Whether the clock stands still: see run(). A test sets it before the page begins, as { held: true }. */
    this.held = !!(/** @type {any} */ (globalThis).flock?.held);
    this.ready = false;
    /** The network of "learned" that comes with the page. */
    this.ours = learned;
    this.curves = {
      reward: new Curve(/** @type {HTMLCanvasElement} */ (find("reward-curve")), [-0.2, 1]),
      alignment: new Curve(/** @type {HTMLCanvasElement} */ (find("alignment-curve")), [-0.1, 1]),
      polarization: new Curve(/** @type {HTMLCanvasElement} */ (find("polarization-curve")), [0, 1]),
      groups: new Curve(/** @type {HTMLCanvasElement} */ (find("groups-curve")), "from 0"),
    };
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.toasting = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resizing = undefined;
  }

  // ---- The flock

  get width() {
    return Math.max(1, this.canvas.clientWidth);
  }
  get height() {
    return Math.max(1, this.canvas.clientHeight);
  }

  /** So many boids that each has about as much of the screen as another. */
  get fittingBoids() {
    const fitting = (this.width * this.height) / 1100;
    return boidsAt(sliderOf(Math.min(1500, Math.max(200, fitting))));
  }

  /** The parameters of the flock, in a world of the shape of the window. @returns {Params} */
  get params() {
    /** @type {Params} */
    const own = { num_boids: this.fittingBoids, ...SETTINGS[this.choices.setting], ...this.choices.params };
    const shape = this.width / this.height;
    const side = Math.sqrt(own.num_boids * ROOM);
    const shorter = Math.max(side * Math.sqrt(Math.min(shape, 1 / shape)), 2.1 * (own.view_radius ?? DEFAULTS.view_radius));
    return { ...own, width: shorter * Math.max(1, shape), height: shorter * Math.max(1, 1 / shape) };
  }

  /** A parameter as it is set now. @param {keyof typeof DEFAULTS} name */
  param(name) {
    return this.params[name] ?? DEFAULTS[name];
  }

  /** Begins anew: random places, and where the flock learns, a fresh network. */
  async open() {
    this.forget();
    this.select(-1);
    const { who, seed } = this.choices;
    this.seen = { width: this.width, height: this.height };
    this.drawing?.clear();
    await this.ask({ ask: "open", params: this.params, seed, ...this.pilot(who) });
    this.showChoices();
    await this.refresh();
  }

  /** Who flies, with the network that is needed. @param {Who} who */
  pilot(who) {
    const npz = who === "planner" ? writePolicy(this.learned, this.machine.mirror(), {}) : null;
    return { who, network: who === "learned" ? this.learned : null, npz };
  }

  /** Lets another fly. @param {Who} who */
  async fly(who) {
    const before = this.choices.who;
    this.choices.who = who;
    if (who === "learning") {
      if (before === "learning") this.choices.seed++;
      return this.open();
    }
    this.forget();
    await this.ask({ ask: "who", seed: this.choices.seed, ...this.pilot(who) });
    this.showChoices();
    await this.refresh();
  }

  /** Shows the flock as it is, while the clock stands still. */
  async refresh() {
    if (!this.paused || this.held) return;
    await this.askFrame(0);
    let fresh = false;
    while (this.advance()) fresh = true;
    if (!fresh || !this.current) return;
    this.draw(0, true, 1);
    this.tell(this.current);
  }

  /** Drops the frames that were not shown, and the curves. */
  forget() {
    this.flocks++;
    this.queue = [];
    this.asked = 0;
    this.due = 1; // the first frame is shown as soon as it is there
    this.mood = "";
    for (const curve of Object.values(this.curves)) curve.clear();
  }

  /** @param {import("./flight.js").Question} question @returns {Promise<any>} */
  async ask(question) {
    try {
      return await this.link.ask(question);
    } catch (error) {
      this.pause(true);
      this.toast(String(error instanceof Error ? error.message : error));
      throw error;
    }
  }

  /** Asks for a frame of so many steps. @param {number} steps */
  async askFrame(steps) {
    const flock = this.flocks;
    this.asked++;
    /** @type {Frame} */
    const frame = await this.ask({
      ask: "frame",
      steps,
      guest: this.guest,
      inspect: this.selected,
      buffer: this.spare.pop() ?? null,
    });
    if (flock !== this.flocks) return; // of a flock that is gone
    this.asked--;
    this.queue.push(frame);
  }

  /** Steps of a frame, and frames a second. */
  get rhythm() {
    const steps = Math.max(1, Math.round(this.choices.pace));
    return { steps, frames: (STEPS_PER_SECOND * this.choices.pace) / steps };
  }

  /** Shows the next frame of the queue. */
  advance() {
    const next = this.queue.shift();
    if (!next) return false;
    if (this.current && this.spare.length < 2 * AHEAD) this.spare.push(this.current.buffer);
    this.current = next;
    for (const name of /** @type {const} */ (["reward", "alignment", "polarization", "groups"]))
      this.curves[name].push(next.numbers[name]);
    return true;
  }

  // ---- Frames of the screen

  /** @param {number} now milliseconds */
  tick(now) {
    const seconds = Math.min(0.1, Math.max(0, (now - this.last) / 1000));
    this.last = now;
    const { steps, frames } = this.rhythm;
    if (!this.paused) this.due += seconds * frames;
    let fresh = false;
    while (this.due >= 1 && this.advance()) {
      this.due--;
      fresh = true;
    }
    this.due = Math.min(this.due, 1); // who is late takes no shortcut later
    if (!this.paused) while (this.asked + this.queue.length < AHEAD) this.askFrame(steps).catch(() => {});
    if (this.current) this.draw(seconds, fresh, steps);
    this.judge(seconds);
  }

  /** @param {number} seconds @param {boolean} fresh @param {number} steps */
  draw(seconds, fresh, steps) {
    const frame = this.current;
    if (!frame || !this.drawing) return;
    const { params } = this;
    // a frame is where the boids will be when the next one is due; they are drawn on their way there
    const way = this.paused || steps > 1 ? 0 : (1 - this.due) * this.param("speed");
    const scale = this.width / params.width; // CSS pixels to a world unit
    const room = Math.sqrt((this.width * this.height) / frame.size);
    this.drawing.draw({
      frame,
      fresh,
      wayX: way / params.width,
      wayY: way / params.height,
      length: Math.min(2 * Math.sqrt(room), 1.15 * scale * this.param("separation_radius") + 2, 34),
      trails: QUALITIES[this.quality].trails ? this.choices.trails : 0,
      seconds: this.paused && !fresh ? 0 : seconds,
    });
    this.mark(frame, way, scale);
    if (fresh || this.shown === 0) this.tell(frame);
    this.shown++;
  }

  /** Gives up quality where frames take too long. @param {number} seconds */
  judge(seconds) {
    if (this.pinned || this.paused || !this.current) return;
    this.slow = Math.max(0, this.slow + (seconds > SLOW ? 1 : -0.5));
    if (this.slow < 30) return;
    this.slow = 0;
    if (this.quality + 1 < QUALITIES.length) {
      this.quality++;
      this.fit();
    } else if (this.drawing instanceof Sky) {
      this.useFilm(); // a processor that plays the graphics card is slower than pixels from C
    }
  }

  /** Draws in the size of the window. */
  fit() {
    const ratio = Math.min(globalThis.devicePixelRatio || 1, QUALITIES[this.quality].ratio);
    this.drawing?.resize(this.width, this.height, ratio);
  }

  async useFilm() {
    this.drawing = null;
    const canvas = /** @type {HTMLCanvasElement} */ (this.canvas.cloneNode()); // a canvas keeps its first kind of context
    this.canvas.replaceWith(canvas);
    this.canvas = canvas;
    this.listenToCanvas();
    this.drawing = await Film.open(canvas, this.link.module);
    this.quality = 0;
    this.pinned = true;
    this.fit();
  }

  /** The window has another size: the same boids fly on in a world of its shape. */
  resized() {
    this.fit();
    clearTimeout(this.resizing);
    this.resizing = setTimeout(async () => {
      if (this.seen.width === this.width && this.seen.height === this.height) return;
      this.seen = { width: this.width, height: this.height };
      const size = this.current?.size;
      if (size) this.choices.params.num_boids ??= size; // not as many as would fit now
      await this.ask({ ask: "change", params: this.params });
      await this.refresh();
    }, 120);
  }

  // ---- What is written beside the flock

  /** Marks on the picture. @param {Frame} frame @param {number} way @param {number} scale */
  mark(frame, way, scale) {
    const guest = find("guest");
    const { kind, x, y } = this.guest;
    guest.style.display = kind ? "block" : "none";
    guest.className = kind === 2 ? "scare" : "";
    guest.style.transform = `translate(${x * this.width}px, ${(1 - y) * this.height}px)`;
    const seen = this.selected >= 0 && this.selected < frame.size;
    for (const id of ["ring", "sight", "paths"]) find(id).style.display = seen ? "block" : "none";
    if (!seen) return;
    const view = new DataView(frame.buffer);
    const angle = (view.getUint16(8 * frame.size + 2 * this.selected, true) * Math.PI) / 32768;
    const at = (/** @type {number} */ k, /** @type {number} */ behind) => {
      const place = view.getUint32(4 * (k * frame.size + this.selected), true) / 2 ** 32 - behind;
      return place - Math.floor(place);
    };
    const left = at(0, (way * Math.cos(angle)) / this.params.width) * this.width;
    const top = (1 - at(1, (way * Math.sin(angle)) / this.params.height)) * this.height;
    const radius = this.param("view_radius") * scale;
    find("ring").style.transform = `translate(${left}px, ${top}px)`;
    markFan(find("paths"), frame.inside?.futures ?? null, { width: this.width, height: this.height, scale });
    Object.assign(find("sight").style, {
      width: `${2 * radius}px`,
      height: `${2 * radius}px`,
      transform: `translate(${left - radius}px, ${top - radius}px)`,
    });
  }

  /** The numbers, a few times a second. @param {Frame} frame */
  tell(frame) {
    if (!this.paused && this.shown % 8 !== 0) return;
    const { numbers } = frame;
    for (const name of /** @type {const} */ (["reward", "alignment", "polarization"]))
      find(name).textContent = fixed(numbers[name], 2);
    find("groups").textContent = whole(numbers.groups);
    this.curves.reward.draw("#ffb45a");
    for (const name of /** @type {const} */ (["alignment", "polarization", "groups"])) this.curves[name].draw("#63e0cd");
    find("words").innerHTML = this.story(frame);
    find("since").textContent = this.choices.who === "learning" ? "· learning curve" : "";
    if (frame.inside && this.selected >= 0) this.showInside(frame.inside);
  }

  /** What happens, in a sentence. @param {Frame} frame */
  story({ size, numbers }) {
    const { who } = this.choices;
    const boids = `<b>${whole(size)}</b> boids`;
    const { alignment } = numbers;
    if (who === "random") return `${boids} turn at random. This is where learning begins.`;
    if (who === "reynolds") return `${boids} keep to three rules that Craig Reynolds wrote by hand in 1987.`;
    if (who === "learned") return `${boids} share one small network that has learned before, by reward alone.`;
    if (who === "planner")
      return `Each of ${boids} imagines its five turns, five steps ahead, and takes the one that earns most.`;
    const seconds = Math.floor(numbers.steps / STEPS_PER_SECOND);
    const school = this.choices.setting === "school";
    const stage =
      numbers.steps < 20 || (school && alignment < 0.25)
        ? "noise: no turn is better than another yet"
        : !school
          ? "they find out what is rewarded here"
          : alignment < 0.75
            ? "they begin to turn together"
            : alignment < 0.93
              ? "flocks form"
              : "a flock, and finer every second";
    this.say(stage);
    const thousand = numbers.experience / 1000;
    const experience = thousand < 1000 ? `${Math.round(thousand)}k` : `${(thousand / 1000).toFixed(1)}M`;
    const out = size > 2000 ? ` 1,000 more learn for all of them, out of sight.` : "";
    return `${boids} share one small network, and learn by reward alone.${out} <b>${experience}</b> experiences, <b>${seconds} s</b> of flight: ${stage}.`;
  }

  /** Tells a screen reader when the story changes. @param {string} stage */
  say(stage) {
    if (stage === this.mood) return;
    this.mood = stage;
    find("aloud").textContent = `The flock learns: ${stage}.`;
  }

  /** @param {string} text */
  toast(text) {
    const toast = find("toast");
    toast.textContent = text;
    toast.classList.add("shown");
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => toast.classList.remove("shown"), 4000);
  }

  // ---- A boid from inside

  /** @param {number} boid -1: none */
  select(boid) {
    this.selected = boid;
    find("inside").hidden = boid < 0;
    if (boid >= 0) find("inside-title").textContent = `Boid ${whole(boid)}`;
    if (boid >= 0) this.refresh().catch(() => {}); // who asked has been told
  }

  /** The boid nearest to a place of the window. @param {number} x CSS pixels @param {number} y */
  async selectAt(x, y) {
    const boid = await this.ask({ ask: "nearest", x: x / this.width, y: 1 - y / this.height });
    this.select(boid === this.selected ? -1 : boid);
  }

  /** @param {import("./machine.js").Inside} inside */
  showInside(inside) {
    const names = this.machine.observationNames;
    const list = find("observation");
    if (list.childElementCount === 0) {
      list.innerHTML = names
        .map((name) => `<dt>${name.replaceAll("_", " ")}</dt><dd class="bar"><i></i></dd><dd></dd>`)
        .join("");
      find("turns").innerHTML = [-2, -1, 0, 1, 2]
        .map((turn) => {
          const end = `${10 + 7 * Math.sin(0.55 * turn)} ${17 - 12 * Math.cos(0.55 * turn)}`;
          return `<span><i></i><em></em><svg viewBox="0 0 20 18"><path d="M10 17Q10 ${turn ? 9 : 12} ${end}"/><circle cx="${end.split(" ")[0]}" cy="${end.split(" ")[1]}" r="1.6" fill="currentColor"/></svg></span>`;
        })
        .join("");
    }
    inside.observation.forEach((value, k) => {
      const bar = /** @type {HTMLElement} */ (list.children[3 * k + 1].firstElementChild);
      bar.className = value < 0 ? "minus" : "";
      Object.assign(bar.style, { left: `${50 + 50 * Math.min(0, value)}%`, width: `${50 * Math.abs(value)}%` });
      list.children[3 * k + 2].textContent = fixed(value, 2);
    });
    const { probabilities, action, futures } = inside;
    const titles = { network: "Its network answers", planner: "It imagines five steps (sideways × 3)", none: "It turns" };
    find("turns-title").textContent = titles[probabilities ? "network" : futures ? "planner" : "none"];
    showFan(find("fan"), futures, action);
    const words = ["hard left", "left", "straight", "right", "hard right"];
    const answers = words.map((_, k) => {
      if (probabilities) return { share: probabilities[k], text: `${Math.round(100 * probabilities[k])}%` };
      if (futures) return { share: 0.06 + 0.94 * worth(futures, k), text: signed(advantage(futures, k)) };
      return { share: Number(k === action), text: "" };
    });
    Array.from(find("turns").children).forEach((turn, k) => {
      turn.classList.toggle("taken", k === action);
      /** @type {HTMLElement} */ (turn.children[0]).style.height = `${100 * answers[k].share}%`;
      turn.children[1].textContent = answers[k].text;
    });
    const spoken = words.map((word, k) => `${word} ${answers[k].text}`).join(", ");
    find("turns").setAttribute("aria-label", probabilities || futures ? spoken : words[action]);
    const value = this.choices.who === "learning" ? ` It expects ${fixed(inside.value, 1)} more, now counting most.` : "";
    find("inside-words").textContent = `Last it went ${words[action] ?? ""} and earned ${fixed(inside.reward, 2)}.${value}`;
  }

  // ---- The controls

  /** Writes the choices into the controls. */
  showChoices() {
    const { choices } = this;
    for (const name of /** @type {const} */ (["who", "setting", "pointer"])) {
      const radio = document.querySelector(`input[name=${name}][value=${choices[name]}]`);
      if (radio instanceof HTMLInputElement) radio.checked = true;
    }
    for (const [id, name] of REWARDS) input(id).value = String(this.param(name));
    input("boids").value = String(sliderOf(this.params.num_boids));
    input("pace").value = String(Math.log2(choices.pace));
    input("trails").value = String(choices.trails);
    this.showSliders();
    find("save").toggleAttribute("disabled", choices.who !== "learning" && choices.who !== "learned");
  }

  /** Writes the values of the sliders beside them. */
  showSliders() {
    const pace = 2 ** Number(input("pace").value);
    const boids = Number(input("boids").value);
    /** @type {Record<string, string>} */
    const texts = {
      boids: whole(boids === sliderOf(this.params.num_boids) ? this.params.num_boids : boidsAt(boids)),
      pace: `${pace < 1 ? pace.toFixed(2) : pace.toFixed(1).replace(".0", "")}×`,
      trails: Number(input("trails").value).toFixed(2),
    };
    for (const [id] of REWARDS) texts[id] = Number(input(id).value).toFixed(2);
    for (const [id, text] of Object.entries(texts)) {
      const slider = input(id);
      const output = document.querySelector(`output[for=${id}]`);
      if (output) output.textContent = text;
      slider.setAttribute("aria-valuetext", text);
      const share = (Number(slider.value) - Number(slider.min)) / (Number(slider.max) - Number(slider.min));
      slider.style.setProperty("--at", `${100 * share}%`);
    }
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.paused = paused;
    const button = find("pause");
    button.textContent = paused ? "Go on" : "Pause";
    button.setAttribute("aria-pressed", String(paused));
  }

  /** Makes one step and stops. */
  async step() {
    this.pause(true);
    if (this.queue.length === 0) await this.askFrame(1);
    if (this.advance() && this.current) this.draw(1 / STEPS_PER_SECOND, true, 1);
  }

  async restart() {
    this.choices.seed++;
    this.toast(this.choices.who === "learning" ? "A fresh network begins to learn." : "A new flock, at random places.");
    await this.open();
  }

  /** A reward was moved: the flock learns anew. */
  async rewarded() {
    for (const [id, name] of REWARDS) this.choices.params[name] = Number(input(id).value);
    await this.learnAnew("Another reward: learning starts anew.");
  }

  /** @param {string} words */
  async learnAnew(words) {
    this.choices.who = "learning";
    this.choices.seed++;
    this.toast(words);
    await this.open();
  }

  /** The network that flies now. @returns {Promise<Network | null>} */
  async network() {
    const { who } = this.choices;
    return who === "learning" || who === "learned" ? this.ask({ ask: "network", who }) : null;
  }

  async save() {
    const network = await this.network();
    if (!network) return this.toast("Only a network can be saved: let Learned or Learning fly.");
    const steps = Math.round(this.current?.numbers.experience ?? 0);
    const file = writePolicy(network, this.machine.mirror(), {
      parameters: {
        ...SETTINGS[this.choices.setting],
        ...this.choices.params,
        num_boids: 64,
        action: "discrete",
        observation: "rules",
      },
      agent_steps: steps,
    });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file], { type: "application/octet-stream" }));
    link.download = "policy.npz";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    return this.toast("policy.npz is saved. In a terminal: boids watch policy.npz");
  }

  /** Lets a file of the viewer's fly. @param {File} file */
  async load(file) {
    try {
      this.learned = await readPolicy(await file.arrayBuffer());
    } catch (error) {
      return this.toast(`${file.name}: ${error instanceof Error ? error.message : error}`);
    }
    await this.fly("learned");
    return this.toast(`${file.name} flies.`);
  }

  /** The link to this flock. @param {boolean} withNetwork */
  async linkTo(withNetwork) {
    const choices = { ...this.choices, params: { ...this.choices.params } };
    let network = withNetwork ? await this.network() : null;
    if (network) choices.who = "learned";
    if (choices.who !== "learned") network = null;
    const fragment = toFragment(choices, { ...this.usual }, network);
    // in a notebook the page is a document without an address of its own
    const here = location.protocol === "about:" ? "" : location.href.replace(/#.*/, "");
    return `${here}#${fragment}`;
  }

  async share() {
    const dialog = /** @type {HTMLDialogElement} */ (find("sharing"));
    const box = input("with-network");
    box.disabled = this.choices.who !== "learning" && this.choices.who !== "learned";
    box.checked = !box.disabled && this.choices.who === "learned" && this.learned !== this.ours;
    input("link").value = await this.linkTo(box.checked);
    dialog.showModal();
    input("link").select();
  }

  // ---- Listening

  listen() {
    /** @param {string} id @param {() => unknown} act */
    const press = (id, act) => find(id).addEventListener("click", act);
    press("pause", () => this.pause(!this.paused));
    press("step", () => this.step());
    press("restart", () => this.restart());
    press("share", () => this.share());
    press("save", () => this.save());
    press("load", () => input("file").click());
    press("inside-close", () => this.select(-1));
    press("how-open", () => this.explain());
    press("sheet", () => {
      const sheet = find("sheet");
      sheet.setAttribute("aria-expanded", String(sheet.getAttribute("aria-expanded") !== "true"));
    });
    press("copy", async () => {
      input("link").select();
      try {
        await navigator.clipboard.writeText(input("link").value);
        find("copy").textContent = "Copied";
      } catch {
        find("copy").textContent = "Press Ctrl+C"; // a page from a file may not write there
      }
      setTimeout(() => {
        find("copy").textContent = "Copy the link";
      }, 2000);
    });
    input("with-network").addEventListener("change", async () => {
      input("link").value = await this.linkTo(input("with-network").checked);
    });
    input("file").addEventListener("change", () => {
      const file = input("file").files?.[0];
      if (file) this.load(file);
      input("file").value = "";
    });
    for (const radio of document.querySelectorAll("input[type=radio]"))
      radio.addEventListener("change", () => this.chosen(/** @type {HTMLInputElement} */ (radio)));
    for (const slider of document.querySelectorAll("input[type=range]"))
      slider.addEventListener("input", () => this.moved(/** @type {HTMLInputElement} */ (slider)));
    for (const [id] of REWARDS) input(id).addEventListener("change", () => this.rewarded());
    input("boids").addEventListener("change", () => {
      this.choices.params.num_boids = boidsAt(Number(input("boids").value));
      this.open();
    });
    addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resized()).observe(document.body);
    addEventListener("dragover", (event) => {
      event.preventDefault();
      document.body.classList.add("drop");
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) document.body.classList.remove("drop");
    });
    addEventListener("drop", (event) => {
      event.preventDefault();
      document.body.classList.remove("drop");
      const file = event.dataTransfer?.files[0];
      if (file) this.load(file);
    });
    addEventListener("hashchange", () => this.restore());
    this.listenToCanvas();
  }

  listenToCanvas() {
    const { canvas } = this;
    let from = { x: 0, y: 0, time: 0 };
    /** @param {PointerEvent} event */
    const move = (event) => {
      const kind = POINTERS.indexOf(this.choices.pointer);
      this.guest = { kind, x: event.clientX / this.width, y: 1 - event.clientY / this.height };
    };
    const leave = () => {
      this.guest = { ...this.guest, kind: 0 };
    };
    canvas.addEventListener("pointerdown", (event) => {
      from = { x: event.clientX, y: event.clientY, time: event.timeStamp };
      move(event);
    });
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", (event) => {
      if (event.pointerType !== "mouse") leave();
      const far = Math.hypot(event.clientX - from.x, event.clientY - from.y);
      if (far < 8 && event.timeStamp - from.time < 400) this.selectAt(event.clientX, event.clientY).catch(() => {});
    });
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("pointercancel", leave);
  }

  /** @param {HTMLInputElement} radio */
  chosen(radio) {
    const { value } = radio;
    if (radio.name === "who") {
      this.fly(/** @type {Who} */ (value)).catch(() => {});
    } else if (radio.name === "pointer") {
      this.choices.pointer = /** @type {Choices["pointer"]} */ (value);
    } else {
      this.choices.setting = value;
      for (const [, name] of REWARDS) delete this.choices.params[name];
      this.learnAnew(`${radio.nextElementSibling?.textContent}: learning starts anew.`);
    }
  }

  /** @param {HTMLInputElement} slider */
  moved(slider) {
    if (slider.id === "pace") this.choices.pace = 2 ** Number(slider.value);
    if (slider.id === "trails") this.choices.trails = Number(slider.value);
    this.showSliders();
  }

  /** Moves a slider by its steps, as the viewer would. @param {string} id @param {number} by */
  nudge(id, by) {
    const slider = input(id);
    slider.valueAsNumber += by * Number(slider.step);
    this.moved(slider);
  }

  explain() {
    const list = find("all-keys");
    list.innerHTML = KEYS.map(([key, what]) => `<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`).join("");
    /** @type {HTMLDialogElement} */ (find("how")).showModal();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { target } = event;
    const typing = target instanceof HTMLInputElement && !["radio", "range", "checkbox"].includes(target.type);
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === " " && target instanceof HTMLElement && target.matches("button, input")) return; // it presses that one
    /** @type {Record<string, () => unknown>} */
    const keys = {
      " ": () => this.pause(!this.paused),
      ".": () => this.step(),
      1: () => this.fly("random"),
      2: () => this.fly("reynolds"),
      3: () => this.fly("learned"),
      5: () => this.fly("planner"),
      4: () => this.fly("learning"),
      r: () => this.restart(),
      p: () => {
        const next = POINTERS[(POINTERS.indexOf(this.choices.pointer) + 1) % POINTERS.length];
        this.choices.pointer = next;
        this.guest.kind = this.guest.kind ? POINTERS.indexOf(next) : 0;
        this.showChoices();
        this.toast(`The pointer: ${next === "nothing" ? "does nothing" : `${next}s`}.`);
      },
      "+": () => this.nudge("pace", 1),
      "=": () => this.nudge("pace", 1),
      "-": () => this.nudge("pace", -1),
      i: () => this.select(this.selected < 0 ? 0 : (this.selected + 1) % (this.current?.size ?? 1)),
      Escape: () => this.select(-1),
      t: () => {
        this.choices.trails = this.choices.trails ? 0 : 0.6;
        this.showChoices();
      },
      s: () => this.share(),
      h: () => document.body.classList.toggle("bare"),
      f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
      "?": () => this.explain(),
    };
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!act) return;
    event.preventDefault();
    Promise.resolve(act()).catch(() => {}); // who asked has been told
  }

  // ---- Beginning

  /** Takes over what the link says. */
  async restore() {
    try {
      const { choices, network } = fromFragment(location.hash, this.usual, Object.keys(SETTINGS), RANGES);
      this.choices = choices;
      if (network) {
        this.learned = network;
        this.choices.who = "learned";
      }
    } catch (error) {
      this.toast(`This link: ${error instanceof Error ? error.message : error}`);
    }
    await this.open();
  }

  async start() {
    const [mean, cos, sin] = [0, 1, 2].map((k) => [0, 1, 2].map((row) => this.machine.palette()[3 * row + k]));
    const colours = Array.from({ length: 13 }, (_, k) => {
      const turn = (k / 12) * 2 * Math.PI; // clockwise from the top, as CSS counts
      return `rgb(${mean.map((value, rgb) => Math.round(value + cos[rgb] * Math.sin(turn) + sin[rgb] * Math.cos(turn))).join(" ")})`;
    });
    find("compass").style.background = `conic-gradient(${colours.join(", ")})`;
    const opened = this.restore(); // in the worker, while the shaders are compiled
    const first = this.askFrame(0);
    const wanted = new URLSearchParams(location.hash.slice(1)).get("draw");
    this.drawing = wanted === "canvas" ? null : Sky.open(this.canvas, this.machine.palette());
    this.listen();
    if (this.drawing) this.fit();
    else await this.useFilm();
    if (this.calm) {
      this.pause(true);
      this.toast("Paused, because your system asks for less motion. Press Go on to see the flock learn.");
    }
    await Promise.all([opened, first]);
    if (this.calm) await this.step();
    this.ready = true;
    const loop = (/** @type {number} */ now) => {
      if (!this.held) this.tick(now);
      requestAnimationFrame(loop);
    };
    requestAnimationFrame(loop);
  }

  // ---- For tests and for the console: `flock`

  /** Stops the clock, makes exactly so many steps, and draws the last ones. @param {number} steps @param {number} drawn */
  async run(steps, drawn = 1) {
    this.held = true;
    this.pause(true);
    while (this.asked > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    while (this.advance());
    for (let k = 0; k < steps; k++) {
      await this.askFrame(1);
      this.advance();
      if (this.current && k >= steps - drawn) this.draw(1 / STEPS_PER_SECOND, true, 1);
    }
    if (this.current) this.tell(this.current);
    return this.current?.numbers;
  }

  /** Goes on by the clock. */
  go() {
    this.held = false;
    this.pause(false);
  }

  hash() {
    return this.ask({ ask: "hash" });
  }
}

async function start() {
  const opening = Link.open(find("code").textContent ?? "", bytesOf("module"), Flight.open);
  const [link, learned] = await Promise.all([opening, readPolicy(bytesOf("learned").buffer)]);
  const page = new Page(link, await Machine.load(link.module), learned);
  Object.assign(globalThis, { flock: page });
  await page.start();
}

if (typeof document === "undefined") beWorker(Flight.open);
else
  start().catch((error) => {
    find("words").textContent = `This browser cannot show the flock: it needs WebAssembly with SIMD. (${error.message})`;
    throw error;
  });
