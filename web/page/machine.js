// machine.js - the WebAssembly module of web/page.c as an object. It runs in the page, in a worker and in node.

import { instantiate, Module } from "./module.js";

/** Who flies, by the numbers of page.c. */
export const WHO = /** @type {const} */ (["random", "reynolds", "learned", "learning", "planner"]);
/** @typedef {(typeof WHO)[number]} Who */

/**
 * A layer of a network: weights (outputs x inputs), row by row, and then biases (outputs).
 * @typedef {{ inputs: number, outputs: number, numbers: Float32Array }} Layer
 */
/** @typedef {{ layers: Layer[], mirror: boolean }} Network */
/** @typedef {Record<string, number>} Params Parameters of boids.h, by name. */
/** @typedef {Record<string, number>} Numbers The numbers of PAGE_NUMBERS, by name. */

/**
 * What a planner imagined for a boid. x, y, heading: of the boid then, as fractions of the world and of a full turn. earned: the mean sum of
 * rewards after each turn. paths: where it is after each step, ahead and to the left, in world units; path p begins with turn p % 5.
 * @typedef {{ x: number, y: number, heading: number, earned: number[], paths: [number, number][][] }} Futures
 */
/**
 * What a boid sees, earned and does; with a network also the probabilities of the five turns, and the value.
 * @typedef {{ observation: number[], reward: number, action: number, probabilities: number[] | null, value: number, futures: Futures | null }} Inside
 */

export const TURNS = 5;

export class Machine extends Module {
  /** @param {WebAssembly.Module} module */
  static async load(module) {
    return new Machine(await instantiate(module));
  }

  /** @param {WebAssembly.Exports} exported */
  constructor(exported) {
    super(exported);
    this.c.page_defaults();
    this.paramNames = this.names(this.c.page_param_name);
    this.numberNames = this.names(this.c.page_number_name);
    this.observationNames = this.names(this.c.page_observation_name);
  }

  /** Sets parameters for the next open() or change(); those that are not named get their defaults. @param {Params} params */
  set(params) {
    this.c.page_defaults();
    for (const [name, value] of Object.entries(params)) {
      const k = this.paramNames.indexOf(name);
      if (k < 0) throw new Error(`${name}: no such parameter`);
      this.c.page_set_param(k, value);
    }
  }

  /** A new flock at random places. @param {Params} params @param {number} seed */
  open(params, seed) {
    this.set(params);
    this.check(this.c.page_open(seed));
  }

  /** The same boids with other parameters. @param {Params} params */
  change(params) {
    this.set(params);
    this.check(this.c.page_change());
  }

  /** A fresh network that learns. @param {number} seed */
  learn(seed) {
    this.check(this.c.page_learn(seed));
  }

  /** @param {Who} who */
  step(who) {
    this.check(this.c.page_step(WHO.indexOf(who)));
  }

  /** Learns from the steps, when there are enough of them. */
  improve() {
    this.check(this.c.page_improve());
  }

  get size() {
    return this.c.page_num_boids();
  }

  /** The three arrays that a picture needs, as bytes: x and y (4 a boid), heading (2). */
  get parts() {
    const { buffer } = this.memory;
    return [
      new Uint8Array(buffer, this.c.page_x(), 4 * this.size),
      new Uint8Array(buffer, this.c.page_y(), 4 * this.size),
      new Uint8Array(buffer, this.c.page_heading(), 2 * this.size),
    ];
  }

  /** @returns {Numbers} */
  numbers() {
    const values = new Float64Array(this.memory.buffer, this.c.page_numbers(), this.numberNames.length);
    return Object.fromEntries(this.numberNames.map((name, k) => [name, values[k]]));
  }

  /** @param {Who} who @param {number} boid @returns {Inside} */
  inspect(who, boid) {
    const size = this.observationNames.length;
    const at = this.c.page_inspect(WHO.indexOf(who), boid);
    const all = Array.from(new Float32Array(this.memory.buffer, at, size + 3 + TURNS + 1));
    return {
      observation: all.slice(0, size),
      reward: all[size],
      action: all[size + 1],
      probabilities: all[size + 2] ? all.slice(size + 3, size + 3 + TURNS) : null,
      value: all[size + 3 + TURNS],
      futures: who === "planner" ? this.futures() : null,
    };
  }

  /** @returns {Futures | null} */
  futures() {
    const at = this.c.page_futures();
    const [known, count, steps, x, y, heading, ...earned] = new Float32Array(this.memory.buffer, at, 6 + TURNS);
    if (!known) return null;
    const places = new Float32Array(this.memory.buffer, at + 4 * (6 + TURNS), 2 * count * steps);
    const paths = Array.from({ length: count }, (_, p) =>
      Array.from({ length: steps }, (_, t) => {
        const k = 2 * (p * steps + t);
        return /** @type {[number, number]} */ ([places[k], places[k + 1]]);
      }),
    );
    return { x, y, heading, earned, paths };
  }

  /** The network that learns, or the one that was given. @param {Who} who @returns {Network | null} */
  network(who) {
    const number = WHO.indexOf(who);
    const depth = this.c.page_num_layers(number);
    if (!depth) return null;
    const layers = Array.from({ length: depth }, (_, k) => {
      const inputs = this.c.page_inputs(number, k);
      const outputs = this.c.page_outputs(number, k);
      return this.borrow((inputs + 1) * outputs, (at, numbers) => {
        this.c.page_get_layer(number, k, at);
        return { inputs, outputs, numbers: numbers().slice() };
      });
    });
    return { layers, mirror: !!this.c.page_has_mirror(number) };
  }

  /** Gives `learned` a network. @param {Network} network */
  fly({ layers, mirror }) {
    const width = layers.length > 1 ? layers[0].outputs : 1;
    this.check(this.c.page_open_pilot(layers.length - 1, width, Number(mirror)));
    layers.forEach((layer, k) => {
      this.borrow(layer.numbers.length, (at, numbers) => {
        numbers().set(layer.numbers);
        this.c.page_set_layer(k, at);
      });
    });
  }

  /** A planner whose imagined flights a policy flies. @param {Uint8Array} npz the bytes of a policy.npz */
  plan(npz) {
    const at = this.c.page_allocate(npz.length);
    if (!at) throw new Error("out of memory");
    new Uint8Array(this.memory.buffer, at, npz.length).set(npz);
    const message = this.c.page_plan(at, npz.length);
    this.c.page_free(at);
    this.check(message);
  }

  /**
   * Memory for `count` floats while `use` runs.
   * @template T
   * @param {number} count
   * @param {(at: number, numbers: () => Float32Array) => T} use
   */
  borrow(count, use) {
    const at = this.c.page_allocate(4 * count);
    if (!at) throw new Error("out of memory");
    const result = use(at, () => new Float32Array(this.memory.buffer, at, count));
    this.c.page_free(at);
    return result;
  }

  /** The mirror of observations and of turns, each (2 x elements): where an element comes from, then its sign. */
  mirror() {
    const size = 2 * this.observationNames.length;
    const all = new Float32Array(this.memory.buffer, this.c.page_mirror(), size + 2 * TURNS).slice();
    return { observation: all.slice(0, size), action: all.slice(size) };
  }

  /** Red, green and blue: each the mean, its factor of the cosine and that of the sine of a heading. */
  palette() {
    return Array.from(new Float32Array(this.memory.buffer, this.c.page_palette(), 9));
  }
}
