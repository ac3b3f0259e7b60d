// npz.js - reads and writes policy.npz, the file of `boids train`: a zip of NumPy arrays, by the names that torch gives them

import { TURNS } from "./machine.js";
import { inflate } from "./module.js";

/** @typedef {import("./machine.js").Network} Network */
/** @typedef {import("./machine.js").Layer} Layer */
/** @typedef {{ shape: number[], numbers: Float32Array }} Numbers */

const OBSERVATION = 10; // elements of the observation `rules`
const MOST_BYTES = 64 * 2 ** 20; // bytes of a file, unpacked

/** The files of a zip, by name. @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<Map<string, Uint8Array>>} */
async function unzip(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error("expected a policy.npz of boids train, got another kind of file");
  const files = new Map();
  let at = view.getUint32(end + 16, true);
  for (let k = view.getUint16(end + 10, true); k > 0; k--) {
    const method = view.getUint16(at + 10, true);
    const packed = view.getUint32(at + 20, true);
    const size = view.getUint32(at + 24, true);
    const length = view.getUint16(at + 28, true);
    const start = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + length));
    const data = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
    const inside = bytes.subarray(data, data + packed);
    if (size > MOST_BYTES || packed > MOST_BYTES)
      throw new Error(`${name}: expected at most ${MOST_BYTES} bytes, got ${size}`);
    files.set(name.replace(/\.npy$/, ""), method === 0 ? inside : await inflate(inside));
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}

/** The floats of an .npy file. @param {string} name @param {Uint8Array} bytes @returns {Numbers} */
function readNpy(name, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6] > 1;
  const start = long ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  const header = new TextDecoder("latin1").decode(bytes.subarray(long ? 12 : 10, start));
  const type = /'descr': '([^']*)'/.exec(header)?.[1];
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").filter((size) => size.trim());
  if (type !== "<f4" || !header.includes("'fortran_order': False"))
    throw new Error(`${name}: expected float32, got ${type}`);
  const numbers = new Float32Array(bytes.slice(start).buffer);
  return { shape: shape.map(Number), numbers };
}

/** The network in a policy.npz. @param {ArrayBuffer} file @returns {Promise<Network>} */
export async function readPolicy(file) {
  const files = await unzip(new Uint8Array(file));
  /** @param {string} name @param {number[]} shape 0 is any size */
  const take = (name, shape) => {
    const bytes = files.get(name);
    if (!bytes) throw new Error(`${name}: expected the policy of a flock with discrete turns, which has it`);
    const array = readNpy(name, bytes);
    const fits = array.shape.length === shape.length && shape.every((size, k) => !size || size === array.shape[k]);
    if (!fits || array.numbers.length !== array.shape.reduce((a, b) => a * b, 1))
      throw new Error(`${name}: expected ${shape.map((size) => size || "any").join("x")}, got ${array.shape.join("x")}`);
    if (!array.numbers.every(Number.isFinite)) throw new Error(`${name}: expected finite numbers`);
    return array;
  };
  const names = [];
  for (let k = 0; files.has(`encoder.${k}.weight`); k += 2) names.push(`encoder.${k}`);
  names.push("decoder");
  let inputs = OBSERVATION;
  const layers = names.map((name, k) => {
    const last = k + 1 === names.length;
    const weight = take(`${name}.weight`, [last ? TURNS : 0, inputs]);
    const outputs = weight.shape[0];
    const bias = take(`${name}.bias`, [outputs]);
    const layer = { inputs, outputs, numbers: Float32Array.of(...weight.numbers, ...bias.numbers) };
    inputs = outputs;
    return layer;
  });
  const widths = new Set(layers.slice(0, -1).map((layer) => layer.outputs));
  if (widths.size > 1 || layers.length > 9) throw new Error("expected at most 8 hidden layers of one width");
  return { layers, mirror: files.has("mirror.observation") };
}

/** An .npy file. @param {string} type @param {number[]} shape @param {Uint8Array} data */
function npy(type, shape, data) {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const header = `${text.padEnd(63 - ((10 + text.length) % 64) + text.length)}\n`;
  const bytes = new Uint8Array(10 + header.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(data, 10 + header.length);
  return bytes;
}

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A zip of files that are not packed. @param {Map<string, Uint8Array>} files */
function zip(files) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const directory = [];
  let at = 0;
  for (const [name, bytes] of files) {
    const label = new TextEncoder().encode(name);
    /** @param {number} signature @param {number} before @param {number} after bytes of 0 */
    const head = (signature, before, after) => {
      const head = new Uint8Array(before + 26 + after + label.length);
      const view = new DataView(head.buffer);
      view.setUint32(0, signature, true);
      view.setUint16(before, 20, true); // the version that can unpack it
      view.setUint16(before + 8, 0x5c21, true); // a day, 2026-01-01: the same network gives the same bytes
      view.setUint32(before + 10, crc32(bytes), true);
      view.setUint32(before + 14, bytes.length, true);
      view.setUint32(before + 18, bytes.length, true);
      view.setUint16(before + 22, label.length, true);
      return head;
    };
    const local = head(0x04034b50, 4, 0);
    local.set(label, 30);
    const central = head(0x02014b50, 6, 14);
    new DataView(central.buffer).setUint32(42, at, true);
    central.set(label, 46);
    parts.push(local, /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    directory.push(central);
    at += local.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, files.size, true);
  view.setUint16(10, files.size, true);
  view.setUint32(12, size, true);
  view.setUint32(16, at, true);
  const all = [...parts, ...directory, end];
  const whole = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of all) {
    whole.set(part, to);
    to += part.length;
  }
  return whole;
}

/**
 * The bytes of a policy.npz, which `boids watch` flies.
 * @param {Network} network @param {{ observation: Float32Array, action: Float32Array }} mirror @param {object} meta
 */
export function writePolicy(network, mirror, meta) {
  /** @type {Map<string, Uint8Array>} */
  const files = new Map();
  /** @param {string} name @param {number[]} shape @param {Float32Array} numbers */
  const add = (name, shape, numbers) => {
    const data = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    files.set(`${name}.npy`, npy("<f4", shape, data));
  };
  const text = [...JSON.stringify({ format: 1, ...meta })];
  const data = new Uint8Array(Uint32Array.from(text, (letter) => letter.codePointAt(0) ?? 0).buffer);
  files.set("meta.npy", npy(`<U${text.length}`, [], data));
  network.layers.forEach(({ inputs, outputs, numbers }, k) => {
    const name = k + 1 < network.layers.length ? `encoder.${2 * k}` : "decoder";
    add(`${name}.weight`, [outputs, inputs], numbers.subarray(0, outputs * inputs));
    add(`${name}.bias`, [outputs], numbers.subarray(outputs * inputs));
  });
  if (network.mirror) {
    add("mirror.observation", [2, OBSERVATION], mirror.observation);
    add("mirror.action", [2, TURNS], mirror.action);
  }
  return zip(files);
}
