// What people come for, with the keyboard alone: where the focus is, and what a screen reader gets.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertFocus, signIn, start, tabTo, violations } from "./world.mjs";

let world;
before(async () => {
  world = await start();
});
after(() => world?.stop());

test("the first Tab skips to the content", async () => {
  const page = await signIn(world, "coordinator");
  await page.keyboard.press("Tab");
  await assertFocus(page, "Hopp til innholdet");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const isInMain = await page.evaluate(() => document.activeElement.closest("main") !== null);
  assert.ok(isInMain);
});

test("see whom to call, and record it", async () => {
  const page = await signIn(world, "coordinator", { viewport: { width: 320, height: 640 } });
  const heading = await page.locator("h1").innerText();
  const before = Number(/\d+/.exec(heading)[0]);
  await tabTo(page, /^Registrer kontakt/);
  await page.keyboard.press("Enter");
  await page.waitForURL(/contacts$/);
  // Without a choice, the summary has the focus and leads to the field.
  await tabTo(page, "Registrer kontakt");
  await page.keyboard.press("Enter");
  await page.getByText("Noe må rettes").waitFor();
  await assertFocus(page, /^Noe må rettes/);
  assert.match(await page.title(), /^Feil: /);
  await tabTo(page, "Velg hva som skjedde.");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await tabTo(page, "Registrer kontakt");
  await page.keyboard.press("Enter");
  await page.waitForURL(/today/);
  await assertFocus(page, new RegExp(`^Kontakten med .+ er lagret\\. ${before - 1} saker trenger deg$`));
  // A mistake is taken back on the page of the person.
  await tabTo(page, "Se kontakten, eller fjern den");
  await page.keyboard.press("Enter");
  await page.waitForURL(/certifications\/[0-9a-f-]+$/);
  await tabTo(page, /^Fjern kontakten/);
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=contact-undone/);
  await assertFocus(page, /^Kontakten er fjernet: /);
});

test("renew one, and find out what happened", async () => {
  const page = await signIn(world, "coordinator");
  await page.goto("/certifications?state=due");
  const name = await page.locator("h3").first().innerText();
  await tabTo(page, name);
  await page.keyboard.press("Enter");
  await page.waitForURL(/certifications\/[0-9a-f-]+$/);
  await tabTo(page, "Forny");
  await page.keyboard.press("Enter");
  await page.waitForURL(/renewals$/);
  await tabTo(page, "Neste: kontroller");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /^Stemmer dette/ }).waitFor();
  await assertFocus(page, /^Stemmer dette/);
  const check = await page.locator("main").ariaSnapshot();
  assert.match(check, /term: Kurset ble fullført/);
  assert.match(check, /term: Siste gyldige dag etter endringen/);
  await tabTo(page, "Lagre fornyelsen");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=renewed/);
  await assertFocus(page, new RegExp(`^Fornyet: ${name}, `));
  const after = await page.locator("main").ariaSnapshot();
  assert.match(after, new RegExp(`heading "Fornyet: ${name}, .*" \\[level=1\\]`));
  assert.match(after, /Fornyet. Siste gyldige dag før/);
  // The way back shows the same page, and sends nothing again.
  await page.reload();
  assert.equal(await page.getByText("Fornyet. Siste gyldige dag før").count(), 1);
  // Later the change is found among one's own.
  await page.goto("/today");
  await tabTo(page, "Endringene dine det siste døgnet");
  await page.keyboard.press("Enter");
  await page.waitForURL(/changes$/);
  assert.match(await page.locator("main").ariaSnapshot(), new RegExp(`heading "${name}" \\[level=2\\][\\s\\S]*button "Angre endringen for ${name}"`));
  assert.deepEqual((await violations(page)).violations, []);
});

test("after an undo, the search for somebody else has the focus", async () => {
  const page = await signIn(world, "coordinator");
  await page.goto("/certifications?state=due");
  await page.locator("h3 a").last().click();
  await tabTo(page, "Forny");
  await page.keyboard.press("Enter");
  await page.waitForURL(/renewals$/);
  await tabTo(page, "Neste: kontroller");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /^Stemmer dette/ }).waitFor();
  await tabTo(page, "Lagre fornyelsen");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=renewed/);
  await tabTo(page, "Angre din siste endring");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=undone/);
  await tabTo(page, "Finn en annen");
  await page.keyboard.press("Enter");
  await page.waitForURL(/certifications#q$/);
  await page.waitForFunction(() => document.activeElement.id === "q");
});

test("find out why somebody got no notice, and correct the address", async () => {
  const page = await signIn(world, "coordinator", { viewport: { width: 320, height: 640 } });
  const group = page.getByRole("heading", { level: 2, name: /^Kan ikke nås/ }).locator("xpath=following-sibling::ul[1]//h3/a").first();
  const name = await group.innerText();
  const path = await group.getAttribute("href");
  await tabTo(page, name);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === path);
  const top = await page.locator("main").ariaSnapshot();
  assert.match(top, /Varsler når ikke fram\. Det er ikke registrert noen e-postadresse/);
  assert.match(top, /men når ikke fram|Nylig utløpt/);
  // The remedy is the first link of the page.
  await tabTo(page, "Hopp til innholdet");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await assertFocus(page, "Rett e-post eller telefon");
  await page.keyboard.press("Enter");
  await page.waitForURL(/contact-points$/);
  const toField = async (id) => {
    for (let presses = 0; (await page.evaluate(() => document.activeElement.id)) !== id; presses++) {
      assert.ok(presses < 60, `Tab never reaches ${id}`);
      await page.keyboard.press("Tab");
    }
  };
  await toField("email");
  await page.keyboard.type("kari@");
  await page.keyboard.press("Enter");
  await page.getByText("Noe må rettes").waitFor();
  await assertFocus(page, /^Noe må rettes/);
  await tabTo(page, /^Skriv en e-postadresse/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.type("example.org");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=email_added/);
  await assertFocus(page, new RegExp(`^E-postadressen er lagret: ${name}, `));
  const after = await page.locator("main").ariaSnapshot();
  assert.match(after, /kari@example\.org/);
  assert.match(after, /Det blir sendt på nytt/);
  await tabTo(page, "Tilbake til sertifiseringen");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === path);
  const person = await page.locator("main").ariaSnapshot();
  assert.match(person, /link "kari@example\.org"/);
  assert.doesNotMatch(person, /Varsler når ikke fram/);
  assert.match(person, /En e-postadresse ble lagt til/);
});

test("renew several with one taken out, and undo them together", async () => {
  const page = await signIn(world, "coordinator", { viewport: { width: 320, height: 640 } });
  await page.goto("/certifications?state=due");
  // What can be done with all of the list follows what was found.
  await assertFocus(page, /^Viser 1–/);
  await tabTo(page, "Forny flere", 3);
  await page.keyboard.press("Enter");
  await page.waitForURL(/changes\/new/);
  const number = Number(/^Forny (\d+) /.exec(await page.locator("h1").innerText())[1]);
  assert.ok(number > 2, `${number}`);
  // The first box is that of the first person on the list; Space unticks it.
  const first = page.getByRole("checkbox").first();
  for (let presses = 0; !(await first.evaluate((box) => box === document.activeElement)); presses++) {
    assert.ok(presses < 100, "Tab never reaches the first box");
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Space");
  assert.equal(await first.isChecked(), false);
  await tabTo(page, "Neste: kontroller");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: `Stemmer dette? ${number - 1} fornyelser` }).waitFor();
  await assertFocus(page, /^Stemmer dette/);
  assert.ok(await page.getByText(/^Ikke med: [^;]+$/).isVisible());
  await tabTo(page, "Lagre for alle på listen");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=renewals/);
  await assertFocus(page, `Fornyet: ${number - 1} sertifiseringer`);
  await tabTo(page, `Angre alle ${number - 1} endringene`);
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=undone/);
  await assertFocus(page, `Angret: ${number - 1} sertifiseringer`);
  await page.goto("/certifications?state=due");
  await page.getByRole("link", { name: "Forny flere" }).click();
  assert.equal(await page.getByRole("checkbox").count(), number, "all of them are due again");
});

test("find a person by a name written in another way", async () => {
  const page = await signIn(world, "coordinator");
  await page.goto("/certifications");
  await page.getByLabel("Navn eller nummer i registeret").fill("Haakon");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=Haakon/);
  const names = await page.locator("h3").allInnerTexts();
  assert.ok(names.length > 0 && names.every((name) => /^Håkon /.test(name)), names.join(", "));
  // The first one found follows what has the focus, after what can be done with all of them.
  await assertFocus(page, `Viser 1–${names.length} av ${names.length}`);
  await tabTo(page, new RegExp(`^${names[0]}`), 3);
  await page.getByLabel("Navn eller nummer i registeret").fill("finnes ikke");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=finnes/);
  await assertFocus(page, "Ingen treff");
  await page.getByRole("link", { name: /Fjern filteret/ }).click();
  assert.equal(await page.getByRole("link", { name: /Fjern filteret/ }).count(), 0);
});

test("a mentor sees what they hold, and nothing to change", async () => {
  const page = await signIn(world, "mentor");
  assert.equal(new URL(page.url()).pathname, "/me");
  const shown = await page.locator("body").ariaSnapshot();
  assert.match(shown, /heading "Min side" \[level=1\]/);
  assert.doesNotMatch(shown, /I dag|Sertifiseringer"/);
  await page.locator("h3 a").first().click();
  assert.equal(await page.getByRole("link", { name: "Forny" }).count(), 0);
});

test("a mentor turns notices off, and gives a phone number instead", async () => {
  const page = await signIn(world, "mentor", { viewport: { width: 320, height: 640 } });
  await tabTo(page, "Slik når varslene deg");
  await page.keyboard.press("Enter");
  await page.waitForURL(/channels$/);
  const tabToField = async (id) => {
    for (let presses = 0; presses < 50; presses++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement.id) === id) return;
    }
    assert.fail(`Tab never reaches ${id}`);
  };
  for (const kind of ["email", "push"]) {
    await tabToField(kind);
    await page.keyboard.press("Space");
  }
  await tabTo(page, "Lagre valgene");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=chosen/);
  await assertFocus(page, "Lagret: hvor du vil ha varsler");
  assert.ok(await page.getByText("Ingen varsler når deg nå").isVisible());
  // A number that is not certain leads back to its field, with what was entered.
  await tabToField("phone");
  await page.keyboard.type("912 34");
  await page.keyboard.press("Enter");
  await page.getByText("Noe må rettes").waitFor();
  await assertFocus(page, /^Noe må rettes/);
  await tabTo(page, /^Skriv et telefonnummer/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.type(" 567");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=added/);
  await assertFocus(page, "Lagret: telefonnummer");
  const shown = await page.locator("body").ariaSnapshot();
  assert.match(shown, /button "Fjern Telefon \+4791234567"/);
});

test("another organisation's people are not found", async () => {
  const coordinator = await signIn(world, "coordinator");
  await coordinator.goto("/certifications");
  const path = await coordinator.locator("h3 a").first().getAttribute("href");
  const outsider = await signIn(world, "outsider");
  const answer = await outsider.goto(path);
  assert.equal(answer.status(), 404);
  assert.match(await outsider.locator("main").innerText(), /Her er det ingenting/);
});

test("the list prints without its menu and filters", async () => {
  const page = await signIn(world, "coordinator");
  await page.goto("/certifications");
  await page.emulateMedia({ media: "print" });
  for (const hidden of ["header", ".filter"]) assert.ok(await page.locator(hidden).isHidden(), hidden);
  assert.ok(await page.locator(".rows").isVisible());
});

test("headings are in order on each page", async () => {
  const page = await signIn(world, "administrator");
  for (const path of ["/today", "/certifications", "/outlook", "/chapters", "/runs", "/imports", "/me", "/me/notices", "/me/channels", "/me/listings", "/about"]) {
    await page.goto(path);
    const levels = await page.locator("h1, h2, h3").evaluateAll((all) => all.map((one) => Number(one.tagName[1])));
    assert.equal(levels[0], 1);
    levels.slice(1).forEach((level, number) => assert.ok(level > 1 && level <= levels[number] + 1, `${path}: ${levels}`));
  }
});

test("pages are light, and the style sheet is loaded once", async () => {
  const page = await signIn(world, "coordinator");
  const visit = async (path) => {
    const requests = [];
    const note = (request) => requests.push(request);
    page.on("requestfinished", note);
    await page.goto(path);
    page.off("requestfinished", note);
    const sizes = await Promise.all(requests.map((request) => request.sizes()));
    return sizes.reduce((sum, one) => sum + one.responseBodySize + one.responseHeadersSize, 0);
  };
  const fresh = await world.browser.newContext({ baseURL: world.base, storageState: await page.context().storageState() });
  const first = await fresh.newPage();
  const seen = [];
  first.on("requestfinished", (request) => seen.push(request.sizes()));
  await first.goto("/certifications");
  const weight = (await Promise.all(seen)).reduce((sum, one) => sum + one.responseBodySize + one.responseHeadersSize, 0);
  assert.ok(weight <= 60 * 1024, `first visit: ${weight} bytes`);
  for (const path of ["/today", "/certifications", "/runs", "/me", "/me/channels"]) {
    const bytes = await visit(path);
    assert.ok(bytes <= 15 * 1024, `${path}: ${bytes} bytes`);
  }
});

test("find somebody in a list by name, and go back a page", async () => {
  const page = await signIn(world, "administrator");
  await page.goto("/certifications");
  await page.getByLabel("Sorter etter").selectOption("Navn");
  await page.getByRole("button", { name: "Vis sertifiseringer" }).click();
  await page.waitForURL(/order=name/);
  const shown = await page.locator("h2.found").innerText();
  assert.match(shown, /^Viser 1–50 av (over )?\d+$/);
  await page.getByRole("link", { name: "Neste side" }).click();
  await page.waitForURL(/from=50/);
  assert.match(await page.locator("h2.found").innerText(), /^Viser 51–\d+ av /);
  await page.getByRole("link", { name: "Forrige side" }).click();
  await page.waitForURL((url) => !url.search.includes("from="));
  assert.equal(await page.locator("h2.found").innerText(), shown);
});
