// link.js - asks questions of what runs in a worker; where there are no workers, in the page itself

import { compile } from "./module.js";

/**
 * Answers questions. answer() returns what is sent back; where that has a `buffer`, the buffer is moved. afterwards() is called when the
 * answer is on its way.
 * @template Question
 * @typedef {{ answer(question: Question): any, afterwards(question: Question): void }} Answerer
 */
/** @template Question @typedef {(module: WebAssembly.Module) => Promise<Answerer<Question>>} Opener */
/** @typedef {{ number: number, answer?: any, error?: string }} Answer */
/** A worker. @typedef {{ onmessage: (event: MessageEvent) => void, postMessage(message: unknown, moved?: Transferable[]): void }} Scope */

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? error.message : String(error);
}

/** The buffer of a message, to be moved. @param {any} message @returns {Transferable[]} */
function moved(message) {
  return message?.buffer instanceof ArrayBuffer ? [message.buffer] : [];
}

/**
 * What a worker does: it gets the packed module, and answers with the compiled one, or null where that fails. Then it gets questions.
 * An answer carries the number of its question.
 * @template Question
 * @param {Opener<Question>} open
 */
export function beWorker(open) {
  const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
  scope.onmessage = async ({ data: packed }) => {
    const module = await compile(packed).catch(() => null); // the page tries again, and reports what is wrong
    if (!module) return scope.postMessage(null);
    const answerer = await open(module);
    scope.onmessage = ({ data: { number, question } }) => {
      try {
        const answer = answerer.answer(question);
        scope.postMessage({ number, answer }, moved(answer));
      } catch (error) {
        scope.postMessage({ number, error: words(error) });
      }
      answerer.afterwards(question);
    };
    scope.postMessage(module);
  };
}

/**
 * @template Question
 * @param {string} code @param {Uint8Array<ArrayBuffer>} packed
 * @returns {Promise<Link<Question>>}
 */
function startWorker(code, packed) {
  return new Promise((resolve, reject) => {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const worker = new Worker(url);
    worker.onerror = reject;
    worker.onmessage = ({ data: module }) => (module ? resolve(new Link(module, worker, null)) : reject());
    worker.postMessage(packed);
  });
}

/** @template Question */
export class Link {
  /**
   * @template Question
   * @param {string} code of the page, which the worker runs too @param {Uint8Array<ArrayBuffer>} packed the module, deflated
   * @param {Opener<Question>} open as the worker does it
   * @returns {Promise<Link<Question>>}
   */
  static async open(code, packed, open) {
    try {
      return await startWorker(code, packed);
    } catch {
      // whatever kept the worker from starting: what is wrong with the module itself is thrown here
      const module = await compile(packed);
      return new Link(module, null, await open(module)); // no workers here: as well, but less smooth
    }
  }

  /** One of the last two. @param {WebAssembly.Module} module @param {Worker | null} worker @param {Answerer<Question> | null} answerer */
  constructor(module, worker, answerer) {
    this.module = module; // for the page's own use too: it is compiled once
    this.worker = worker;
    this.answerer = answerer;
    /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
    this.waiting = new Map();
    this.count = 0;
    if (worker) worker.onmessage = ({ data }) => this.settle(data);
  }

  /** @param {Question} question @returns {Promise<any>} */
  ask(question) {
    const number = this.count++;
    const promise = new Promise((resolve, reject) => this.waiting.set(number, { resolve, reject }));
    if (this.worker) this.worker.postMessage({ number, question }, moved(question));
    else this.here(number, question);
    return promise;
  }

  /** @param {number} number @param {Question} question */
  here(number, question) {
    const answerer = /** @type {Answerer<Question>} */ (this.answerer);
    try {
      this.settle({ number, answer: answerer.answer(question) });
    } catch (error) {
      this.settle({ number, error: words(error) });
    }
    answerer.afterwards(question);
  }

  /** @param {Answer} answer */
  settle({ number, answer, error }) {
    const waiting = this.waiting.get(number);
    this.waiting.delete(number);
    if (error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(error));
  }
}
