// dom.js - elements of the page, and numbers as text

/** @template {HTMLElement} T @param {string} id @returns {T} */
export const find = (id) => /** @type {T} */ (document.getElementById(id));
/** @param {string} id */
export const input = (id) => /** @type {HTMLInputElement} */ (find(id));
/** @param {string} id */
export const bytesOf = (id) => Uint8Array.from(atob(find(id).textContent?.trim() ?? ""), (letter) => letter.charCodeAt(0));
/** @param {number} value @param {number} digits */
export const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");
/** @param {number} value */
export const whole = (value) => Math.round(value).toLocaleString("en");
