// Shortens what the main module and its bindings call each other by. wasm-bindgen puts a hash into the name of each import,
// which does not compress, and binds types of libraries that nothing creates.
import { IMPORTS, replaced, section } from './binary.mjs';

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
  const { body, end } = section(module, IMPORTS);
  const renamed = module.toString('latin1', body, end).replace(/(\.\/haat_bg\.js)[^](\w+)\0/g, (_, from, name) => {
    const short = names.get(name);
    return `${from}${String.fromCharCode(short.length)}${short}\0`;
  });
  return replaced(module, IMPORTS, Buffer.from(renamed, 'latin1'));
}
