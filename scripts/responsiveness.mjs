// Called by scripts/lighthouse: ORIGIN RUNS. How long pages keep a visitor waiting on a phone whose processor is four times slower
// than this machine's: the longest task, the blocking time (what tasks take beyond 50 ms) from the start until the page is
// hydrated and quiet, and the slowest interaction afterwards, until the next frame is shown. Medians.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const [origin, runs] = process.argv.slice(2);
const { chromium, devices } = createRequire(new URL("../end2end/package.json", import.meta.url))("@playwright/test");

const SLOWER = 4;
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

// A fixed amount of work, so that figures of different machines, and of a busy hour, can be compared.
function speed() {
    const started = performance.now();
    let mixed = 1;
    for (let i = 0; i < 200_000_000; i += 1) mixed = (mixed * 1_103_515_245 + i) | 0;
    return { ms: performance.now() - started, mixed };
}

const main = (page) => page.getByRole("main");
const listing = await (await fetch(`${origin}/products`)).text();
const product = listing.match(/href="(\/p\/[^"]+)"/)?.[1];
if (!product) throw new Error("no product is listed");

// What a visitor does first on each page.
const PAGES = [
    ["home", "/", async (page) => {
        await page.getByRole("searchbox").first().pressSequentially("bowl", { delay: 120 });
    }],
    ["category", "/c/tableware", async (page) => {
        await page.getByRole("searchbox").first().pressSequentially("bowl", { delay: 120 });
    }],
    ["product", product, async (page) => {
        await main(page).locator("button[type=submit]").first().click();
        await page.waitForTimeout(1_000);
    }],
    ["basket", "/cart", async (page) => {
        await main(page).getByRole("button", { name: /^Increase quantity/ }).first().click();
        await page.waitForTimeout(1_000);
    }],
];

function observe() {
    const seen = { tasks: [], events: [] };
    globalThis.seen = seen;
    new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((task) => task.duration))).observe({
        type: "longtask",
        buffered: true,
    });
    new PerformanceObserver((list) => {
        seen.events.push(...list.getEntries().filter((event) => event.interactionId).map((event) => event.duration));
    }).observe({ type: "event", durationThreshold: 16, buffered: true });
}

async function visit(browser, path, act) {
    const context = await browser.newContext({ ...devices["Pixel 5"], locale: "en-IN" });
    const page = await context.newPage();
    if (path === "/cart") {
        await page.goto(origin + product);
        await page.locator("html[data-live]").waitFor({ state: "attached" });
        await main(page).locator("button[type=submit]").first().click();
        await page.waitForTimeout(1_000);
    }
    await page.addInitScript(observe);
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
    await page.goto(origin + path);
    await page.locator("html[data-live]").waitFor({ state: "attached" });
    await page.waitForTimeout(1_500);
    const tasks = await page.evaluate(() => globalThis.seen.tasks.splice(0));
    await act(page);
    await page.waitForTimeout(500);
    const events = await page.evaluate(() => globalThis.seen.events);
    await context.close();
    return {
        longest: Math.max(0, ...tasks),
        blocked: tasks.reduce((sum, task) => sum + Math.max(0, task - 50), 0),
        slowest: Math.max(0, ...events),
    };
}

const executablePath = process.env.CHROME_PATH;
const browser = await chromium.launch({ executablePath: existsSync(executablePath ?? "") ? executablePath : undefined, args: ["--no-sandbox"] });
console.log(`the processor ${SLOWER} times slower; a fixed loop takes ${speed().ms.toFixed(0)} ms here without that`);
console.log(`${"page".padEnd(10)} ${"longest task".padStart(13)} ${"blocked".padStart(9)} ${"slowest interaction".padStart(20)}`);
for (const [name, path, act] of PAGES) {
    const visits = [];
    for (let run = 0; run < Number(runs); run += 1) visits.push(await visit(browser, path, act));
    const of = (figure) => `${median(visits.map((each) => each[figure])).toFixed(0)} ms`;
    console.log(`${name.padEnd(10)} ${of("longest").padStart(13)} ${of("blocked").padStart(9)} ${of("slowest").padStart(20)}`);
}
await browser.close();
