// Builds `target/site`, the browser files, from the compiled module: chunks and bindings, the style sheet and static files,
// optimised, named by a hash of their content and compressed. The list of names is written to `target/site.txt`.
//
// Without a module, builds `target/site.plain`: only the style sheet and static files, for pages without JavaScript.
//
// usage: node scripts/site/build.mjs [MODULE]
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { shorten } from './bindings.mjs';
import { loader, mergers } from './chunks.mjs';
import { withoutEmptySegments } from './order.mjs';

const run = promisify(execFile);
const [module] = process.argv.slice(2);
// Built next to the one that may be in use, and moved into its place when complete.
const site = `target/site.${process.pid}`;
const pkg = join(site, 'pkg');

// Installed by scripts/tools, outside the clone.
const tools = createRequire(join(process.env.HAAT_CACHE, 'tools', 'npm', 'index.js'));
const { bundle, browserslistToTargets } = tools('lightningcss');
const { transform } = tools('esbuild');
const browserslist = tools('browserslist');

/** The placeholder for the hash in the chunk loader's name, as long as a hash. */
const GAP = '_'.repeat(22);
/** A hash as long as GAP. */
const hash = (bytes) => createHash('sha256').update(bytes).digest('base64url').slice(0, GAP.length);
const isModule = (name) => name.endsWith('.wasm');
/** The script that loads the chunks. */
const LOADER = `__wasm_split.${GAP}.js`;
const text = async (name) => readFile(join(pkg, name), 'utf8');

/** The list of names, which the program reads at startup. */
let hashes = '';

async function step(what, work) {
  const begun = Date.now();
  await work();
  console.log(`  ${what}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

/** Merges small chunks, and optimises the modules for size: largest first, two at a time. */
async function optimise() {
  const { manifest, merged } = await mergers(pkg, JSON.parse(await text('__wasm_split_manifest.json')));
  await writeFile(join(pkg, '__wasm_split_manifest.json'), JSON.stringify(manifest));
  await writeFile(join(pkg, LOADER), loader(manifest));
  const files = [['haat'], ...merged.values()].map((parts) => parts.map((part) => join(pkg, `${part}.wasm`)));
  const sizes = new Map(await Promise.all(files.map(async (parts) => [parts, (await stat(parts[0])).size])));
  files.sort((a, b) => sizes.get(a) - sizes.get(b));
  const thread = async () => {
    const worker = new Worker(new URL('optimise.mjs', import.meta.url), {
      workerData: { binaryen: tools.resolve('binaryen') },
    });
    for (let file = files.pop(); file; file = files.pop()) {
      worker.postMessage(file);
      await once(worker, 'message');
    }
    await worker.terminate();
  };
  await Promise.all([thread(), thread()]);
}

/** Bundles the imported style sheets into one. */
function style() {
  const targets = browserslistToTargets(browserslist('defaults'));
  return bundle({ filename: 'style/main.css', minify: true, targets }).code;
}

async function minify(name) {
  const file = join(pkg, name);
  const { code } = await transform(await readFile(file, 'utf8'), { minify: true, format: 'esm', target: 'es2022' });
  await writeFile(file, code);
}

/**
 * Puts a hash of its content into the name of each file, and the new names into the files that use them. Chunks name
 * their loader in their import section, so it is replaced by a name of the same length.
 */
async function nameByContent() {
  const put = async (old, name, content) => {
    await writeFile(join(pkg, old), content);
    await rename(join(pkg, old), join(pkg, name));
  };
  const names = await readdir(pkg);

  // The loader's hash covers everything that it loads: the chunks and the bindings, before any names are inserted.
  const chunks = names.filter((name) => /^(split|chunk)_.*\.wasm$/.test(name)).sort();
  const parts = await Promise.all([...chunks, 'haat.js', 'haat.wasm', LOADER].map((name) => readFile(join(pkg, name))));
  const loaderHash = hash(Buffer.concat(parts));
  const loaderName = LOADER.replace(GAP, loaderHash);

  const renamed = new Map();
  for (const name of names.filter(isModule)) {
    const bytes = await readFile(join(pkg, name));
    for (let at = bytes.indexOf(LOADER); at !== -1; at = bytes.indexOf(LOADER, at)) bytes.write(loaderName, at, 'latin1');
    const stem = name.slice(0, -'.wasm'.length);
    const own = stem.includes(GAP) ? stem.replace(GAP, hash(bytes)) : `${stem}.${hash(bytes)}`;
    renamed.set(stem, own);
    await put(name, `${own}.wasm`, bytes);
  }
  const replaced = (content) => {
    for (const [old, own] of renamed) content = content.replaceAll(`${old}.wasm`, `${own}.wasm`);
    return content.replaceAll(LOADER, loaderName);
  };

  const bindings = replaced(await text('haat.js'));
  const bindingsName = `haat.${hash(bindings)}.js`;
  await put('haat.js', bindingsName, bindings);
  await put(LOADER, loaderName, replaced(await text(LOADER)).replaceAll('haat.js', bindingsName));

  const chunksOf = Object.entries(JSON.parse(await text('__wasm_split_manifest.json')));
  const manifest = JSON.stringify(
    Object.fromEntries(chunksOf.map(([part, files]) => [part, files.map((file) => renamed.get(file) ?? file)])),
  );
  await put('__wasm_split_manifest.json', `__wasm_split_manifest.${hash(manifest)}.json`, manifest);

  const sheet = await readFile(join(pkg, 'haat.css'));
  await put('haat.css', `haat.${hash(sheet)}.css`, sheet);

  const list = {
    js: bindingsName.split('.')[1],
    wasm: renamed.get('haat').split('.')[1],
    css: hash(sheet),
    manifest: hash(manifest),
    split: loaderHash,
  };
  hashes = Object.entries(list).map(([kind, own]) => `${kind}: ${own}\n`).join('');
}

/** Brotli's postfix bits and direct codes for distances (RFC 7932, section 4). */
const DISTANCES = [
  [0, 0],
  [0, 4],
  [0, 8],
  [0, 10],
  [1, 8],
  [1, 16],
];

/** Writes compressed copies of each file at the highest level, several at a time in Node's thread pool. */
async function compress() {
  const brotli = promisify(brotliCompress);
  const zip = promisify(gzip);
  const entries = await readdir(site, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file);
      const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
      // Every page loads the main module. Which codes for distances make it smallest differs from build to build.
      const codes = /[\\/]haat\.[^\\/]*\.wasm$/.test(file) ? DISTANCES : [[0, 0]];
      const tried = codes.map(([postfix, direct]) =>
        brotli(bytes, {
          params: { ...params, [constants.BROTLI_PARAM_NPOSTFIX]: postfix, [constants.BROTLI_PARAM_NDIRECT]: direct },
        }),
      );
      const [smallest] = (await Promise.all(tried)).sort((a, b) => a.length - b.length);
      await writeFile(`${file}.br`, smallest);
      await writeFile(`${file}.gz`, await zip(bytes, { level: 9 }));
    }),
  );
}

async function styleAndStatics() {
  await writeFile(join(pkg, 'haat.css'), style());
  await cp('public', site, { recursive: true });
}

/** Replaces the previous build with the new one. */
async function publish(place) {
  await rm(place, { recursive: true, force: true });
  await rename(site, place);
}

await mkdir(pkg, { recursive: true });
if (!module) {
  await styleAndStatics();
  // Empty stubs of the files that every page requests: pages work as rendered by the server.
  await writeFile(join(pkg, 'haat.js'), 'export default async () => {};\nexport const hydrate = () => {};\n');
  await writeFile(join(pkg, 'haat.wasm'), '');
  await publish('target/site.plain');
  process.exit();
}
await step('chunks and bindings', () => run('haat-wasm-tool', [module, pkg]));
await step('size optimisation', async () => {
  await optimise();
  const main = withoutEmptySegments(await readFile(join(pkg, 'haat.wasm')));
  const [wasm, bindings] = await shorten(main, await readFile(join(pkg, 'haat.js'), 'utf8'));
  await writeFile(join(pkg, 'haat.wasm'), wasm);
  await writeFile(join(pkg, 'haat.js'), bindings);
  await Promise.all((await readdir(pkg)).filter((name) => name.endsWith('.js')).map(minify));
});
await step('style and static files', styleAndStatics);
await step('content hashes', nameByContent);
await step('compression', compress);
await publish('target/site');
await writeFile('target/site.txt', hashes);
