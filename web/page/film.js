// film.js - draws a flock where there is no WebGL2: the pixels come from src/show/boids_film.h, in a module of its own

import { Machine } from "./machine.js";

/** @typedef {import("./sky.js").View} View */

export class Film {
  /** @param {HTMLCanvasElement} canvas @param {WebAssembly.Module} module */
  static async open(canvas, module) {
    return new Film(canvas, await Machine.load(module));
  }

  /** @param {HTMLCanvasElement} canvas @param {Machine} machine */
  constructor(canvas, machine) {
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("this browser draws nothing on a canvas");
    this.canvas = canvas;
    this.context = context;
    this.machine = machine;
    this.opened = "";
    this.shape = 1;
  }

  get name() {
    return "canvas";
  }

  /** @param {number} width @param {number} height @param {number} ratio */
  resize(width, height, ratio) {
    const scale = Math.min(ratio, 1); // a pixel costs time here
    this.canvas.width = Math.max(1, Math.round(width * scale));
    this.canvas.height = Math.max(1, Math.round(height * scale));
  }

  /** Wipes the trails away. */
  clear() {
    this.machine.c.page_wipe();
  }

  /** @param {View} view */
  draw({ frame, fresh, trails }) {
    if (!fresh) return;
    const { canvas, machine } = this;
    const { width, height } = canvas;
    const flock = `${frame.size} ${width} ${height}`;
    if (flock !== this.opened) {
      // a world of the shape of the picture; its size changes no pixel
      const scale = 1000 / Math.min(width, height);
      machine.open({ num_boids: frame.size, width: width * scale, height: height * scale }, 0);
      this.opened = flock;
    }
    const from = new Uint8Array(frame.buffer);
    let at = 0;
    for (const part of machine.parts) {
      part.set(from.subarray(at, at + part.length));
      at += part.length;
    }
    const pixels = machine.c.page_picture(width, height, Number(trails > 0));
    if (!pixels) return;
    const bytes = new Uint8ClampedArray(machine.memory.buffer, pixels, 4 * width * height);
    this.context.putImageData(new ImageData(bytes, width, height), 0, 0);
  }
}
