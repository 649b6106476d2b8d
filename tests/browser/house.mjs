// A gateway with its simulated carriers, a browser, and what is looked for on every page.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const binary = process.env.PORTICO_BIN ?? join(target, "debug", "portico");
/** Screenshots go here when the variable is set: for people to look at. */
const shots = process.env.PORTICO_SHOTS;

const WITHIN = 60_000;

/** Starts `portico demo` at a free port, or the one that is given; reads address, login and key from what it prints. */
export async function demo(...more) {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: run tests/browser/run, which builds it`);
  const child = spawn(binary, ["demo", ...(more.includes("--port") ? [] : ["--port", "0"]), ...more], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  const found = await new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error("the demo did not start within a minute")), WITHIN);
    child.on("exit", (code) => fail(new Error(`the demo ended with ${code}`)));
    child.stdout.on("data", (bytes) => {
      text += bytes;
      const address = /API +(http:\S+)/.exec(text)?.[1], key = /API key +(\S+)/.exec(text)?.[1];
      const login = /Login +(\S+) \/ (\S+)/.exec(text);
      if (address && key && login && text.includes("Ctrl-C stops everything")) {
        clearTimeout(late);
        done({ address, key, email: login[1], password: login[2] });
      }
    });
  });
  const stop = () => new Promise((done) => {
    child.removeAllListeners("exit");
    child.on("exit", done);
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), 15_000).unref();
  });
  /** As a power cut does it: nothing is put in order first. */
  const kill = () => new Promise((done) => {
    child.removeAllListeners("exit");
    child.on("exit", done);
    child.kill("SIGKILL");
  });
  return { ...found, stop, kill };
}

/** Debian's browser, or the one the variable names. */
export function browser() {
  const executablePath = process.env.PORTICO_CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}

export const SIZES = { wide: { width: 1366, height: 768 }, phone: { width: 390, height: 844 } };

/** A context of its own; `troubles` collects what must never happen on any page. */
export async function visitor(chrome, { size = "wide", scheme = "light", scripts = true, ...more } = {}) {
  const context = await chrome.newContext({ viewport: SIZES[size], colorScheme: scheme, javaScriptEnabled: scripts, ...more });
  const troubles = [];
  const page = await context.newPage();
  page.on("console", (message) => {
    // A 4xx that the test itself provokes is reported by the browser as an error of the network, not of the page.
    if (["error", "warning"].includes(message.type()) && !/Failed to load resource/.test(message.text())) troubles.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => troubles.push(`script: ${error.message}`));
  page.on("response", (response) => { if (response.status() >= 500) troubles.push(`${response.status()} ${new URL(response.url()).pathname}`); });
  return { context, page, troubles };
}

export async function signIn(page, house) {
  await page.goto(`${house.address}/sign-in`);
  await page.getByLabel("E-mail address").fill(house.email);
  await page.getByLabel("Password", { exact: true }).fill(house.password);
  await page.getByLabel("Password", { exact: true }).press("Enter");
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}

/** Whoever signs the page's session out elsewhere, or lets it run out: its cookie stays in the browser and is worth nothing. */
export async function endSessions(house) {
  const headers = { authorization: `Bearer ${house.key}` };
  const reply = await (await fetch(`${house.address}/v1/sessions`, { headers })).json();
  for (const one of reply.sessions) await fetch(`${house.address}/v1/sessions/${one.id}`, { method: "DELETE", headers });
  return reply.sessions.length;
}

/**
 * Counts what somebody does, by the browser's own events, over page loads: a run of typed keys is one interaction (a card
 * that is scanned, a name, a date over three fields), each Enter is one, each press of the mouse is one.
 */
export async function counting(page) {
  await page.addInitScript(() => {
    const read = () => JSON.parse(sessionStorage.getItem("count") ?? '{"all":0,"keys":0,"run":false}');
    const add = (change) => { const now = read(); change(now); sessionStorage.setItem("count", JSON.stringify(now)); };
    addEventListener("keydown", (event) => {
      if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
      add((now) => {
        now.keys += 1;
        if (event.key === "Enter" || !now.run) now.all += 1;
        now.run = event.key !== "Enter";
      });
    }, true);
    addEventListener("pointerdown", () => add((now) => { now.all += 1; now.run = false; }), true);
  });
  await page.reload();
  return {
    start: () => page.evaluate(() => sessionStorage.setItem("count", '{"all":0,"keys":0,"run":false}')),
    seen: () => page.evaluate(() => JSON.parse(sessionStorage.getItem("count"))),
  };
}

/** When the largest part of the page was painted, milliseconds since its address was asked for. */
export const painted = (page) => page.evaluate(() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime)).observe({ type: "largest-contentful-paint", buffered: true });
}));

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe-core finds, with every fold and dialog that can be opened opened. */
export async function violations(page) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  const found = await new AxeBuilder({ page }).withTags(RULES).analyze();
  return found.violations.map((rule) => `${rule.id}: ${rule.help}\n    ${rule.nodes.slice(0, 4).map((node) => node.html.slice(0, 160) + " | " + (node.any[0]?.message ?? "")).join("\n    ")}`);
}

/** A screenshot for people, where one is wanted; what stands in the README shows what a screen shows. */
export async function shot(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: !name.startsWith("readme-") });
}

/** Whether the page scrolls sideways; tables scroll in their own box. */
export const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);

/** Patient data of the demo that must never stand in an address or a title. */
export const PEOPLE = /okafor|barragan|sorensen|whitcombe|delacroix|NSH-|STM-|HHM-|BVP-|HUB-|1984-03-12/i;
