// A day of 500: the batch shows where it is at once, survives a reload, a pause, and the death of the server process, and
// says in the end what went wrong, each reason once.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser, demo, painted, shot, sideways, signIn, violations, visitor } from "./house.mjs";

const ROWS = 500, DAY = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
const LATE = { timeout: 240_000 };
/**
 * The goal is a second, and tests/bench measures it with a release build. What is tried here is a debug build beside whatever
 * else the machine does: this guards against a page that waits for the batch, and the number is printed.
 */
const PROGRESS_WITHIN_MS = Number(process.env.PORTICO_PROGRESS_MS ?? 20_000);

let chrome, folder, house;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "portico-big-day-"));
  [house, chrome] = await Promise.all([demo("--data", folder), browser()]);
});
after(async () => { await chrome?.close(); await house?.stop(); rmSync(folder, { recursive: true, force: true }); });

/**
 * Invented people whom no simulated carrier knows, and three whom one does. State Medical takes one question at a time, and
 * three seconds for STM-SLOW: long enough that there is a middle of the batch.
 */
function file() {
  const known = ["Okafor, Amara,03/12/1984,Northstar,NSH-ACTIVE-COPAY40", "Holloway, Greta,02/29/1976,Northstar,NSH-INACTIVE", "Barragan, Lucia,04/21/1999,statemed,STM-MONTHS-MCO"]
    .map((row) => { const [last, first, ...rest] = row.split(","); return [`"${last},${first}"`, ...rest].join(","); });
  const made = Array.from({ length: ROWS - known.length }, (_, n) => {
    const number = String(n).padStart(4, "0");
    const carrier = n % 5 ? `Northstar,NSH-BIGDAY-${number}` : n % 100 === 50 ? "statemed,STM-SLOW" : `statemed,STM-BIGDAY-${number}`;
    const letters = [Math.floor(n / 26), n % 26].map((at) => String.fromCharCode(97 + at)).join("");
    const two = (number) => String(number).padStart(2, "0");
    return `"Bigday${letters}, Test${letters}",${two(1 + (n % 12))}/${two(1 + (n % 28))}/19${40 + (n % 59)},${carrier}`;
  });
  const rows = [...known, ...made].map((row, n) => `${DAY},${String(8 + Math.floor(n / 60)).padStart(2, "0")}:${String(n % 60).padStart(2, "0")},${row},1234567893,Dr ${n % 3 ? "Rao" : "Sand"}`);
  return `date,time,patient,dob,carrier,member id,npi,provider\n${rows.join("\n")}\n`;
}

const api = async (path, options = {}) => {
  const reply = await fetch(house.address + path, { ...options, headers: { authorization: `Bearer ${house.key}`, ...options.headers } });
  assert.ok(reply.ok, `${path}: ${reply.status}`);
  return reply.json();
};
const state = async () => (await api(`/v1/schedule?date=${DAY}`)).batch;
const ended = (batch) => batch.progress.answered + batch.progress.refused + batch.progress.failed;
/** Waits until it is so; what is looked at comes from the API, so that the page is free to be looked at. */
async function until(wanted) {
  const late = Date.now() + LATE.timeout;
  for (;;) {
    const batch = await state();
    if (wanted(batch)) return batch;
    assert.ok(Date.now() < late, `it does not come to that: ${JSON.stringify(batch)}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

test("a batch of 500, from the press to the last answer", async () => {
  await api("/v1/schedule/import", { method: "POST", headers: { "content-type": "text/csv" }, body: file() });
  const { context, page, troubles } = await visitor(chrome);
  // From the press to the first words of progress, by the browser's own clock, over the load of the next page.
  await page.addInitScript(() => {
    addEventListener("pointerdown", () => sessionStorage.setItem("pressed", String(Date.now())), true);
    const look = () => {
      if (sessionStorage.getItem("pressed") && /Questions\s+\d+ of \d+/.test(document.querySelector("#live")?.innerText ?? ""))
        sessionStorage.getItem("seen") ?? sessionStorage.setItem("seen", String(Date.now() - Number(sessionStorage.getItem("pressed"))));
    };
    addEventListener("DOMContentLoaded", () => { look(); new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true }); });
  });
  await signIn(page, house);
  let bytes = 0;
  const tools = await context.newCDPSession(page);
  await tools.send("Network.enable");
  tools.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
  await page.goto(`${house.address}/today?date=${DAY}`);
  await page.waitForLoadState("networkidle");
  console.log(`a day of ${ROWS}: ${bytes} bytes over the line, largest contentful paint ${Math.round(await painted(page))} ms (goal 500)`);
  assert.ok(bytes < 200 * 1024, `${bytes}`);
  assert.equal(await page.locator("tr[data-row]").count(), 100, "a hundred on a page");

  await page.getByRole("button", { name: `Verify ${ROWS}` }).click();
  await page.getByText(/Questions\s+\d+ of \d+/).waitFor(LATE);
  const seen = Number(await page.evaluate(() => sessionStorage.getItem("seen")));
  console.log(`progress was in sight ${seen} ms after the press (goal 1000)`);
  assert.ok(seen <= PROGRESS_WITHIN_MS, `${seen} ms`);
  const { id, items } = await state();
  assert.equal(items, ROWS);

  // The page follows by itself, and a reload takes nothing away.
  const before = await page.locator("progress").getAttribute("value");
  await page.waitForFunction((was) => Number(document.querySelector("progress")?.value) > Number(was), before, LATE);
  await page.reload();
  await page.getByText(/Questions\s+\d+ of \d+/).waitFor(LATE);

  // Paused: what is under way ends, and nothing more is asked until it is resumed.
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused").waitFor(LATE);
  const paused = await until((batch) => batch.state === "paused" && (batch.progress.asking ?? 0) === 0);
  await page.waitForTimeout(1_500);
  assert.equal(ended(await state()), ended(paused), "nothing is asked while it is paused");
  assert.ok(ended(paused) < ROWS, "it was paused in the middle");
  await page.getByRole("button", { name: "Resume" }).click();

  // The server's process dies, and another one takes its place: the same batch goes on.
  const at = await until((batch) => ended(batch) > ended(paused) + 10);
  assert.equal(at.state, "running", "it is killed in the middle");
  await house.kill();
  const port = new URL(house.address).port;
  house = await demo("--data", folder, "--port", port);
  const after = await state();
  assert.equal(after.id, id, "the same batch");
  assert.ok(ended(after) >= ended(at), "nothing that was answered is lost");
  await page.goto(`${house.address}/today?date=${DAY}`);
  if (new URL(page.url()).pathname.startsWith("/sign-in")) await signIn(page, house);
  await page.goto(`${house.address}/today?date=${DAY}`);
  await page.getByText("Asked", { exact: true }).waitFor(LATE);
  const done = await until((batch) => batch.state === "done");
  assert.equal(ended(done), ROWS);

  // Each question once: 500 items, 500 questions, each with one word of its carrier in the paper trail.
  const questions = new Set();
  for (let next = 0; next !== undefined;) {
    const some = await api(`/v1/eligibility/batches/${id}/items?limit=500&after=${next}`);
    for (const item of some.items) questions.add(item.question);
    next = some.next;
  }
  assert.equal(questions.size, ROWS);
  const twice = [];
  for (const ask of questions) {
    const told = await api("/v1/trail/search", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ask }) });
    if (told.records.filter((one) => one.record.action === "eligibility.answered").length !== 1) twice.push(ask);
  }
  assert.deepEqual(twice, [], "each question has one word of its carrier in the paper trail, before and after the kill");

  // What went wrong, each reason once, and a way to those.
  const reasons = page.getByRole("list", { name: "What went wrong" });
  const told = await reasons.innerText();
  assert.ok((await reasons.locator("li").count()) <= 8, told);
  assert.match(told, /\d+ × Not found: /);
  assert.deepEqual(await violations(page), []);
  assert.equal(await sideways(page), false);
  await shot(page, "big-day-done");
  await reasons.getByRole("link", { name: "Not found" }).first().click();
  assert.match(page.url(), /show=not_found/);
  assert.equal(await page.locator("tr[data-row]").count(), 100);

  // The next page of the list, one doctor's part, and keys.
  await page.getByRole("link", { name: "More" }).click();
  await page.getByText(/101–200 of \d+/).waitFor();
  await page.goto(`${house.address}/today?date=${DAY}`);
  const provider = page.getByLabel("Provider");
  const label = (await provider.locator("option").allInnerTexts()).find((one) => one.includes("Sand"));
  await provider.selectOption({ label });
  await page.getByRole("button", { name: "Show", exact: true }).click();
  assert.match(page.url(), /provider=[0-9a-f]{16}/);
  assert.match(await page.locator("main").innerText(), /All 167/);
  await page.keyboard.press("n");
  const first = await page.evaluate(() => document.activeElement.closest("[data-problem]").id);
  await page.keyboard.press("n");
  assert.notEqual(await page.evaluate(() => document.activeElement.closest("[data-problem]").id), first, "n goes on to the next problem");
  await page.keyboard.press("x");
  assert.equal(await page.locator("input.tick:checked").count(), 1);
  await shot(page, "big-day-narrowed");
  await page.keyboard.press("v");
  await page.waitForURL(/asked=1/);
  assert.match(page.url(), /provider=[0-9a-f]{16}/, "what was narrowed stays so");
  await context.close();
  assert.deepEqual(troubles.filter((one) => !/ERR_CONNECTION|Failed to fetch/.test(one)), []);
});

test("cancelled, what was answered stays", async () => {
  const { context, page } = await visitor(chrome, { scripts: false });
  await signIn(page, house);
  await page.goto(`${house.address}/today?date=${DAY}`);
  for (const tick of await page.locator("input.tick").all()) await tick.check();
  await page.getByRole("button", { name: "Verify the ticked ones" }).click();
  const cancel = page.getByRole("button", { name: "Cancel" });
  await cancel.click();
  await page.getByText("Cancelled: what was answered stays").waitFor(LATE);
  assert.equal((await state()).state, "cancelled");
  await context.close();
});
