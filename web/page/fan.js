// fan.js - what a planner imagined for a boid: a fan of paths, and how much each turn is worth

import { TURNS } from "./machine.js";

/** @typedef {import("./machine.js").Futures} Futures */

/** How much a turn is worth beside the others: 0 for the worst to 1 for the best. @param {Futures} futures @param {number} turn */
export function worth({ earned }, turn) {
  const least = Math.min(...earned);
  const most = Math.max(...earned);
  return most > least ? (earned[turn] - least) / (most - least) : 0.5;
}

/** What a turn earns beyond the mean turn. @param {Futures} futures @param {number} turn */
export function advantage({ earned }, turn) {
  return earned[turn] - earned.reduce((sum, one) => sum + one, 0) / earned.length;
}

/**
 * The paths as SVG, ahead is up: golden for the best turn, blue for the worst.
 * @param {Futures} futures @param {number} thickness @param {number} stretch of what is to the left and right
 */
function paths(futures, thickness, stretch) {
  const order = futures.paths.map((_, p) => p).sort((a, b) => worth(futures, a % TURNS) - worth(futures, b % TURNS));
  return order
    .map((p) => {
      const good = worth(futures, p % TURNS);
      const colour = `rgb(${110 + 145 * good} ${180 + 30 * good} ${255 - 135 * good})`;
      const line = futures.paths[p].map(([ahead, left]) => `L${-stretch * left} ${-ahead}`).join("");
      const [ahead, left] = futures.paths[p][futures.paths[p].length - 1];
      const end = `<circle cx="${-stretch * left}" cy="${-ahead}" r="${1.1 * thickness}" fill="${colour}"/>`;
      return `<g opacity="${0.35 + 0.6 * good}"><path d="M0 0${line}" stroke="${colour}" stroke-width="${thickness}"/>${end}</g>`;
    })
    .join("");
}

const STRETCH = 3; // the paths part by a few degrees only

/** Draws the paths large, beside the numbers of the boid. @param {Element} svg @param {Futures | null} futures @param {number} action */
export function showFan(svg, futures, action) {
  svg.toggleAttribute("hidden", !futures);
  if (!futures) return;
  const far = Math.max(1, ...futures.paths.flat().map(([ahead, left]) => Math.max(ahead, 0.6 * STRETCH * Math.abs(left))));
  svg.setAttribute("viewBox", `${-1.1 * far} ${-1.12 * far} ${2.2 * far} ${1.3 * far}`);
  const dart = `<path d="M0 ${-0.05 * far}L${0.035 * far} ${0.06 * far}L0 ${0.035 * far}L${-0.035 * far} ${0.06 * far}Z" fill="#e9f4f5" stroke="none"/>`;
  svg.innerHTML = paths(futures, 0.016 * far, STRETCH) + dart;
  svg.setAttribute("aria-label", `What it imagines: ${futures.paths.length} paths; it takes turn ${action + 1} of 5`);
}

/**
 * Draws the paths where the boid was when it decided. scale: CSS pixels to a world unit.
 * @param {Element} svg @param {Futures | null} futures @param {{ width: number, height: number, scale: number }} view
 */
export function markFan(svg, futures, { width, height, scale }) {
  svg.innerHTML = "";
  if (!futures) return;
  const x = futures.x * width;
  const y = (1 - futures.y) * height;
  const turn = 90 - 360 * futures.heading; // up is ahead
  svg.innerHTML = `<g transform="translate(${x} ${y}) rotate(${turn}) scale(${scale})">${paths(futures, 1.6 / scale, 1)}</g>`;
}
