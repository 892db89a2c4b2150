// scripts/slowest.mjs FILE…: the ten slowest tests in reports from nextest (JUnit) and Playwright (JSON).
import { readFileSync } from "node:fs";

const tests = [];

function ofPlaywright(suite) {
    for (const { title, file, tests: runs } of suite.specs ?? []) {
        for (const { projectName, results } of runs) {
            const ms = results.reduce((sum, result) => sum + result.duration, 0);
            tests.push([ms / 1000, `${projectName} ${file} "${title}"`]);
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
    for (const [, name, binary, seconds] of report.matchAll(/<testcase name="(.*?)" classname="(.*?)".*? time="(.*?)"/g)) {
        tests.push([Number(seconds), `${binary} ${name}`]);
    }
}

tests.sort(([one], [other]) => other - one);
for (const [seconds, name] of tests.slice(0, 10)) {
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}`);
}
