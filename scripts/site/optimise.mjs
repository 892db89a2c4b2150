// A worker thread of build.mjs: optimises the modules whose paths it receives in place, and reports when each is done. The output
// is the same as that of `wasm-opt -Oz`; a process per module takes three times as long, because Binaryen has to warm up.
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { isUnused } from './bindings.mjs';

const { default: binaryen } = await import(pathToFileURL(workerData.binaryen));
binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
binaryen.setGenerateStackIR(true);
binaryen.setOptimizeStackIR(true);
const { BulkMemory, NontrappingFPToInt } = binaryen.Features;

parentPort.on('message', async (file) => {
  const module = binaryen.readBinary(await readFile(file));
  module.setFeatures(module.getFeatures() | BulkMemory | NontrappingFPToInt);
  for (let at = module.getNumExports() - 1; at >= 0; at--) {
    const { name } = binaryen.getExportInfo(module.getExportByIndex(at));
    if (isUnused(name)) module.removeExport(name);
  }
  module.optimize();
  await writeFile(file, module.emitBinary());
  module.dispose();
  parentPort.postMessage(file);
});
