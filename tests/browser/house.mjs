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

/** Starts `portico demo` at a free port; reads address, login and key from what it prints. */
export async function demo(...more) {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: run tests/browser/run, which builds it`);
  const child = spawn(binary, ["demo", "--port", "0", ...more], { stdio: ["ignore", "pipe", "inherit"] });
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
  return { ...found, stop };
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
