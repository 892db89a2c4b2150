// Puts what a module contains into the order, and leaves out what, makes it smaller when it is compressed.
import { CODE, ELEMENTS, counted, number, replaced, section, written } from './binary.mjs';

/**
 * Returns the module with similar functions next to each other, for which brotli finds shorter references: 2 % smaller. Functions
 * of a size, by powers of two, are sorted by their code, whatever they call and whichever constants they use. Binaryen sorts them
 * by name, so they are given names, which it doesn't write.
 */
export function ordered(binaryen, bytes, features) {
  const operands = /([\x10\x41])[\x80-\xff]*[^]/g;
  const functions = bodies(bytes).map((body, place) => {
    return { place, size: Math.clz32(body.length), code: body.toString('latin1').replace(operands, '$1') };
  });
  functions.sort((a, b) => b.size - a.size || (a.code < b.code ? -1 : a.code > b.code ? 1 : a.place - b.place));
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).filter(({ kind }) => kind === 'function').length;
  const names = functions
    .map(({ place }, rank) => ({ place, name: Buffer.from(`f${String(rank).padStart(6, '0')}`) }))
    .sort((a, b) => a.place - b.place)
    .map(({ place, name }) => Buffer.concat([written(imported + place), counted(name)]));
  const FUNCTIONS = 1;
  const subsection = counted(Buffer.concat([written(names.length), ...names]));
  const custom = Buffer.concat([counted(Buffer.from('name')), Buffer.from([FUNCTIONS]), subsection]);
  const module = binaryen.readBinary(Buffer.concat([bytes, Buffer.from([0]), counted(custom)]));
  module.setFeatures(features);
  module.runPasses(['reorder-functions-by-name']);
  const sorted = Buffer.from(module.emitBinary());
  module.dispose();
  return sorted;
}

function bodies(bytes) {
  let [count, at] = number(bytes, section(bytes, CODE).body);
  return Array.from({ length: count }, () => {
    const [length, start] = number(bytes, at);
    at = start + length;
    return bytes.subarray(start, at);
  });
}

/**
 * Returns the module without the segments that put nothing into its table, which is empty at first: wasm-split writes one for
 * each run of functions of another chunk.
 */
export function withoutEmptySegments(bytes) {
  const [I32_CONST, END, NULL, FUNCTION] = [0x41, 0x0b, 0xd0, 0xd2];
  const [INDICES, EXPRESSIONS] = [0, 4];
  let [count, at] = number(bytes, section(bytes, ELEMENTS).body);
  const skip = () => ([, at] = number(bytes, at));
  const expect = (...known) => {
    if (!known.includes(bytes[at])) throw new Error(`an unknown kind of segment: ${bytes[at]}`);
    return bytes[at++];
  };
  const kept = [];
  for (; count > 0; count--) {
    const start = at;
    const kind = expect(INDICES, EXPRESSIONS);
    expect(I32_CONST);
    skip();
    expect(END);
    let [length, first] = number(bytes, at);
    at = first;
    let filled = kind === INDICES;
    for (; length > 0; length--) {
      if (kind === EXPRESSIONS && expect(NULL, FUNCTION) === FUNCTION) filled = true;
      skip();
      if (kind === EXPRESSIONS) expect(END);
    }
    if (filled) kept.push(bytes.subarray(start, at));
  }
  return replaced(bytes, ELEMENTS, Buffer.concat([written(kept.length), ...kept]));
}
