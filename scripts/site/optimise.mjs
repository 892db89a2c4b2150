// A thread of build.mjs: makes each module whose path it is sent small, in place, and says when that is done. Its output is
// that of `wasm-opt -Oz`; a process for each module takes three times as long, since Binaryen is slow until its own code is hot.
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { default: binaryen } = await import(pathToFileURL(workerData.binaryen));
binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
binaryen.setGenerateStackIR(true);
binaryen.setOptimizeStackIR(true);
const { BulkMemory, NontrappingFPToInt } = binaryen.Features;

parentPort.on('message', async (file) => {
  const module = binaryen.readBinary(await readFile(file));
  module.setFeatures(module.getFeatures() | BulkMemory | NontrappingFPToInt);
  module.optimize();
  await writeFile(file, module.emitBinary());
  module.dispose();
  parentPort.postMessage(file);
});
