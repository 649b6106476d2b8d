// The front desk's day in a real browser: verified with scripts and without, worked through, printed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PEOPLE, browser, demo, shot, sideways, signIn, violations, visitor } from "./house.mjs";

let house, chrome;
before(async () => { [house, chrome] = await Promise.all([demo(), browser()]); });
after(async () => { await chrome?.close(); await house?.stop(); });

const day = (ahead) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
const tomorrow = () => `/today?date=${day(1)}`;

test("without scripts: the same, and the page refreshes itself", async () => {
  const { context, page, troubles } = await visitor(chrome, { scripts: false });
  await signIn(page, house);
  await page.goto(house.address + `/today?date=${day(0)}`);
  await page.getByRole("button", { name: /^Verify \d+$/ }).click();
  await page.getByText("Fix date of birth ›").first().waitFor({ timeout: 60_000 });
  assert.deepEqual(troubles, []);
  await context.close();
});

test("with scripts: the list follows the batch by itself", async () => {
  const { context, page, troubles } = await visitor(chrome);
  await signIn(page, house);
  await page.goto(house.address + tomorrow());
  await page.getByRole("button", { name: /^Verify \d+$/ }).click();
  await page.waitForURL(/asked=/);
  await page.evaluate(() => { window.same = true; });
  await page.getByText("Asked", { exact: true }).waitFor({ timeout: 60_000 });
  assert.equal(await page.evaluate(() => window.same), true, "the page was not loaded anew");
  // From a badge to what to do: one press.
  await page.getByText("Choose the carrier ›").click();
  assert.match(new URL(page.url()).pathname, /^\/patients\/pat_/);
  await context.close();
  assert.deepEqual(troubles, []);
});

for (const scheme of ["light", "dark"]) {
  for (const size of ["wide", "phone"]) {
    test(`no violation: ${scheme}, ${size}`, async () => {
      const { context, page, troubles } = await visitor(chrome, { size, scheme });
      await signIn(page, house);
      await page.goto(house.address + tomorrow());
      const patient = await page.locator("td[data-label=Patient] a").first().getAttribute("href");
      const bad = [];
      const look = async (name) => {
        bad.push(...(await violations(page)).map((one) => `${name}: ${one}`));
        if (await sideways(page)) bad.push(`${name}: scrolls sideways`);
        if (PEOPLE.test(await page.title()) || PEOPLE.test(page.url())) bad.push(`${name}: a patient in the title or the address`);
        await shot(page, `${name}-${scheme}-${size}`);
      };
      const pages = { today: tomorrow(), "today-empty": "/today?date=2031-01-02", import: "/schedule/import", huddle: `/today/huddle?date=${day(1)}`, patient };
      for (const [name, address] of Object.entries(pages)) {
        await page.goto(house.address + address);
        await look(name);
      }
      await page.goto(house.address + "/schedule/import");
      await page.getByLabel("Or rows, pasted from a table").fill("date,patient,dob\n1/2/2031,\"Roe, Jo\",25/12/1980\n");
      await page.getByRole("button", { name: "Import" }).click();
      await page.getByText("Line 2, date of birth").waitFor();
      await look("import-wrong");
      await context.close();
      assert.deepEqual([...bad, ...troubles], []);
    });
  }
}

test("the sheet for the morning is broad, and has what a huddle needs", async () => {
  const { context, page } = await visitor(chrome);
  await signIn(page, house);
  await page.goto(house.address + `/today/huddle?names=initials&date=${day(1)}`);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("nav.side").isVisible(), false);
  assert.equal(await page.getByText("Okafor").count(), 0);
  const sheet = await page.pdf({ preferCSSPageSize: true });
  const box = /MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+)/.exec(sheet.toString("latin1"));
  assert.ok(Number(box[1]) > Number(box[2]), "landscape");
  await context.close();
});
