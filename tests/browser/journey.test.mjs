// A new user's first hour: tomorrow's schedule, the batch, a problem mended, the benefits printed, the story in the trail,
// a carrier added, the program stopped and started again: all is still there.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser, demo, shot, signIn, visitor } from "./house.mjs";

let chrome, folder;
before(async () => { folder = mkdtempSync(join(tmpdir(), "portico-journey-")); chrome = await browser(); });
after(async () => { await chrome?.close(); rmSync(folder, { recursive: true, force: true }); });

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);

test("the first hour, and the morning after", async () => {
  let house = await demo("--data", folder);
  let { context, page, troubles } = await visitor(chrome);
  try {
    await signIn(page, house);
    assert.equal(new URL(page.url()).pathname, "/today", "one's work is the first page");
    await page.goto(`${house.address}/today?date=${tomorrow()}`);
    await shot(page, "readme-today-before");
    await page.getByRole("button", { name: /^Verify \d+$/ }).click();
    const problem = page.getByRole("link", { name: "Fix date of birth ›" }).first();
    await problem.waitFor({ timeout: 60_000 });
    await page.getByText("Asked", { exact: true }).waitFor({ timeout: 60_000 });
    await shot(page, "readme-today");

    // A problem: one press to the page that says where to look.
    await problem.click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.match(new URL(page.url()).pathname, /^\/checks\//);
    assert.match(await page.locator("main").innerText(), /date of birth/i);
    await shot(page, "readme-not-found");
    const focused = await page.evaluate(() => document.activeElement?.id ?? "");
    assert.ok(focused.startsWith("f-"), `the focus is on the suspect field, not on "${focused}"`);

    // One press with the corrected date, and there is an answer.
    await page.getByRole("button", { name: /^Ask again with / }).click();
    await page.waitForLoadState();
    assert.match(new URL(page.url()).pathname, /^\/checks\//);

    // A known patient's saved answer: a key, the name, Enter.
    await page.goto(`${house.address}/today`);
    await page.keyboard.press("/");
    await page.keyboard.type("okafor");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/checks\//);
    assert.match(await page.locator("main").innerText(), /Amara is covered[\s\S]*not a guarantee of payment/);
    await shot(page, "readme-benefits");

    // The whole story is in the paper trail.
    await page.goto(`${house.address}/trail`);
    const told = await page.locator("main").innerText();
    assert.match(told, /Eligibility answered/);
    assert.match(told, /Batch/);

    // A carrier by its file.
    await page.goto(`${house.address}/admin/carriers`);
    await page.locator("main a[href^='/admin/carriers/']").first().waitFor();
    await page.goto(`${house.address}/admin/carriers/northstar`);
    const text = await page.locator("textarea").first().inputValue();
    await page.goto(`${house.address}/admin/carriers/new`);
    await page.getByLabel("The carrier’s id").fill("secondstar");
    await page.getByLabel("The file").fill(text.replace(/^name *= *".*"/m, 'name = "Second Star Health"'));
    await page.getByLabel("Why").fill("a second one");
    await page.getByRole("button", { name: "Add it" }).click();
    await page.waitForLoadState();
    await page.goto(`${house.address}/carriers`);
    await page.getByText("Second Star Health").first().waitFor();
  } finally { await context.close(); await house.stop(); }
  assert.deepEqual(troubles, []);

  // Stopped and started: all is still there.
  house = await demo("--data", folder);
  ({ context, page, troubles } = await visitor(chrome));
  try {
    await signIn(page, house);
    await page.goto(`${house.address}/carriers`);
    await page.getByText("Second Star Health").first().waitFor();
    await page.goto(`${house.address}/today?date=${tomorrow()}`);
    assert.match(await page.locator("main").innerText(), /Active/, "what the carriers said is still there");
    const rows = await page.locator("td[data-label=Patient]").count();
    assert.ok(rows > 20 && rows < 40, `${rows} appointments: none lost, none doubled`);
  } finally { await context.close(); await house.stop(); }
  assert.deepEqual(troubles, []);
});
