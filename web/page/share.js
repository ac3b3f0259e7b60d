// share.js - what the viewer chose as the fragment of a URL, and back: the settings, and if wanted a network

import { WHO } from "./machine.js";

/** @typedef {import("./machine.js").Who} Who */
/** @typedef {import("./machine.js").Network} Network */
/** @typedef {import("./machine.js").Params} Params */

export const POINTERS = /** @type {const} */ (["nothing", "call", "scare"]);
/**
 * params: those that differ from the named setting. pace: 1 is 60 steps a second.
 * @typedef {{ who: Who, setting: string, params: Params, pace: number, trails: number, pointer: (typeof POINTERS)[number], seed: number }} Choices
 */

/** A network as text: sizes of its layers, and weights with the upper 16 bits of a float. @param {Network} network */
export function packNetwork({ layers, mirror }) {
  const count = layers.reduce((sum, layer) => sum + layer.numbers.length, 0);
  const bytes = new Uint8Array(3 + 2 * layers.length + 2 * count);
  const view = new DataView(bytes.buffer);
  bytes.set([layers.length, Number(mirror), layers[0].inputs]);
  let at = 3;
  for (const { outputs } of layers) {
    view.setUint16(at, outputs, true);
    at += 2;
  }
  for (const { numbers } of layers) {
    const bits = new Uint32Array(numbers.slice().buffer);
    for (const one of bits) {
      view.setUint16(at, (one + 0x7fff + ((one >>> 16) & 1)) >>> 16, true); // rounded to the nearest
      at += 2;
    }
  }
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text @returns {Network} */
export function unpackNetwork(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  let inputs = bytes[2];
  let at = 3 + 2 * bytes[0];
  const layers = Array.from({ length: bytes[0] }, (_, k) => {
    const outputs = view.getUint16(3 + 2 * k, true);
    const numbers = new Float32Array((inputs + 1) * outputs);
    const bits = new Uint32Array(numbers.buffer);
    for (let i = 0; i < bits.length; i++, at += 2) bits[i] = view.getUint16(at, true) << 16;
    const layer = { inputs, outputs, numbers };
    inputs = outputs;
    return layer;
  });
  const whole = at === bytes.length && inputs === 5 && bytes[2] === 10;
  if (!whole || !layers.every((layer) => layer.numbers.every(Number.isFinite)))
    throw new Error("the network in the link is damaged");
  return { layers, mirror: !!bytes[1] };
}

/** The fragment: what differs from `usual`. @param {Choices} choices @param {Choices} usual @param {Network | null} network */
export function toFragment(choices, usual, network) {
  const pairs = new URLSearchParams();
  for (const key of /** @type {const} */ (["who", "setting", "pace", "trails", "pointer", "seed"]))
    if (choices[key] !== usual[key]) pairs.set(key, String(choices[key]));
  for (const [name, value] of Object.entries(choices.params)) pairs.set(name, String(Number(value.toPrecision(6))));
  if (network) pairs.set("network", packNetwork(network));
  return pairs.toString();
}

/**
 * What a fragment chooses; what it does not name, or names wrongly, is as in `usual`.
 * @param {string} fragment @param {Choices} usual @param {string[]} settings @param {Record<string, [number, number]>} ranges of parameters
 * @returns {{ choices: Choices, network: Network | null }}
 */
export function fromFragment(fragment, usual, settings, ranges) {
  const pairs = new URLSearchParams(fragment.replace(/^#/, ""));
  /** @param {string} key @param {number} least @param {number} most @param {number} other */
  const number = (key, least, most, other) => {
    const value = pairs.get(key) ? Number(pairs.get(key)) : Number.NaN;
    return value >= least && value <= most ? value : other;
  };
  /** @template T @param {string} key @param {readonly T[]} known @param {T} other */
  const word = (key, known, other) => known.find((one) => one === pairs.get(key)) ?? other;
  /** @type {Params} */
  const params = {};
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = number(name, least, most, Number.NaN);
    if (!Number.isNaN(value)) params[name] = value;
  }
  const packed = pairs.get("network");
  return {
    choices: {
      who: word("who", WHO, usual.who),
      setting: word("setting", settings, usual.setting),
      params,
      pace: number("pace", 0.125, 8, usual.pace),
      trails: number("trails", 0, 1, usual.trails),
      pointer: word("pointer", POINTERS, usual.pointer),
      seed: number("seed", 0, 2 ** 31, usual.seed),
    },
    network: packed ? unpackNetwork(packed) : null,
  };
}
