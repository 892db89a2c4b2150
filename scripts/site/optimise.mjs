// A worker thread of build.mjs: merges the modules whose paths it receives into the first of them, optimises that in place, and
// reports when it is done. The output is the same as that of `wasm-opt -Oz`; a process per module takes three times as long, because Binaryen has to warm up.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { isUnused } from './bindings.mjs';
import { merge } from './chunks.mjs';
import { ordered } from './order.mjs';

const { default: binaryen } = await import(pathToFileURL(workerData.binaryen));
binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
binaryen.setGenerateStackIR(true);
binaryen.setOptimizeStackIR(true);
const { BulkMemory, NontrappingFPToInt } = binaryen.Features;

async function read(files) {
  const modules = await Promise.all(files.map(async (file) => binaryen.readBinary(await readFile(file))));
  if (modules.length === 1) return modules[0];
  const texts = modules.map((module) => module.emitText());
  const module = binaryen.parseText(merge(texts));
  module.setFeatures(modules.reduce((all, module) => all | module.getFeatures(), 0));
  modules.forEach((module) => module.dispose());
  if (!module.validate()) throw new Error(`cannot merge ${files}`);
  return module;
}

parentPort.on('message', async (files) => {
  const module = await read(files);
  const features = module.getFeatures() | BulkMemory | NontrappingFPToInt;
  module.setFeatures(features);
  for (let at = module.getNumExports() - 1; at >= 0; at--) {
    const { name } = binaryen.getExportInfo(module.getExportByIndex(at));
    if (isUnused(name)) module.removeExport(name);
  }
  module.optimize();
  await Promise.all(files.slice(1).map((file) => rm(file)));
  const optimised = Buffer.from(module.emitBinary());
  module.dispose();
  await writeFile(files[0], ordered(binaryen, optimised, features));
  parentPort.postMessage(files[0]);
});
