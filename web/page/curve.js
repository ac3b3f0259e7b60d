// curve.js - a number over time, as a line on a small canvas

const MOST_POINTS = 240; // points; where there are more, each two become one

/** An axis for numbers that may all be the same. @param {number[]} points @returns {[number, number]} */
function fit(points) {
  const least = Math.min(...points);
  const most = Math.max(...points);
  const room = 0.08 * (most - least) || 1;
  return [least - room, most + room];
}

export class Curve {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {[number, number] | "from 0" | "fit"} range of the axis, or as the numbers have it
   */
  constructor(canvas, range) {
    this.canvas = canvas;
    this.range = range;
    /** @type {number[]} */
    this.points = [];
    this.every = 1; // numbers to a point
    this.sum = 0; // of the numbers of the next point
    this.count = 0;
  }

  clear() {
    Object.assign(this, { points: [], every: 1, sum: 0, count: 0 });
  }

  /** @param {number} value */
  push(value) {
    this.sum += value;
    if (++this.count < this.every) return;
    this.points.push(this.sum / this.count);
    this.sum = this.count = 0;
    if (this.points.length < MOST_POINTS) return;
    this.points = Array.from({ length: MOST_POINTS / 2 }, (_, k) => (this.points[2 * k] + this.points[2 * k + 1]) / 2);
    this.every *= 2;
  }

  /** @param {string} colour */
  draw(colour) {
    const { canvas, points } = this;
    const ratio = globalThis.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    const context = canvas.getContext("2d");
    if (!context || !width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.clearRect(0, 0, width, height);
    if (points.length < 2) return;
    const [least, most] =
      this.range === "from 0" ? [0, Math.max(1, ...points)] : this.range === "fit" ? fit(points) : this.range;
    const pad = 2 * ratio;
    // a young curve does not fill the width: it grows to the right, and is pressed together later
    const step = (width - 2 * pad) / Math.max(points.length - 1, 59);
    const x = (/** @type {number} */ k) => pad + k * step;
    const y = (/** @type {number} */ k) => height - pad - ((points[k] - least) / (most - least)) * (height - 2 * pad);
    context.beginPath();
    context.moveTo(x(0), y(0));
    for (let k = 1; k < points.length; k++) context.lineTo(x(k), y(k));
    context.strokeStyle = colour;
    context.lineWidth = 1.5 * ratio;
    context.lineJoin = "round";
    context.stroke();
    context.lineTo(x(points.length - 1), height);
    context.lineTo(x(0), height);
    context.globalAlpha = 0.13;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }
}
