// Admin in a real browser, without scripts: a carrier is added by its file, changed by two, and put back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, demo, shot, signIn, violations, visitor } from "./house.mjs";

let house, chrome;
before(async () => { [house, chrome] = await Promise.all([demo(), browser()]); });
after(async () => { await chrome?.close(); await house?.stop(); });

test("a carrier by its file, a conflict, a way back, without scripts", async () => {
  const { context, page, troubles } = await visitor(chrome, { scripts: false });
  await signIn(page, house);
  await page.goto(`${house.address}/admin/carriers/northstar`);
  const text = await page.getByLabel("The file").inputValue();
  await page.goto(`${house.address}/admin/carriers/new`);
  await page.getByLabel("The carrier’s id").fill("acme-ohio");
  await page.getByLabel("The file").fill(text.replace(/^name = .*$/m, 'name = "Acme of Ohio"').replace("hosts", "hosst"));
  await page.getByLabel("Why").fill("a new carrier");
  await page.getByRole("button", { name: "Add it" }).click();
  assert.match(await page.locator("main .problems").innerText(), /Line \d+, column 1: unknown key "hosst"/);
  await shot(page, "admin-file-wrong");
  await page.getByLabel("The file").fill(text.replace(/^name = .*$/m, 'name = "Acme of Ohio"'));
  await page.getByRole("button", { name: "Add it" }).click();
  assert.match(page.url(), /acme-ohio\?said=applied/);

  const other = await context.newPage();
  await other.goto(`${house.address}/admin/carriers/acme-ohio`);
  await page.getByLabel("The file").fill(`# mine\n${text}`);
  await page.getByLabel("Why").fill("mine");
  await page.getByRole("button", { name: "Put it in force" }).click();
  await other.getByLabel("The file").fill(`# theirs\n${text}`);
  await other.getByLabel("Why").fill("theirs");
  await other.getByRole("button", { name: "Put it in force" }).click();
  assert.match(await other.locator("main").innerText(), /Somebody else changed this file/);
  assert.match(await other.getByLabel("The file").inputValue(), /^# theirs/);
  assert.match(await other.locator(".diff").innerText(), /# mine/);
  await shot(other, "admin-file-conflict");
  await page.reload();
  await page.getByRole("button", { name: "Go back to no. 1" }).click();
  assert.match(page.url(), /said=applied/);
  assert.match(await page.getByLabel("The file").inputValue(), /Acme of Ohio/);
  await page.goto(`${house.address}/carriers`);
  assert.match(await page.locator("main").innerText(), /Acme of Ohio/);
  await context.close();
  assert.deepEqual(troubles, []);
});

test("what is shown once, and the explorer's answer, are readable by everybody", async () => {
  const { context, page, troubles } = await visitor(chrome);
  await signIn(page, house);
  await page.goto(`${house.address}/admin/people`);
  await page.getByLabel("E-mail address").fill("grace@portico.example");
  await page.getByLabel("Name", { exact: true }).fill("Grace");
  await page.getByRole("button", { name: "Invite" }).click();
  const bad = await violations(page);
  await shot(page, "admin-invited");
  await page.goto(`${house.address}/developer/explorer`);
  await page.getByRole("button", { name: "Send as yourself" }).click();
  assert.match(await page.locator("#answer").innerText(), /"outcome": "answered"/);
  bad.push(...await violations(page));
  await shot(page, "developer-explorer-answer");
  await context.close();
  assert.deepEqual([...bad, ...troubles], []);
});
