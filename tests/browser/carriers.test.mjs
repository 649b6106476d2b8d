// Carriers in a real browser: is it them or us; paused and resumed; connected without TOML, taken away, brought back; and a
// demo that keeps its data, stopped and started again.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browser, demo, shot, sideways, signIn, violations, visitor } from "./house.mjs";

const folder = mkdtempSync(join(tmpdir(), "portico-carriers-"));
let house, chrome;
before(async () => { [house, chrome] = await Promise.all([demo("--data", folder), browser()]); });
after(async () => { await chrome?.close(); await house?.stop(); rmSync(folder, { recursive: true, force: true }); });

/** Looks at the page as it is now, in both lights and sizes; what is wrong with it. */
async function looked(page, name) {
  const bad = [];
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const [size, viewport] of [["wide", { width: 1366, height: 768 }], ["phone", { width: 390, height: 844 }]]) {
      await page.setViewportSize(viewport);
      bad.push(...(await violations(page)).map((one) => `${name}, ${scheme}, ${size}: ${one}`));
      if (await sideways(page)) bad.push(`${name}, ${size}: scrolls sideways`);
      await shot(page, `${name}-${scheme}-${size}`);
    }
  }
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.emulateMedia({ colorScheme: "light" });
  return bad;
}

/** A live question as a program puts it. */
const ask = (carrier, member, born) => fetch(`${house.address}/v1/eligibility`, {
  method: "POST",
  headers: { authorization: `Bearer ${house.key}`, "content-type": "application/json" },
  body: JSON.stringify({ carrier, provider: { npi: "1234567893" }, member: { member_id: member, date_of_birth: born }, max_age_secs: 0 }),
}).then((reply) => reply.json());

test("them or us: a carrier out of order is told as theirs, and is back to normal by a press", async () => {
  const { context, page, troubles } = await visitor(chrome);
  await signIn(page, house);
  await page.goto(`${house.address}/developer/sandbox`);
  const card = page.locator("#of-statemed");
  await card.getByLabel("State", { exact: true }).selectOption("unavailable");
  await card.getByRole("button", { name: "Set for statemed" }).click();
  await page.getByText("1 of 6 are not as usual").waitFor();
  const bad = await looked(page, "developer-sandbox-changed");
  const failed = await ask("statemed", "STM-MONTHS-MCO", "1999-04-21");
  assert.match(failed.failure.kind, /^carrier_(unavailable|closed)$/);
  await page.goto(`${house.address}/carriers/statemed`);
  assert.match(await page.locator("#health").innerText(), /It (is|looks like) them/);
  assert.match(await page.locator("#health table").first().innerText(), /theirs/);
  bad.push(...await looked(page, "carriers-one-failing"));
  await page.goto(`${house.address}/carriers`);
  bad.push(...await looked(page, "carriers-list"));
  await page.goto(`${house.address}/developer/sandbox`);
  await page.getByRole("button", { name: "Everything back to normal" }).click();
  await page.getByText("All are as usual").waitFor();
  await context.close();
  assert.deepEqual([...bad, ...troubles], []);
});

test("paused by the keyboard alone, told to the front desk's question, resumed", async () => {
  const { context, page, troubles } = await visitor(chrome, { scripts: false });
  await signIn(page, house);
  await page.goto(`${house.address}/carriers/northstar`);
  await page.getByLabel("Why").focus();
  await page.keyboard.type("their answers are wrong today");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("Paused: nothing is asked there").waitFor();
  assert.match(await page.locator("main").innerText(), /is paused by Demo Person since/);
  const bad = [];
  const failed = await ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
  assert.equal(failed.failure.kind, "carrier_paused");
  await page.goto(`${house.address}/checks/${failed.id}`);
  assert.match(await page.locator("main").innerText(), /their answers are wrong today/);
  await shot(page, "check-paused");
  await page.goto(`${house.address}/check?carrier=northstar`);
  assert.match(await page.locator("main").innerText(), /is paused by Demo Person/);
  await page.getByRole("link", { name: "Resume it on its page" }).click();
  await page.getByRole("button", { name: /^Ask .* again$/ }).click();
  await page.getByText("It is asked again.").waitFor();
  await context.close();
  assert.deepEqual([...bad, ...troubles], []);
});

test("a carrier is connected without a word of TOML, and works", async () => {
  const { context, page, troubles } = await visitor(chrome);
  await signIn(page, house);
  await page.goto(`${house.address}/admin/carriers/northstar`);
  const file = await page.getByLabel("The file").inputValue();
  const setting = (name) => new RegExp(`^${name} *= *"([^"]+)"`, "m").exec(file)?.[1];
  const host = /hosts *= *\["([^"]+)"/.exec(file)[1];
  await page.goto(`${house.address}/admin/carriers/connect`);
  const bad = await looked(page, "connect-choose");
  await page.getByRole("link", { name: /^Choose X12/ }).first().click();
  await page.getByLabel("What people call it").fill("North Star, second office");
  await page.getByLabel("A short id").fill("north-second");
  await page.getByLabel("Hosts").fill(host);
  await page.getByRole("button", { name: "Make the file" }).click();
  await page.locator("main .problems").waitFor();
  bad.push(...await looked(page, "connect-wrong"));
  for (const name of await page.locator("input[name^='settings.']").evaluateAll((all) => all.map((one) => one.name))) {
    await page.locator(`[name="${name}"]`).fill(setting(name.split(".").at(-1)) ?? "NSH");
  }
  await page.getByRole("button", { name: "Make the file" }).click();
  await page.getByText("No problem found.").waitFor();
  bad.push(...await looked(page, "connect-file"));
  // What the small form does not ask for stands in the file: here, that it is on this machine and speaks as its twin does.
  const renamed = file.replace(/^name *=.*$/m, 'name = "North Star, second office"');
  await page.getByLabel("The file").fill(renamed);
  await page.getByRole("button", { name: "Add it" }).click();
  await page.waitForURL(/\/carriers\/north-second/);
  await page.getByText("One step is left").waitFor();
  await page.locator("[name='fields.username']").fill("nsh-practice");
  await page.locator("[name='fields.password']").fill("Sandbox-North-1!");
  await page.getByRole("button", { name: "Store and try it" }).click();
  await page.waitForURL(/said=/);
  bad.push(...await looked(page, "connect-done"));
  assert.equal((await ask("north-second", "NSH-ACTIVE-COPAY40", "1984-03-12")).outcome, "answered");
  await context.close();
  assert.deepEqual([...bad, ...troubles], []);
});

test("a restart keeps the added carrier's login, and what was counted", async () => {
  await house.stop();
  house = await demo("--data", folder);
  assert.equal((await ask("north-second", "NSH-ACTIVE-COPAY40", "1984-03-12")).outcome, "answered");
  const { context, page, troubles } = await visitor(chrome);
  await signIn(page, house);
  await page.goto(`${house.address}/carriers/statemed`);
  assert.match(await page.locator("#health").innerText(), /[1-9] failed/);
  await context.close();
  assert.deepEqual(troubles, []);
});

test("a carrier is taken away with what depends on it told, and brought back; a changed word is marked", async () => {
  const { context, page, troubles } = await visitor(chrome);
  await signIn(page, house);
  await page.goto(`${house.address}/admin/carriers/north-second`);
  const file = await page.getByLabel("The file").inputValue();
  await page.getByLabel("The file").fill(file.replace("second office", "third office"));
  await page.getByRole("button", { name: "Validate and compare" }).click();
  assert.deepEqual(await page.locator(".diff mark").allInnerTexts(), ["second", "third"]);
  const bad = await looked(page, "admin-file-words");
  await page.getByRole("link", { name: "Take this carrier away" }).click();
  bad.push(...await looked(page, "admin-file-remove"));
  await page.getByLabel("Why").fill("one office is enough");
  await page.getByRole("button", { name: "Take it away" }).click();
  await page.getByRole("heading", { name: "Taken away" }).waitFor();
  bad.push(...await looked(page, "admin-files-gone"));
  await page.getByRole("link", { name: "north-second.toml" }).click();
  await page.getByRole("button", { name: /Bring back no/ }).first().click();
  await page.waitForURL(/said=applied/);
  await context.close();
  assert.deepEqual([...bad, ...troubles], []);
});
