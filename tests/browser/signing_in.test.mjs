// Signing in and out, with scripts and without; what a stranger's page may not do; the cover of a page left alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, demo, signIn, visitor } from "./house.mjs";

let house, chrome;
before(async () => { [house, chrome] = await Promise.all([demo(), browser()]); });
after(async () => { await chrome?.close(); await house?.stop(); });

for (const scripts of [true, false]) {
  test(`in and out, scripts ${scripts ? "on" : "off"}`, async () => {
    const { context, page, troubles } = await visitor(chrome, { scripts });
    await page.goto(house.address + "/account");
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    await page.getByLabel("E-mail address").fill(house.email);
    await page.getByLabel("Password", { exact: true }).fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    assert.match(await page.locator(".problems").innerText(), /address or the password is wrong/);
    assert.equal(await page.getByLabel("E-mail address").inputValue(), house.email, "what was typed is kept");
    assert.equal(await page.getByLabel("Password", { exact: true }).inputValue(), "", "a password does not come back");
    await page.getByLabel("Password", { exact: true }).fill(house.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    assert.equal(new URL(page.url()).pathname, "/account", "one goes on to the page that was wanted");
    const cookie = (await context.cookies()).find((one) => one.name === "portico");
    assert.ok(cookie.httpOnly && cookie.sameSite === "Lax");
    await page.getByRole("button", { name: "Sign out" }).click();
    assert.match(await page.locator("main").innerText(), /You are signed out/);
    await page.goto(house.address + "/account");
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    await context.close();
    assert.deepEqual(troubles, []);
  });
}

test("a session begun by somebody else is not taken over", async () => {
  const { context, page } = await visitor(chrome);
  await context.addCookies([{ name: "portico", value: "A".repeat(43), url: house.address }]);
  await signIn(page, house);
  const cookie = (await context.cookies()).find((one) => one.name === "portico");
  assert.notEqual(cookie.value, "A".repeat(43));
  await context.close();
});

test("another site's form does nothing, and no site may frame a page", async () => {
  const { context, page } = await visitor(chrome);
  await signIn(page, house);
  const away = house.address.replace("127.0.0.1", "localhost");
  // Another origin on the same machine, with a form that aims at us.
  await page.route(away + "/trap", (route) => route.fulfill({ contentType: "text/html", body: `<form method=post action="${house.address}/sign-out"><button>x</button></form><iframe src="${house.address}/account"></iframe>` }));
  await page.goto(away + "/trap");
  const [answer] = await Promise.all([page.waitForResponse((one) => one.url().endsWith("/sign-out")), page.getByRole("button", { name: "x" }).click()]);
  // The browser does not even send the cookie along; if it did, the form's proof would be missing.
  assert.ok([401, 403].includes(answer.status()), String(answer.status()));
  await page.goto(house.address + "/account");
  assert.equal(new URL(page.url()).pathname, "/account", "still signed in");
  assert.equal(answer.headers()["x-frame-options"], "DENY");
  await context.close();
});

test("a page left alone covers itself, keeps the draft, and goes on with the password", async () => {
  const { context, page } = await visitor(chrome);
  await page.clock.install();
  await signIn(page, house);
  await page.goto(house.address + "/account");
  await page.getByLabel("The new one").fill("a draft of something");
  await page.clock.runFor(13 * 60_000);
  const cover = page.getByRole("dialog", { name: /Locked/ });
  await cover.waitFor();
  assert.equal(await page.getByLabel("The new one").isVisible(), false, "what is beneath cannot be read");
  await cover.getByLabel("Password").fill("wrong");
  await cover.getByRole("button", { name: "Go on" }).click();
  await cover.getByText(/wrong/).waitFor();
  await cover.getByLabel("Password").fill(house.password);
  await cover.getByRole("button", { name: "Go on" }).click();
  await cover.waitFor({ state: "hidden" });
  assert.equal(await page.getByLabel("The new one").inputValue(), "a draft of something");
  // The form beneath has the new session's proof: it is taken.
  await page.getByRole("button", { name: "Sign out" }).click();
  assert.match(await page.locator("main").innerText(), /You are signed out/);
  await context.close();
});

test("keys lead from page to page, and do nothing while one types", async () => {
  const { context, page } = await visitor(chrome);
  await signIn(page, house);
  await page.goto(house.address + "/account");
  await page.keyboard.press("?");
  assert.ok(await page.getByRole("dialog", { name: "Keys" }).isVisible());
  await page.keyboard.press("Escape");
  await page.getByLabel("The present one").fill("gc?");
  assert.equal(new URL(page.url()).pathname, "/account");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "find");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.waitForURL("**/carriers");
  await context.close();
});
