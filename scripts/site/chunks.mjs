// Merges small chunks and writes the script that loads them. wasm-split makes a module of whatever the same journeys have in
// common, however small: a file of its own costs more than a few functions that a journey does not need.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a file costs a journey besides its compressed contents: the request, headers, and nothing before it to refer to. */
const FILE = 1_600;
/** What a byte of a module takes when it is optimised and compressed, as measured. */
const BYTE = 0.25;
/** How much the downloads of a journey count, if not once: the largest are those that a merged chunk makes slow. */
const WEIGHTS = { seller: 14, admin: 3 };

/**
 * Decides which chunks are merged, as long as the downloads of all journeys together become smaller. `manifest` has the files
 * of each journey. Returns the new manifest, and the files that each file is merged from.
 */
export async function mergers(folder, manifest) {
  const files = [...new Set(Object.values(manifest).flat())];
  let groups = await Promise.all(
    files.map(async (file) => ({
      files: [file],
      journeys: new Set(Object.keys(manifest).filter((journey) => manifest[journey].includes(file))),
      bytes: BYTE * payload(await readFile(join(folder, `${file}.wasm`))),
    })),
  );
  const weight = (journeys) => [...journeys].reduce((sum, journey) => sum + (WEIGHTS[journey] ?? 1), 0);
  const cost = ({ journeys, bytes }) => weight(journeys) * (bytes + FILE);
  const merge = (a, b) => ({
    files: [...a.files, ...b.files],
    journeys: new Set([...a.journeys, ...b.journeys]),
    bytes: a.bytes + b.bytes,
  });
  for (;;) {
    const shared = groups.filter(({ journeys }) => journeys.size > 1);
    const pairs = shared.flatMap((a, at) => shared.slice(at + 1).map((b) => [a, b]));
    const saved = ([a, b]) => cost(a) + cost(b) - cost(merge(a, b));
    const best = pairs.reduce((best, pair) => (best && saved(best) >= saved(pair) ? best : pair), undefined);
    if (!best || saved(best) <= 0) break;
    groups = [...groups.filter((group) => !best.includes(group)), merge(...best)];
  }
  const of = (journey) => groups.filter(({ journeys }) => journeys.has(journey)).map(({ files }) => files[0]);
  return {
    manifest: Object.fromEntries(Object.keys(manifest).map((journey) => [journey, of(journey)])),
    merged: new Map(groups.map(({ files }) => [files[0], files])),
  };
}

/** The bytes of a module without its custom sections, such as the names of its functions. */
function payload(module) {
  let bytes = 0;
  for (let at = 8; at < module.length; ) {
    const id = module[at++];
    let [length, shift, byte] = [0, 0];
    do {
      byte = module[at++];
      length |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127);
    if (id !== 0) bytes += length;
    at += length;
  }
  return bytes;
}

/** The script that loads the chunks of a journey. A chunk that could not be loaded is requested again the next time. */
export function loader(manifest) {
  const files = [...new Set(Object.values(manifest).flat())];
  const journeys = Object.entries(manifest).map(
    ([journey, own]) => `export const __wasm_split_load_${journey} = load([${own.map((file) => files.indexOf(file))}]);`,
  );
  return `import { initSync } from './haat.js';
const files = ${JSON.stringify(files.map((file) => `./${file}.wasm`))};
const loaded = [];
const one = (n) =>
  (loaded[n] ??= WebAssembly.instantiateStreaming(fetch(new URL(files[n], import.meta.url)), {
    __wasm_split: initSync(),
  }).catch((error) => {
    loaded[n] = undefined;
    throw error;
  }));
const load = (journey) => async (callback, data) => {
  let success = true;
  try {
    await Promise.all(journey.map(one));
  } catch (error) {
    console.error(error);
    success = false;
  }
  initSync().__indirect_function_table.get(callback)(data, success);
};
${journeys.join('\n')}
`;
}

/** Merges modules in text form. They share only what they import from the main module. */
export function merge(texts) {
  const imported = new Map();
  const [imports, rest] = [[], []];
  texts.forEach((text, at) => {
    const renamed = new Map();
    const lines = text.trimEnd().split('\n').slice(1, -1);
    for (const line of lines) {
      const [, what, id] = /^ \(import ("\S+" "\S+") \(\w+ (\S+)/.exec(line) ?? [];
      if (!what) continue;
      if (imported.has(what)) {
        renamed.set(id, imported.get(what));
      } else {
        imported.set(what, `$import_${imported.size}`);
        renamed.set(id, imported.get(what));
        imports.push(line.replace(id, () => imported.get(what)));
      }
    }
    const own = lines.filter((line) => !line.startsWith(' (import '));
    // Texts in quotation marks are left alone, unless they are names.
    rest.push(
      own.join('\n').replace(/\$?"(?:[^"\\]|\\.)*"|\$[^\s()"]+/g, (token) => {
        if (renamed.has(token)) return renamed.get(token);
        return token.startsWith('$"') ? `$"${at} ${token.slice(2)}` : token.startsWith('$') ? `$"${at} ${token.slice(1)}"` : token;
      }),
    );
  });
  return `(module\n${[...imports, ...rest].join('\n')}\n)\n`;
}
