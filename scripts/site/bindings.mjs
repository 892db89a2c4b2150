// Shortens what the main module and its bindings call each other by. wasm-bindgen puts a hash into the name of each import,
// which does not compress, and binds types of libraries that nothing creates.

/** Exports that only the bindings of unused types call. Without them, their code is removed from the module. */
export const isUnused = (name) => /intounderlying/.test(name);

const MODULE = './haat_bg.js';

/** Returns the optimised module and its bindings with short names, and without the bindings of unused types. */
export async function shorten(module, bindings) {
  const imports = WebAssembly.Module.imports(await WebAssembly.compile(module)).filter((each) => each.module === MODULE);
  const names = new Map(imports.map(({ name }, place) => [name, `_${place.toString(36)}`]));

  const bound = new Set();
  const code = bindings
    .replace(/^export class IntoUnderlying[^]*?^\}\nif \(Symbol\.dispose\).*\n/gm, '')
    .replace(/^const (IntoUnderlying|__wbindgen_enum_ReadableStreamType)[^;]*;\n/gm, '')
    .replace(/^ {8}(\w+): (function[^]*?^ {8}\}(?:, arguments\); \})?,\n)/gm, (_, name, body) => {
      bound.add(name);
      return `        ${names.get(name) ?? name}: ${body}`;
    });
  const lost = [...names.keys()].filter((name) => !bound.has(name));
  if (lost.length > 0 || code.includes('IntoUnderlying')) throw new Error(`unexpected bindings: ${lost}`);
  return [renameImports(module, names), code];
}

/** Renames imported functions. An import is the name of its module, its own name, each with its length, and its kind. */
function renameImports(module, names) {
  const IMPORTS = 2;
  let start = 8;
  while (module[start] !== IMPORTS) {
    const [length, body] = number(module, start + 1);
    start = body + length;
  }
  const [length, body] = number(module, start + 1);
  const renamed = module
    .toString('latin1', body, body + length)
    .replace(/(\.\/haat_bg\.js)[^](\w+)\0/g, (_, from, name) => {
      const short = names.get(name);
      return `${from}${String.fromCharCode(short.length)}${short}\0`;
    });
  const section = Buffer.from(renamed, 'latin1');
  return Buffer.concat([
    module.subarray(0, start + 1),
    Buffer.from(written(section.length)),
    section,
    module.subarray(body + length),
  ]);
}

/** Reads a number (LEB128), and returns it and the position after it. */
function number(bytes, at) {
  let [value, shift, byte] = [0, 0];
  do {
    byte = bytes[at++];
    value |= (byte & 127) << shift;
    shift += 7;
  } while (byte > 127);
  return [value, at];
}

function written(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}
