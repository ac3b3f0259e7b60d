// module.js - a WebAssembly module that web/build.py compiled, as an object. It runs in the page, in a worker and in node.

/** Unpacks deflated bytes. @param {Uint8Array<ArrayBuffer>} bytes */
export async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {Uint8Array<ArrayBuffer>} packed */
export const compile = async (packed) => WebAssembly.compile(await inflate(packed));

/** @param {WebAssembly.Module} module @returns {Promise<WebAssembly.Exports>} */
export async function instantiate(module) {
  /** @type {Module | undefined} */
  let machine;
  // what web/libc imports, where the C code uses it
  const write = (/** @type {number} */ at, /** @type {number} */ length) => console.log(machine?.text(at, length).trimEnd());
  const { exports } = await WebAssembly.instantiate(module, { Math: /** @type {any} */ (Math), console: { write } });
  machine = new Module(exports);
  return exports;
}

export class Module {
  /** @param {WebAssembly.Exports} exported */
  constructor(exported) {
    // every export but the memory is a function of numbers
    this.c = /** @type {Record<string, (...args: number[]) => number>} */ (/** @type {unknown} */ (exported));
    this.memory = /** @type {WebAssembly.Memory} */ (exported.memory);
  }

  /** The C string at an address, or its first bytes. @param {number} at @param {number} [length] */
  text(at, length) {
    const bytes = new Uint8Array(this.memory.buffer, at);
    return new TextDecoder().decode(bytes.slice(0, length ?? bytes.indexOf(0)));
  }

  /** All that a function names. @param {(k: number) => number} name */
  names(name) {
    const found = [];
    for (let k = 0, at = name(0); at; at = name(++k)) found.push(this.text(at));
    return found;
  }

  /** Throws the message that a function returned, if it is one. @param {number} message */
  check(message) {
    if (message) throw new Error(this.text(message));
  }

  /** What page_hash returns, as 16 digits. */
  hash() {
    const hash = /** @type {bigint} */ (/** @type {unknown} */ (this.c.page_hash()));
    return BigInt.asUintN(64, hash).toString(16).padStart(16, "0");
  }
}
