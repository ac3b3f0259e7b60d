// flight.js - the flock in flight: it answers questions. It runs in a worker; where there is none, in the page itself.

import { Machine } from "./machine.js";
import { inflate } from "./npz.js";

/** @typedef {import("./machine.js").Who} Who */
/** @typedef {import("./machine.js").Params} Params */
/** @typedef {import("./machine.js").Network} Network */
/** @typedef {import("./machine.js").Numbers} Numbers */
/** @typedef {import("./machine.js").Inside} Inside */

/** kind 0: nobody, 1: a friend, 2: a foe; x, y from 0 to 1, y up. @typedef {{ kind: number, x: number, y: number }} Guest */

/**
 * @typedef {{ ask: "open", params: Params, who: Who, seed: number, network: Network | null }
 *   | { ask: "change", params: Params }
 *   | { ask: "who", who: Who, seed: number, network: Network | null }
 *   | { ask: "frame", steps: number, guest: Guest, inspect: number, buffer: ArrayBuffer | null }
 *   | { ask: "nearest", x: number, y: number }
 *   | { ask: "network", who: Who }
 *   | { ask: "hash" }} Question
 */
/**
 * A picture of the flock. buffer: the bytes of all x, all y and all headings.
 * @typedef {{ size: number, buffer: ArrayBuffer, numbers: Numbers, inside: Inside | null }} Frame
 */
/** @typedef {{ number: number, answer?: unknown, error?: string }} Answer */

const GROUPS_EVERY = 15; // frames

export class Flight {
  /** @param {Machine} machine */
  constructor(machine) {
    this.machine = machine;
    /** @type {Who} */
    this.who = "random";
    this.frames = 0;
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
        return this.begin(question.seed, question.network);
      case "who":
        this.who = question.who;
        this.trouble = null;
        return this.begin(question.seed, question.network);
      case "change":
        return machine.change(question.params);
      case "frame":
        if (this.trouble) throw this.trouble;
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

  /** @param {number} seed @param {Network | null} network */
  begin(seed, network) {
    if (this.who === "learning") this.machine.learn(seed);
    else this.machine.c.page_stop_learning();
    if (network) this.machine.fly(network);
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

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? error.message : String(error);
}

/** A worker. @typedef {{ onmessage: (event: MessageEvent) => void, postMessage(message: unknown, moved?: Transferable[]): void }} Scope */

/** @param {Uint8Array<ArrayBuffer>} packed */
const compile = async (packed) => WebAssembly.compile(await inflate(packed));

/**
 * What a worker does: it gets the packed module, and answers with the compiled one, or null where that fails. Then it gets questions.
 * An answer carries the number of its question.
 */
export function beWorker() {
  const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
  scope.onmessage = async ({ data: packed }) => {
    const module = await compile(packed).catch(() => null);
    if (!module) return scope.postMessage(null);
    const flight = new Flight(await Machine.load(module));
    scope.onmessage = ({ data: { number, question } }) => {
      try {
        const answer = flight.answer(question);
        scope.postMessage({ number, answer }, question.ask === "frame" ? [/** @type {Frame} */ (answer).buffer] : []);
      } catch (error) {
        scope.postMessage({ number, error: words(error) });
      }
      flight.afterwards(question);
    };
    scope.postMessage(module);
  };
}

/** @param {string} code @param {Uint8Array<ArrayBuffer>} packed @returns {Promise<Link>} */
function startWorker(code, packed) {
  return new Promise((resolve, reject) => {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const worker = new Worker(url);
    worker.onerror = reject;
    worker.onmessage = ({ data: module }) => (module ? resolve(new Link(module, worker, null)) : reject());
    worker.postMessage(packed);
  });
}

/** Asks the flight, wherever it runs. */
export class Link {
  /** @param {string} code of the page, which the worker runs too @param {Uint8Array<ArrayBuffer>} packed the module, deflated */
  static async open(code, packed) {
    try {
      return await startWorker(code, packed);
    } catch {
      const module = await compile(packed);
      return new Link(module, null, new Flight(await Machine.load(module))); // no workers here: as well, but less smooth
    }
  }

  /** @param {WebAssembly.Module} module @param {Worker | null} worker @param {Flight | null} flight one of the two */
  constructor(module, worker, flight) {
    this.module = module; // for the page's own machine too: it is compiled once
    this.worker = worker;
    this.flight = flight;
    /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
    this.waiting = new Map();
    this.count = 0;
    if (worker) worker.onmessage = ({ data }) => this.settle(data);
  }

  /** @param {Question} question @returns {Promise<any>} */
  ask(question) {
    const number = this.count++;
    const promise = new Promise((resolve, reject) => this.waiting.set(number, { resolve, reject }));
    const buffer = question.ask === "frame" && question.buffer ? [question.buffer] : [];
    if (this.worker) this.worker.postMessage({ number, question }, buffer);
    else this.here(number, question);
    return promise;
  }

  /** @param {number} number @param {Question} question */
  here(number, question) {
    const flight = /** @type {Flight} */ (this.flight);
    try {
      this.settle({ number, answer: flight.answer(question) });
    } catch (error) {
      this.settle({ number, error: words(error) });
    }
    flight.afterwards(question);
  }

  /** @param {Answer} answer */
  settle({ number, answer, error }) {
    const waiting = this.waiting.get(number);
    this.waiting.delete(number);
    if (error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(error));
  }
}
