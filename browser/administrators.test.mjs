// What administrators come for, with the keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertFocus, signIn, start, startEmpty, tabTo } from "./world.mjs";

let world;
before(async () => {
  world = await start();
});
after(() => world?.stop());

test("change the text of a notice, and see it before it is saved", async () => {
  const page = await signIn(world, "administrator");
  await page.goto("/settings");
  await tabTo(page, "Tekster i e-post");
  await page.keyboard.press("Enter");
  await page.waitForURL(/texts$/);
  await tabTo(page, "Endre for 30 dager før utløp, på norsk");
  await page.keyboard.press("Enter");
  await page.waitForURL(/texts\/expiry_warning_30d\/nb$/);
  const body = page.getByLabel("Tekst", { exact: true });
  const builtIn = await body.inputValue();
  await tabTo(page, /^\{type\}/);
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("Kjære {navn}. ");
  await tabTo(page, "Vis forhåndsvisning");
  await page.keyboard.press("Enter");
  await page.getByText("Noe må rettes").waitFor();
  await assertFocus(page, /^Noe må rettes/);
  await tabTo(page, /^«navn» er ikke et felt/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Home");
  for (const _ of "Kjære {navn") await page.keyboard.press("ArrowRight");
  for (const _ of "vn") await page.keyboard.press("Backspace");
  await page.keyboard.type("me");
  await tabTo(page, "Vis forhåndsvisning");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /^Forhåndsvisning: / }).waitFor();
  await assertFocus(page, "Forhåndsvisning: 30 dager før utløp, på norsk");
  const shown = await page.locator("main").ariaSnapshot();
  assert.match(shown, /Kjære Kari Nordmann\. Likeperson hos /);
  await tabTo(page, "Lagre teksten");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=/);
  await assertFocus(page, "Teksten er lagret: 30 dager før utløp, på norsk");
  await tabTo(page, "Endre for 30 dager før utløp, på norsk");
  await page.keyboard.press("Enter");
  await page.waitForURL(/texts\/expiry_warning_30d\/nb$/);
  await tabTo(page, "Bruk standardteksten");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /^Forhåndsvisning: / }).waitFor();
  await assertFocus(page, "Forhåndsvisning: 30 dager før utløp, på norsk");
  await tabTo(page, "Lagre teksten");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=/);
  await assertFocus(page, "Teksten er lagret: 30 dager før utløp, på norsk");
  await page.goto(page.url().replace(/texts.*/, "texts/expiry_warning_30d/nb"));
  assert.equal(await page.getByLabel("Tekst", { exact: true }).inputValue(), builtIn);
});

test("add a mentor, give them their first certification, and erase them", async () => {
  const page = await signIn(world, "administrator", { viewport: { width: 320, height: 640 } });
  const tabToField = async (id) => {
    for (let presses = 0; presses < 100; presses++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement.id) === id) return;
    }
    assert.fail(`Tab never reaches ${id}`);
  };
  const press = async (name) => {
    await tabTo(page, name);
    await page.keyboard.press("Enter");
  };
  await page.goto("/settings");
  await press("Personer og roller");
  await page.waitForURL(/people$/);
  await press("Legg til en person");
  await page.waitForURL(/people\/new$/);
  // Without a name and a chapter, the summary has the focus and leads to the field.
  await press("Legg til");
  await page.getByText("Noe må rettes").waitFor();
  await assertFocus(page, /^Noe må rettes/);
  await tabTo(page, /^Skriv navnet/);
  await page.keyboard.press("Enter");
  await page.keyboard.type("Åse Tastatur");
  await tabToField("chapter");
  await page.keyboard.press("ArrowDown");
  await press("Legg til");
  await page.waitForURL(/done=added/);
  await assertFocus(page, "Lagt til: Åse Tastatur");

  await press("Legg til en sertifisering");
  await page.waitForURL(/\/people\/[^/]+\/certifications$/);
  await tabToField("certification_type");
  if ((await page.locator("#certification_type").inputValue()) === "") await page.keyboard.press("ArrowDown");
  await tabToField("until");
  await page.keyboard.type(`1.2.${new Date().getFullYear() + 2}`);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Kontroller før du lagrer" }).waitFor();
  await assertFocus(page, "Stemmer dette? Åse Tastatur er ikke sertifisert ennå");
  await press("Lagre sertifiseringen");
  await page.waitForURL(/done=certified/);
  await assertFocus(page, /^Sertifisert: Åse Tastatur, /);

  await page.goto("/settings");
  await press("Personer og roller");
  await page.waitForURL(/people$/);
  await tabToField("q");
  await page.keyboard.type("aase tastatur");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=aase/);
  await press("Åse Tastatur");
  await page.waitForURL(/people\/[^/]+$/);
  await press("Slett personen");
  await page.waitForURL(/erasures$/);
  const shown = await page.locator("main").ariaSnapshot();
  assert.match(shown, /heading "Dette blir igjen" \[level=2\]/);
  await tabToField("name");
  await page.keyboard.type("Åse Tastatur");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=erased/);
  await assertFocus(page, /^Personen er slettet fra /);
});

test("import a register with a chapter column, and undo it", async () => {
  const page = await signIn(world, "administrator");
  await tabTo(page, "Importer");
  await page.keyboard.press("Enter");
  await page.waitForURL(/imports$/);
  const rows = ["Medlemsnr;Gyldig til;Navn;Lokallag", "8801;31.01.2028;Ågot Ørnes;Svalbard", "8802;31.12.2028;Bjørn Ås;Svalbard"];
  await page.locator("#file").setInputFiles({ name: "register.csv", mimeType: "text/csv", buffer: Buffer.from(rows.join("\n")) });
  await tabTo(page, "Last opp og gå videre");
  await page.keyboard.press("Enter");
  await page.waitForURL(/columns$/);
  const columns = await page.locator("main").ariaSnapshot();
  assert.match(columns, /combobox "Kolonnen «Lokallag»"/);
  assert.equal(await page.locator("#column-3").inputValue(), "chapter");
  await page.locator("#type").selectOption({ index: 1 });
  await page.locator("#add_chapters").check();
  await tabTo(page, "Kontroller registeret");
  await page.keyboard.press("Enter");
  await page.waitForURL(/imports\/[0-9a-f-]+$/);
  await assertFocus(page, "2 rader er kontrollert. Ingenting er importert ennå");
  assert.match(await page.locator("main").ariaSnapshot(), /Et nytt lokallag blir opprettet: Svalbard\./);
  // A group opens with the keyboard.
  await tabTo(page, "Nye: 2");
  await page.keyboard.press("Enter");
  assert.ok(await page.getByText("Ågot Ørnes").isVisible());
  await tabTo(page, "Importer");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Registeret er importert" }).waitFor();
  await assertFocus(page, "Registeret er importert");
  await tabTo(page, "Angre importen");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Importen er angret" }).waitFor();
  await assertFocus(page, "Importen er angret");
});

test("first use of an empty installation", async () => {
  const empty = await startEmpty();
  try {
    const page = await signIn(empty, null);
    await page.goto(empty.setup);
    await tabTo(page, "Opprett foreningen");
    await page.keyboard.press("Enter");
    await page.getByText("Noe må rettes").waitFor();
    await assertFocus(page, /^Noe må rettes/);
    const type = async (id, words) => {
      for (let presses = 0; (await page.evaluate(() => document.activeElement.id)) !== id; presses++) {
        assert.ok(presses < 60, `Tab never reaches ${id}`);
        await page.keyboard.press("Tab");
      }
      await page.keyboard.type(words);
    };
    await type("organisation", "Hørselhemmedes forening");
    await type("chapter", "Østre Åsen");
    await type("type_name", "Likeperson");
    await type("name", "Åse Leder");
    await type("address", "leder@example.org");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Foreningen er opprettet" }).waitFor();
    const again = await page.goto(empty.setup);
    assert.equal(again.status(), 404);
  } finally {
    await empty.stop();
  }
});
