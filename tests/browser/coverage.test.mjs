// Check coverage: from the form to the answer, through a refusal that is mended, and onto one sheet of paper.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PEOPLE, browser, demo, shot, sideways, signIn, violations, visitor } from "./house.mjs";

let house, chrome;
before(async () => { [house, chrome] = await Promise.all([demo(), browser()]); });
after(async () => { await chrome?.close(); await house?.stop(); });

/** Fills in the member of the simulated carrier, with this birth date, and no more. */
async function fill(page, month, day, id = "NSH-ACTIVE-COPAY40", year = "1984") {
  await page.goto(`${house.address}/check?carrier=northstar`);
  await page.getByLabel("Member ID", { exact: true }).fill(id);
  const born = page.getByRole("group", { name: "Date of birth" }).first();
  await born.getByLabel("Month").fill(month);
  await born.getByLabel("Day").fill(day);
  await born.getByLabel("Year").fill(year);
  await page.getByLabel("Office visit").check();
  const npi = page.getByLabel("Provider", { exact: true });
  if (await npi.evaluate((one) => one.tagName === "INPUT")) await npi.fill("1234567893");
}

/** What is wrong with a page as it stands. */
async function wrongWith(page, name) {
  const bad = (await violations(page)).map((one) => `${name}: ${one}`);
  if (await sideways(page)) bad.push(`${name}: scrolls sideways`);
  if (PEOPLE.test(await page.title()) || PEOPLE.test(page.url())) bad.push(`${name}: a patient in the title or the address`);
  return bad;
}

for (const scheme of ["light", "dark"]) {
  for (const size of ["wide", "phone"]) {
    test(`every state of a question without a violation: ${scheme}, ${size}`, async () => {
      const { context, page, troubles } = await visitor(chrome, { size, scheme });
      const look = async (name) => { bad.push(...(await wrongWith(page, name))); await shot(page, `check-${name}-${scheme}-${size}`); };
      const bad = [];
      await signIn(page, house);
      await page.goto(`${house.address}/check`);
      await look("new");
      await page.getByLabel("Carrier", { exact: true }).fill("norhtstar");
      await page.getByRole("button", { name: /Northstar/ }).waitFor();
      await look("carriers");
      await page.getByRole("button", { name: /Northstar/ }).click();
      await look("form");
      await fill(page, "13", "40", "NSH 0041");
      await page.getByRole("button", { name: "Check coverage" }).click();
      await look("problems");
      await fill(page, "12", "3");
      await page.getByRole("button", { name: "Check coverage" }).click();
      await page.getByRole("heading", { name: /Not found/ }).waitFor();
      await look("not-found");
      await page.getByRole("button", { name: "Ask again with 12 Mar 1984" }).click();
      await page.getByRole("heading", { name: "Benefits" }).waitFor();
      await shot(page, `check-answer-${scheme}-${size}`);
      await look("answer-open");
      await page.goto(page.url().split("?")[0] + "?print=1");
      await look("paper");
      await fill(page, "8", "8", "NSH-FAULT-500", "1988");
      await page.getByRole("button", { name: "Check coverage" }).click();
      await page.getByText("Whose side").waitFor();
      await look("failed");
      await context.close();
      assert.deepEqual([...bad, ...troubles], []);
    });
  }
}

test("not found to mended: the focus is on the suspect, one press asks again", async () => {
  const { context, page } = await visitor(chrome);
  await signIn(page, house);
  await fill(page, "12", "3");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Not found: check the date of birth" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.name), "patient.date_of_birth.month");
  // Typed over where the focus is, and sent with the Enter key.
  await page.keyboard.type("3");
  await page.keyboard.press("Tab");
  await page.keyboard.type("12");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Benefits" }).waitFor();
  await context.close();
});

test("the whole way without scripts", async () => {
  const { context, page, troubles } = await visitor(chrome, { scripts: false });
  await signIn(page, house);
  await page.goto(`${house.address}/check`);
  await page.getByLabel("Carrier", { exact: true }).fill("norhtstar");
  await page.getByLabel("Member ID", { exact: true }).fill("kept as it is");
  await page.getByRole("button", { name: "Find carrier" }).click();
  await page.getByRole("button", { name: /Northstar/ }).click();
  assert.equal(await page.getByLabel("Member ID", { exact: true }).inputValue(), "kept as it is");
  await fill(page, "12", "3");
  await page.getByRole("button", { name: "Check coverage" }).click();
  await page.getByRole("button", { name: "Ask again with 12 Mar 1984" }).click();
  await page.getByRole("heading", { name: "Benefits" }).waitFor();
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("Try 3").waitFor();
  await context.close();
  assert.deepEqual(troubles, []);
});

test("an answer fits one sheet of Letter paper", async () => {
  const { context, page } = await visitor(chrome);
  await signIn(page, house);
  await fill(page, "3", "12");
  await page.getByRole("button", { name: "Check coverage" }).click();
  await page.getByRole("heading", { name: "Benefits" }).waitFor();
  await page.goto(page.url() + "?print=1");
  const pdf = (await page.pdf({ format: "Letter", preferCSSPageSize: true })).toString("latin1");
  assert.equal(pdf.match(/\/Type\s*\/Page[^s]/g).length, 1);
  await context.close();
});

/** Words, without what a line break or a sign of another font makes of them. */
const words = (text) => text.replace(/→/g, "->").replace(/−/g, "-").split(/[\s·•:]+/).filter(Boolean).sort();

test("the PDF says what the page says, and can be read aloud", async () => {
  const { context, page, troubles } = await visitor(chrome);
  await signIn(page, house);
  await fill(page, "3", "12");
  await page.getByRole("button", { name: "Check coverage" }).click();
  await page.getByRole("heading", { name: "Benefits" }).waitFor();
  const address = page.url();
  assert.equal(await page.getByRole("link", { name: "PDF" }).getAttribute("data-key"), "p");
  await page.goto(`${address}?print=1`);
  await page.emulateMedia({ media: "print" });
  const shown = words(await page.evaluate(() => {
    document.querySelectorAll(".no-print, .hidden, .script-only, .button, nav.jump, form").forEach((part) => part.remove());
    // The style sheet sets facts in one line, with marks that are no text.
    document.querySelectorAll("li").forEach((item) => item.append(" "));
    return document.querySelector("main").innerText;
  }));
  const reply = await context.request.get(`${address}/pdf`);
  assert.equal(reply.headers()["content-type"], "application/pdf");
  assert.match(reply.headers()["content-disposition"], /filename="benefits-[0-9a-f-]+\.pdf"/);
  const folder = mkdtempSync(join(tmpdir(), "portico-pdf-"));
  const file = join(folder, "benefits.pdf");
  writeFileSync(file, await reply.body());
  const run = (program, ...more) => execFileSync(program, more, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const info = run("pdfinfo", file);
  assert.match(info, /Title: +Benefits\n/);
  assert.match(info, /Tagged: +yes/);
  assert.match(info, /Pages: +1\n/);
  assert.match(info, /Page size: +612 x 792 pts \(letter\)/);
  const fonts = run("pdffonts", file).trim().split("\n").slice(2);
  assert.ok(fonts.length > 0 && fonts.every((line) => / yes +yes +yes +\d/.test(line)), `embedded, subset, readable: ${fonts}`);
  const tags = run("pdfinfo", "-struct-text", file);
  for (const tag of ["Document", "H1", "H2", "Table", "TH", "TD", "LI"]) assert.match(tags, new RegExp(`\\b${tag}\\b`), tag);
  const printed = words(run("pdftotext", "-layout", file, "-").replace(/Page 1 of 1/, ""));
  if (process.env.PORTICO_SHOTS) run("pdftoppm", "-r", "110", "-png", "-singlefile", file, join(process.env.PORTICO_SHOTS, "check-pdf"));
  rmSync(folder, { recursive: true });
  await context.close();
  assert.deepEqual(printed, shown);
  assert.deepEqual(troubles, []);
});

test("a patient whose name differs: the carrier's value with one press", async () => {
  const { context, page, troubles } = await visitor(chrome);
  await signIn(page, house);
  const patient = { first_name: "Amara", last_name: "Okaford", date_of_birth: "1984-03-12", coverages: [{ carrier: "northstar", member_id: "NSH-ACTIVE-COPAY40" }] };
  const made = await context.request.post(`${house.address}/v1/patients`, { data: patient, headers: { authorization: `Bearer ${house.key}` } });
  const { id } = await made.json();
  await page.goto(`${house.address}/check?patient=${id}&carrier=northstar`);
  const npi = page.getByLabel("Provider", { exact: true });
  if (await npi.evaluate((one) => one.tagName === "INPUT")) await npi.fill("1234567893");
  await page.getByRole("button", { name: "Check coverage" }).click();
  const use = page.getByRole("button", { name: "Use the carrier’s value: Last name" });
  await use.waitFor();
  await shot(page, "check-mismatch");
  assert.deepEqual(await wrongWith(page, "mismatch"), []);
  await use.click();
  await page.getByText("Saved.").waitFor();
  await page.getByText("(the carrier’s value)").waitFor();
  await context.close();
  assert.deepEqual(troubles, []);
});

test("what was exchanged, segment by segment, to copy and to take away", async () => {
  const { context, page, troubles } = await visitor(chrome);
  await signIn(page, house);
  await fill(page, "3", "12");
  await page.getByRole("button", { name: "Check coverage" }).click();
  await page.getByRole("heading", { name: "Benefits" }).waitFor();
  await page.goto(`${page.url()}/raw`);
  const folds = page.locator("details.fold", { hasText: "Segment by segment" });
  await folds.last().locator("summary").first().click();
  const line = folds.last().locator("li", { hasText: "EB*B*IND*98" }).first();
  await line.locator("summary").click();
  await line.getByText("What is said").waitFor();
  await shot(page, "check-raw");
  const file = await page.getByRole("link", { name: /Download.*The carrier sent/ }).first().getAttribute("href");
  const reply = await context.request.get(house.address + file);
  assert.equal(reply.headers()["content-disposition"], 'attachment; filename="exchange-1-received.txt"');
  assert.match(await reply.text(), /EB\*B\*IND\*98/);
  // Some hundred folds: they are looked at as they stand, not all opened.
  assert.equal(await sideways(page), false);
  await context.close();
  assert.deepEqual(troubles, []);
});
