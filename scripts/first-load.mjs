// Checks the download size of the first page, as sent over the network, against its budget.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const BUDGETS = { "WASM and JS": 215_000, CSS: 15_000 };

const dir = process.argv[2];
const sent = new Map();
for (const name of readdirSync(dir).filter((name) => /\.(css|js|json|wasm)$/.test(name))) {
    sent.set(name, statSync(join(dir, `${name}.br`)).size);
}

// Every page loads the main module, its bindings, and the script that loads chunks.
const kinds = { "WASM and JS": /^(haat\..*(js|wasm)|__wasm_split\..*js)$/, CSS: /^haat\..*css$/ };
const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
let over = false;
for (const [kind, names] of Object.entries(kinds)) {
    const files = [...sent].filter(([name]) => names.test(name));
    const sum = files.reduce((sum, [, bytes]) => sum + bytes, 0);
    if (sum === 0) throw new Error(`${dir}: no ${kind}`);
    over ||= sum > BUDGETS[kind];
    console.log(`first load, ${kind}: ${kB(sum)} of ${kB(BUDGETS[kind])}`);
}
const later = [...sent].filter(([name]) => /^(split|chunk)_.*wasm$/.test(name));
for (const [name, bytes] of later) console.log(`later, ${name.split(".")[0]}: ${kB(bytes)}`);
if (over) {
    console.error("The first load is over its budget.");
    process.exit(1);
}
