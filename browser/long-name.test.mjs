// The longest name, without a space at which a line could break, on a phone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { action, consents, people, person } from "./pages.mjs";
import { layoutFaults, signIn, startRehearsal } from "./world.mjs";

const NAME = "W".repeat(200);

let world;
before(async () => {
  world = await startRehearsal();
  world.sql(`set role certvakt_registrar; update certvakt.people set name = '${NAME}'; update certvakt.person_names set name = '${NAME}'`);
});
after(() => world?.stop());

/** The pages that show people, each with how to get there. */
const PAGES = {
  today: (page) => page.goto("/today"),
  list: (page) => page.goto("/certifications?state=due"),
  printed: (page) => page.goto("/certifications/print?state=due"),
  search: (page) => page.goto("/certifications/new?q=w"),
  several: (page) => page.goto("/changes/new?state=due&action=renewals"),
  certification: (page) => action(page),
  renewal: (page) => action(page, /^Forny$/),
  contact: (page) => action(page, /Registrer kontakt/),
  "contact-points": (page) => action(page, /^Rett e-post eller telefon$/),
  merge: async (page) => { await action(page, /Samme person/); await page.locator("#q").fill("w"); await page.getByRole("button", { name: "Søk" }).click(); },
  consents,
  chapters: (page) => page.goto("/chapters"),
  people,
  person,
};

for (const [name, open] of Object.entries(PAGES)) {
  test(name, async () => {
    const page = await signIn(world, "administrator", { viewport: { width: 320, height: 640 } });
    await open(page);
    // A sentence holds at most 120 characters of a name.
    assert.ok((await page.locator("main").innerText()).includes("W".repeat(100)), "the page shows the name");
    assert.deepEqual(await layoutFaults(page), []);
    await page.context().close();
  });
}
