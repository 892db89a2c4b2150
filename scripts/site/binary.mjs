// Reads and writes parts of WebAssembly's binary format (https://webassembly.github.io/spec/core/binary/).

/** The IDs of sections. */
export const IMPORTS = 2;
export const ELEMENTS = 9;
export const CODE = 10;

/** Reads a number (LEB128), and returns it and the position after it. */
export function number(bytes, at) {
  let [value, shift, byte] = [0, 0];
  do {
    byte = bytes[at++];
    value |= (byte & 127) << shift;
    shift += 7;
  } while (byte > 127);
  return [value, at];
}

/** A number as bytes. */
export function written(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

/** Bytes with their length in front. */
export const counted = (bytes) => Buffer.concat([written(bytes.length), bytes]);

/** Where a section begins, where its contents begin, and where it ends. */
export function section(module, id) {
  for (let start = 8; start < module.length; ) {
    const [length, body] = number(module, start + 1);
    if (module[start] === id) return { start, body, end: body + length };
    start = body + length;
  }
  throw new Error(`no section ${id}`);
}

/** The module with other contents of a section. */
export function replaced(module, id, contents) {
  const { start, end } = section(module, id);
  return Buffer.concat([module.subarray(0, start + 1), counted(contents), module.subarray(end)]);
}
