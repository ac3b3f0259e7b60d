// Runs a C program that web/build.py compiled: node web/run.mjs PROGRAM.wasm. Ends with its exit status.
import { readFile } from "node:fs/promises";

const bytes = await readFile(process.argv[2]);
let memory;
const console_ = {
  write: (text, length) => process.stdout.write(new Uint8Array(memory.buffer, text, length).slice()),
};
const { instance } = await WebAssembly.instantiate(bytes, { console: console_ });
memory = instance.exports.memory;
const { __main_argc_argv: main = instance.exports.__main_void } = instance.exports;
process.exitCode = main(0, 0);
