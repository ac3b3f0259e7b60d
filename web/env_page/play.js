// play.js - an environment and its learner: they answer the questions of the page. See link.js

import { instantiate, Module } from "../page/module.js";

/** Who plays, by the numbers of env_page.c. */
export const PLAYERS = /** @type {const} */ (["random", "script", "learning"]);
/** @typedef {(typeof PLAYERS)[number]} Player */

/**
 * A parameter of the environment or a setting of the learner. kind: 0 int, 1 float, 2 bool, 3 choice, whose names stand in `unit`.
 * @typedef {{ name: string, kind: number, value: number, least: number, most: number, unit: string, doc: string }} Param
 */
/** What can be set and shown. @typedef {{ params: Param[], settings: Param[], log: { name: string, doc: string }[], script: boolean }} About */
/**
 * buffer: a picture of all boards, (height x width x 4) bytes, where one was asked for. numbers: the means of the log over the episodes that ended since the frame before,
 * NaN where none did. reward: of an agent-step; experience: agent-steps that were learned from so far.
 * @typedef {{ buffer: ArrayBuffer | null, width: number, height: number, numbers: number[], reward: number, experience: number, steps: number }} Frame
 */
/** @typedef {Record<string, number>} Values by name */
/**
 * practise: milliseconds for the school after the answer; or its steps, before the answer.
 * @typedef {{ ask: "open", values: Values, seed: number, boards: number }
 *   | { ask: "frame", steps: number, who: Player, picture: boolean, width: number, height: number, milliseconds: number, practise: number }
 *   | { ask: "hash" }} Question
 */

export class Play extends Module {
  /** @param {WebAssembly.Module} module */
  static async load(module) {
    return new Play(await instantiate(module));
  }

  /** @param {WebAssembly.Exports} exported */
  constructor(exported) {
    super(exported);
    this.steps = 0;
    /** @type {unknown} */
    this.trouble = new Error("nothing is open");
    this.c.page_defaults();
    const params = this.c.page_num_params();
    const all = Array.from({ length: params + this.c.page_num_settings() }, (_, k) => this.param(k));
    this.paramNames = all.map(({ name }) => name);
    /** @type {About} */
    this.about = {
      params: all.slice(0, params),
      settings: all.slice(params),
      log: this.names(this.c.page_log_name).map((name, k) => ({ name, doc: this.text(this.c.page_log_doc(k)) })),
      script: !!this.c.page_has_script(),
    };
  }

  /** @param {number} k @returns {Param} */
  param(k) {
    const { c } = this;
    return {
      name: this.text(c.page_name(k)),
      kind: c.page_kind(k),
      value: c.page_get(k),
      least: c.page_min(k),
      most: c.page_max(k),
      unit: this.text(c.page_unit(k)),
      doc: this.text(c.page_doc(k)),
    };
  }

  /** @param {Question} question @returns {unknown} */
  answer(question) {
    switch (question.ask) {
      case "open":
        return this.open(question.values, question.seed, question.boards);
      case "frame":
        if (this.trouble) throw this.trouble;
        for (let k = 0; k < question.practise; k++) this.check(this.c.page_practise());
        for (let k = 0; k < question.steps; k++) this.check(this.c.page_step(PLAYERS.indexOf(question.who)));
        this.steps += question.steps;
        return this.frame(question);
      case "hash":
        return this.hash();
    }
  }

  /** The school goes on while the answer is on its way. @param {Question} question */
  afterwards(question) {
    if (question.ask !== "frame") return;
    const end = performance.now() + question.milliseconds;
    try {
      while (!this.trouble && performance.now() < end) this.check(this.c.page_practise());
    } catch (error) {
      this.trouble = error;
    }
  }

  /** The agents of a board. @param {Values} values @param {number} seed @param {number} boards */
  open(values, seed, boards) {
    const { params, settings } = this.about;
    this.c.page_defaults();
    for (const [name, value] of Object.entries(values)) {
      const k = this.paramNames.indexOf(name);
      if (k < 0) throw new Error(`${name}: no such parameter`);
      const { least, most } = k < params.length ? params[k] : settings[k - params.length];
      if (!(value >= least && value <= most)) throw new Error(`${name}: expected ${least} to ${most}, got ${value}`);
      this.c.page_set(k, value);
    }
    this.trouble = new Error("nothing is open");
    this.check(this.c.page_open(seed, boards));
    this.trouble = null;
    this.steps = 0;
    return this.c.page_num_agents() / boards;
  }

  /** @param {number} width @param {number} height */
  picture(width, height) {
    const at = this.c.page_picture(width, height);
    if (!at) throw new Error("out of memory");
    return this.memory.buffer.slice(at, at + 4 * width * height);
  }

  /** @param {{ who: Player, picture: boolean, width: number, height: number }} question @returns {Frame} */
  frame({ who, picture, width, height }) {
    const buffer = picture ? this.picture(width, height) : null;
    const { length } = this.about.log;
    const all = Array.from(new Float64Array(this.memory.buffer, this.c.page_numbers(PLAYERS.indexOf(who)), length + 2));
    const ended = all[length - 1] > 0;
    const numbers = all.slice(0, length - 1).map((value) => (ended ? value : Number.NaN));
    return { buffer, width, height, numbers, reward: all[length], experience: all[length + 1], steps: this.steps };
  }
}
