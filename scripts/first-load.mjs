// Checks download sizes, as sent over the network, against their budgets: of the first page, and of what is loaded when the
// first page of a journey is opened.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const BUDGETS = { "WASM and JS": 200_000, CSS: 15_000 };
const JOURNEYS = { seller: 120_000, admin: 90_000 };

const dir = process.argv[2];
const names = readdirSync(dir);
const sent = (name) => statSync(join(dir, `${name}.br`)).size;
const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
let over = false;
function print(what, files, budget) {
    const sum = files.reduce((sum, name) => sum + sent(name), 0);
    if (sum === 0) throw new Error(`${dir}: no ${what}`);
    over ||= sum > budget;
    const of = budget ? ` of ${kB(budget)}` : "";
    console.log(`${what}: ${kB(sum)}${of}${files.length > 3 ? `, in ${files.length} files` : ""}`);
}

// Every page loads the main module, its bindings, and the script that loads chunks.
const kinds = { "WASM and JS": /^(haat\..*(js|wasm)|__wasm_split\..*js)$/, CSS: /^haat\..*css$/ };
for (const [kind, pattern] of Object.entries(kinds)) {
    print(`first load, ${kind}`, names.filter((name) => pattern.test(name)), BUDGETS[kind]);
}
const manifest = names.find((name) => /^__wasm_split_manifest\..*json$/.test(name));
for (const [journey, files] of Object.entries(JSON.parse(readFileSync(join(dir, manifest), "utf8")))) {
    print(`later, ${journey}`, files.map((file) => `${file}.wasm`), JOURNEYS[journey]);
}
if (over) {
    console.error("A download is over its budget.");
    process.exit(1);
}
