// flight.js - the flock in flight: it answers the questions of the page. See link.js

import { Machine } from "./machine.js";

/** @typedef {import("./machine.js").Who} Who */
/** @typedef {import("./machine.js").Params} Params */
/** @typedef {import("./machine.js").Network} Network */
/** @typedef {import("./machine.js").Numbers} Numbers */
/** @typedef {import("./machine.js").Inside} Inside */

/** kind 0: nobody, 1: a friend, 2: a foe; x, y from 0 to 1, y up. @typedef {{ kind: number, x: number, y: number }} Guest */

/**
 * @typedef {{ ask: "open", params: Params, who: Who, seed: number, network: Network | null, npz: Uint8Array | null }
 *   | { ask: "change", params: Params }
 *   | { ask: "who", who: Who, seed: number, network: Network | null, npz: Uint8Array | null }
 *   | { ask: "frame", steps: number, guest: Guest, inspect: number, buffer: ArrayBuffer | null }
 *   | { ask: "nearest", x: number, y: number }
 *   | { ask: "network", who: Who }
 *   | { ask: "hash" }} Question
 */
/**
 * A picture of the flock. buffer: the bytes of all x, all y and all headings.
 * @typedef {{ size: number, buffer: ArrayBuffer, numbers: Numbers, inside: Inside | null }} Frame
 */
const GROUPS_EVERY = 15; // frames

export class Flight {
  /** @param {WebAssembly.Module} module */
  static async open(module) {
    return new Flight(await Machine.load(module));
  }

  /** @param {Machine} machine */
  constructor(machine) {
    this.machine = machine;
    /** @type {Who} */
    this.who = "random";
    this.frames = 0;
    /** @type {Uint8Array | null} */
    this.npz = null; // of the planner's policy
    /** @type {unknown} */
    this.trouble = null;
  }

  /** @param {Question} question @returns {unknown} */
  answer(question) {
    const { machine } = this;
    switch (question.ask) {
      case "open":
        this.who = question.who;
        this.frames = 0;
        this.trouble = null;
        machine.open(question.params, question.seed);
        return this.begin(question);
      case "who":
        this.who = question.who;
        this.trouble = null;
        return this.begin(question);
      case "change":
        machine.change(question.params);
        if (this.npz) machine.plan(this.npz);
        return null;
      case "frame":
        if (this.trouble) throw this.trouble;
        machine.c.page_watch(question.inspect);
        machine.c.page_guest(question.guest.kind, question.guest.x, question.guest.y);
        for (let k = 0; k < question.steps; k++) {
          if (k > 0) machine.improve(); // after the last step: see afterwards()
          machine.step(this.who);
        }
        return this.frame(question.inspect, question.buffer);
      case "nearest":
        return machine.c.page_nearest(question.x, question.y);
      case "network":
        return machine.network(question.who);
      case "hash":
        return machine.hash();
    }
  }

  /** What takes longer, and is done when the answer is on its way. @param {Question} question */
  afterwards(question) {
    try {
      if (question.ask === "frame") this.machine.improve();
    } catch (error) {
      this.trouble = error;
    }
  }

  /** npz: the policy of a planner. @param {{ seed: number, network: Network | null, npz: Uint8Array | null }} question */
  begin({ seed, network, npz }) {
    if (this.who === "learning") this.machine.learn(seed);
    else this.machine.c.page_stop_learning();
    if (network) this.machine.fly(network);
    this.npz = npz;
    if (npz) this.machine.plan(npz);
    return null;
  }

  /** @param {number} inspect a boid, or -1 @param {ArrayBuffer | null} buffer to write to, if its size fits @returns {Frame} */
  frame(inspect, buffer) {
    const { machine } = this;
    const { size } = machine;
    if (this.frames++ % GROUPS_EVERY === 0) machine.c.page_count_groups();
    const bytes = buffer && buffer.byteLength === 10 * size ? buffer : new ArrayBuffer(10 * size);
    const to = new Uint8Array(bytes);
    let at = 0;
    for (const part of machine.parts) {
      to.set(part, at);
      at += part.length;
    }
    const inside = inspect >= 0 && inspect < size ? machine.inspect(this.who, inspect) : null;
    return { size, buffer: bytes, numbers: machine.numbers(), inside };
  }
}
