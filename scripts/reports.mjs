// scripts/reports.mjs FILE…: the ten slowest tests, and those that failed, in reports from nextest (JUnit) and Playwright (JSON).
import { readFileSync } from "node:fs";

const tests = [];
const failed = [];

const TESTCASE = /<testcase name="(.*?)" classname="(.*?)".*? time="(.*?)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs;

function ofPlaywright(suite) {
    for (const { title, file, tests: runs } of suite.specs ?? []) {
        for (const { projectName, results } of runs) {
            const ms = results.reduce((sum, result) => sum + result.duration, 0);
            const name = `${projectName} ${file} "${title}"`;
            tests.push([ms / 1000, name]);
            if (!['passed', 'skipped'].includes(results.at(-1)?.status)) failed.push([name, results.at(-1)?.error?.message]);
        }
    }
    suite.suites?.forEach(ofPlaywright);
}

for (const file of process.argv.slice(2)) {
    const report = readFileSync(file, "utf8");
    if (file.endsWith(".json")) {
        ofPlaywright(JSON.parse(report));
        continue;
    }
    for (const [, test, binary, seconds, rest] of report.matchAll(TESTCASE)) {
        const name = `${binary} ${test}`;
        tests.push([Number(seconds), name]);
        const failure = rest?.match(/<(?:failure|error)\b[^>]*?message="(.*?)"/s);
        if (rest?.match(/<(?:failure|error)\b/)) failed.push([name, failure?.[1]]);
    }
}

console.log("the slowest tests");
tests.sort(([one], [other]) => other - one);
for (const [seconds, name] of tests.slice(0, 10)) {
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}`);
}

// Repeated here, since whoever reads the end of a long log should not have to search it.
if (failed.length > 0) console.log("\nfailed");
for (const [name, message] of failed) {
    console.log(`  ${name}\n    ${(message ?? "no message").replaceAll(/\x1b\[[\d;]*m/g, "").split("\n").filter((line) => line.trim()).slice(0, 16).join("\n    ")}`);
}
