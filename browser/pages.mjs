// Every page at every size and in every mode: nothing beside the screen, large enough targets, no violation of WCAG. The
// files of phones and desktops run at the same time, each with a service of its own.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { SCREENSHOTS, become, layoutFaults, signIn, startEmpty, startRehearsal, violations } from "./world.mjs";

/** An installation that nobody has set up, for pages of `nobody`. */
let empty;
/** The service with its demo data. */
let world;

const CONTACT_POINTS = /^(Rett e-post eller telefon|Correct e-mail or phone)$/;
const CORRECTION = /^(Rett siste gyldige dag|Correct the last valid day)$/;
const SUSPENSION = /^(Stans midlertidig|Suspend)$/;
const WITHDRAWAL = /^(Trekk tilbake|Withdraw)$/;

/** The pages, each with how to get there. */
const PAGES = {
  "sign-in": [null, (page) => page.goto("/sign-in")],
  "sign-in-again": ["administrator", (page) => page.goto("/sign-in?step_up=true")],
  setup: ["nobody", (page) => page.goto(empty.setup)],
  "setup-refused": ["nobody", async (page) => { await page.goto(empty.setup); await page.getByRole("button", { name: /^(Opprett|Create)/ }).click(); }],
  today: ["coordinator", (page) => page.goto("/today")],
  certifications: ["coordinator", (page) => page.goto("/certifications")],
  filtered: ["coordinator", (page) => page.goto("/certifications?state=lapsed&q=an")],
  "list-later": ["coordinator", (page) => page.goto("/certifications?state=lapsed&on=1.1.68&order=name")],
  "list-refused": ["coordinator", (page) => page.goto("/certifications?state=due&on=6.12")],
  "list-unreachable": ["coordinator", (page) => page.goto("/certifications?state=unreachable")],
  printed: ["coordinator", (page) => page.goto("/certifications/print?state=due")],
  nothing: ["coordinator", (page) => page.goto("/certifications?q=finnes+ikke")],
  certification: ["coordinator", first],
  renewal: ["coordinator", (page) => action(page, /^(Forny|Renew)$/)],
  "renewal-refused": ["coordinator", async (page) => { await renewal(page, "31.02.2026"); }],
  "renewal-check": ["coordinator", async (page) => { await renewal(page); }],
  correction: ["coordinator", (page) => action(page, CORRECTION)],
  "correction-refused": ["coordinator", async (page) => { await correction(page, "31.02.2028"); }],
  "correction-check": ["coordinator", async (page) => { await correction(page, `1.2.${new Date().getFullYear() + 3}`); }],
  suspension: ["coordinator", (page) => action(page, SUSPENSION)],
  "suspension-refused": ["coordinator", async (page) => { await action(page, SUSPENSION); await page.locator("#date").fill("31.02.2028"); await page.getByRole("button", { name: SUSPENSION }).click(); }],
  // Nothing in the form can be refused.
  reinstatement: ["coordinator", (page) => reinstatement(page)],
  withdrawal: ["coordinator", (page) => action(page, WITHDRAWAL)],
  "withdrawal-check": ["coordinator", async (page) => { await action(page, WITHDRAWAL); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  kept: ["coordinator", (page) => kept(page)],
  contact: ["coordinator", (page) => action(page, /Registrer kontakt|Record a contact/)],
  "contact-refused": ["coordinator", async (page) => { await action(page, /Registrer kontakt|Record a contact/); await page.getByRole("button", { name: /Registrer kontakt|Record a contact/ }).click(); }],
  letter: ["coordinator", async (page) => { await action(page, /Registrer kontakt|Record a contact/); await page.locator("a[href$=letter]").click(); await page.waitForURL(/letter$/); }],
  "contact-points": ["administrator", (page) => action(page, CONTACT_POINTS)],
  "contact-points-refused": ["administrator", async (page) => { await action(page, CONTACT_POINTS); await page.locator("#email").fill("kari"); await page.getByRole("button", { name: /^(Lagre|Save)$/ }).click(); }],
  "listing-consents": ["administrator", (page) => consents(page)],
  "listing-consents-refused": ["administrator", async (page) => { await consents(page); await page.locator("input.date").first().fill("31.02.2026"); await page.getByRole("button", { name: /^(Registrer samtykke|Record consent)/ }).first().click(); }],
  "consent-letter": ["administrator", async (page) => { await consents(page); await page.locator("a[href$=letter]").click(); await page.waitForURL(/letter$/); }],
  unreached: ["coordinator", (page) => unreached(page)],
  move: ["administrator", (page) => action(page, /Flytt til et annet|Move to another/)],
  "move-refused": ["administrator", async (page) => { await action(page, /Flytt til et annet|Move to another/); await page.getByRole("button", { name: /Flytt til et annet|Move to another/ }).click(); }],
  end: ["administrator", (page) => action(page, /har sluttet|has left/)],
  "end-refused": ["administrator", async (page) => { await action(page, /har sluttet|has left/); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  "end-check": ["administrator", async (page) => { await action(page, /har sluttet|has left/); await page.getByRole("radio").first().check(); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  merge: ["administrator", (page) => merge(page)],
  "merge-refused": ["administrator", async (page) => { await merge(page); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  "merge-check": ["administrator", async (page) => { await merge(page); await page.getByRole("radio").first().check(); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  chapters: ["administrator", (page) => page.goto("/chapters")],
  "chapter-move": ["administrator", (page) => chapterMove(page)],
  "chapter-move-refused": ["administrator", async (page) => { await chapterMove(page); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  "chapter-move-check": ["administrator", async (page) => { await chapterMove(page); await page.locator("#chapter").selectOption({ index: 1 }); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  handover: ["administrator", (page) => handover(page)],
  "handover-refused": ["administrator", async (page) => { await handover(page); await page.getByRole("button", { name: /^(Lagre koord|Save the coord)/ }).click(); }],
  several: ["coordinator", (page) => several(page)],
  "several-refused": ["coordinator", async (page) => { await several(page); for (const box of await page.getByRole("checkbox").all()) await box.uncheck(); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  "several-check": ["coordinator", async (page) => { await several(page); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  "several-few-check": ["coordinator", async (page) => { await page.goto("/changes/new?state=due&action=renewals&chosen=none"); await page.getByRole("checkbox").first().check(); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); await page.locator("summary").click(); }],
  "several-done": ["coordinator", (page) => changed(page)],
  changes: ["coordinator", (page) => page.goto("/changes")],
  "contacts-later": ["coordinator", (page) => page.goto("/contacts")],
  outlook: ["administrator", (page) => page.goto("/outlook")],
  "outlook-refused": ["administrator", async (page) => { await page.goto("/outlook"); await page.locator("input.date").first().fill("mange"); await page.getByRole("button", { name: /^(Lagre|Save)/ }).first().click(); }],
  about: [null, (page) => page.goto("/about")],
  "about-signed-in": ["mentor", (page) => page.goto("/about")],
  runs: ["administrator", (page) => page.goto("/runs")],
  partners: ["coordinator", (page) => page.goto("/partners")],
  partner: ["administrator", (page) => partner(page)],
  settlement: ["administrator", (page) => settlement(page)],
  "settlement-refused": ["administrator", async (page) => { await settlement(page); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  "settlement-check": ["administrator", async (page) => { await settlement(page); await page.locator("#decision-accept").check(); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  "settlement-search": ["administrator", async (page) => { await settlement(page, 1); await page.locator("#q").fill("an"); await page.getByRole("button", { name: /^(Søk|Search)$/ }).click(); }],
  resumption: ["administrator", (page) => resumption(page)],
  "resumption-refused": ["administrator", async (page) => { await resumption(page); await page.getByRole("button", { name: /^(Start sendingen|Resume sending)/ }).click(); }],
  imports: ["administrator", (page) => page.goto("/imports")],
  "imports-refused": ["administrator", async (page) => { await page.goto("/imports"); await page.getByRole("button", { name: /^(Last opp|Upload)/ }).click(); }],
  "import-columns": ["administrator", (page) => columns(page)],
  "import-columns-refused": ["administrator", async (page) => { await columns(page); await page.locator("#column-1").selectOption(""); await page.getByRole("button", { name: /^(Kontroller|Check)/ }).click(); }],
  "import-reading-refused": ["administrator", async (page) => { await columns(page); await page.locator("#header_row").fill("x"); await page.getByRole("button", { name: /^(Les filen|Read the file)/ }).click(); }],
  "imports-coordinator": ["coordinator", (page) => page.goto("/imports")],
  "import-check-coordinator": ["coordinator", (page) => once("check-coordinator", page, () => checkRegister(page))],
  "import-check": ["administrator", (page) => checkedImport(page)],
  "import-done": ["administrator", (page) => imported(page)],
  "import-number": ["administrator", (page) => page.goto("/imports/numbers/1")],
  settings: ["administrator", (page) => page.goto("/settings")],
  "settings-refused": ["administrator", async (page) => { await settings(page, "kveld"); }],
  "settings-check": ["administrator", async (page) => { await settings(page, "21:30"); }],
  "settings-types": ["administrator", (page) => section(page, /^(Typer sertifisering|Types of certification)$/)],
  "settings-types-refused": ["administrator", async (page) => { await section(page, /^(Typer sertifisering|Types of certification)$/); await page.getByRole("button", { name: /^(Legg til|Add)/ }).click(); }],
  "settings-type": ["administrator", (page) => typeSettings(page)],
  "settings-type-refused": ["administrator", async (page) => { await typeSettings(page); await page.locator("#own-yes").check(); for (const box of await page.getByRole("checkbox").all()) await box.uncheck(); await page.getByRole("button", { name: /^(Lagre|Save)/ }).click(); }],
  "settings-chapters": ["administrator", (page) => section(page, /^(Lokallag|Chapters)$/)],
  "settings-chapter-refused": ["administrator", async (page) => { await section(page, /^(Lokallag|Chapters)$/); await page.getByRole("link", { name: /^(Endre navnet|Change the name)/ }).first().click(); await page.locator("#name").fill(""); await page.getByRole("button", { name: /^(Lagre|Save)/ }).click(); }],
  "settings-texts": ["administrator", (page) => section(page, /^(Tekster i e-post|Texts of e-mails)$/)],
  "settings-text": ["administrator", (page) => noticeText(page)],
  "settings-text-refused": ["administrator", async (page) => { await noticeText(page, "Ring {telefon}"); }],
  "settings-text-preview": ["administrator", async (page) => { await noticeText(page, `Kjære {name},\n{remaining}\n\n${"lang".repeat(40)}`); }],
  "settings-sign-in": ["administrator", (page) => section(page, /^(Innlogging|Sign-in)$/)],
  "settings-people": ["administrator", (page) => people(page)],
  "settings-person": ["administrator", (page) => person(page)],
  "settings-person-refused": ["administrator", async (page) => { await person(page); await page.getByRole("button", { name: /^(Gi rollen|Give the role)$/ }).click(); }],
  "settings-person-last": ["administrator", async (page) => { await person(page); await page.getByRole("button", { name: /^(Avslutt|End)\s*: (Koordinator|Coordinator)/ }).first().click(); }],
  "settings-person-last-mentor": ["administrator", async (page) => { await newPerson(page); await page.getByRole("button", { name: /^(Avslutt|End)\s*: (Likeperson|Mentor)/ }).click(); }],
  "person-new": ["administrator", (page) => personForm(page)],
  "person-new-refused": ["administrator", async (page) => { await personForm(page); await addPerson(page); }],
  "person-new-same": ["administrator", async (page) => { await person(page); const name = await page.locator("h1").innerText(); await personForm(page); await page.locator("#name").fill(name); await page.locator("#chapter").selectOption({ index: 1 }); await addPerson(page); }],
  "person-new-done": ["administrator", (page) => newPerson(page)],
  erasure: ["administrator", (page) => erasure(page)],
  "erasure-refused": ["administrator", async (page) => { await erasure(page); await page.getByRole("button", { name: /^(Slett|Erase)/ }).click(); }],
  "erasure-done": ["administrator", async (page) => { await newPerson(page); const name = (await page.locator("h1").innerText()).split(": ")[1]; await page.getByRole("link", { name: /^(Slett personen|Erase the person)$/ }).click(); await page.locator("#name").fill(name); await page.getByRole("button", { name: /^(Slett|Erase)/ }).click(); }],
  access: ["administrator", (page) => section(page, /^(Innsynslogg|Access log)$/)],
  "certification-search": ["administrator", (page) => page.goto("/certifications/new?q=an")],
  "certification-search-nobody": ["coordinator", (page) => page.goto("/certifications/new?q=finnes+ikke")],
  "certification-new": ["administrator", (page) => certificationForm(page)],
  "certification-new-refused": ["administrator", async (page) => { await certificationForm(page); await page.getByRole("button", { name: /^(Neste|Next)/ }).click(); }],
  "certification-new-check": ["administrator", async (page) => { await certificationForm(page); await fillCertification(page); }],
  mine: ["mentor", (page) => page.goto("/me")],
  "my-notices": ["mentor", (page) => page.goto("/me/notices")],
  "my-channels": ["mentor", (page) => page.goto("/me/channels")],
  "my-channels-refused": ["mentor", async (page) => { await page.goto("/me/channels"); await page.locator("#phone").fill("12 34"); await page.getByRole("button", { name: /^(Legg til num|Add the num)/ }).click(); }],
  "my-channels-off": ["mentor", async (page) => { await page.goto("/me/channels"); for (const box of await page.getByRole("checkbox").all()) await box.uncheck(); await page.getByRole("button", { name: /^(Lagre|Save)/ }).click(); }],
  "my-listings": ["mentor", (page) => page.goto("/me/listings")],
  // The sign-in of the demo does not prove that it is the mentor.
  "my-listings-refused": ["mentor", async (page) => { await page.goto("/me/listings"); await page.getByRole("button", { name: /^(Samtykk|Consent)/ }).click(); }],
  digest: ["coordinator", async (page) => { await page.goto("/me"); await page.getByLabel(/^(Hver morgen|Every morning)/).check(); await page.getByRole("button", { name: /^(Lagre|Save)$/ }).click(); }],
  unsubscribe: [null, (page) => page.goto("/unsubscribe?token=00000000-0000-4000-8000-000000000000")],
  missing: ["outsider", (page) => page.goto("/certifications/00000000-0000-4000-8000-000000000000")],
};

const REGISTER = "Medlemsnr;Gyldig til;Navn;Lokallag\n9901;2028-01-31;Åse Ødegård;Nordpolen\n9902;31.12.2028;Bjørn Ås;Nordpolen\n9903;31.13.2028;Cato Dahl;Nordpolen\n";
/** The pages of uploaded registers, which all modes show. */
const uploaded = {};

async function once(name, page, make) {
  if (uploaded[name]) await page.goto(uploaded[name]);
  else await make();
  uploaded[name] = page.url();
}

async function upload(page) {
  await page.goto("/imports");
  await page.locator("#file").setInputFiles({ name: "register.csv", mimeType: "text/csv", buffer: Buffer.from(REGISTER) });
  await page.getByRole("button", { name: /^(Last opp|Upload)/ }).click();
}

const columns = (page) => once("columns", page, () => upload(page));

async function checkRegister(page) {
  await upload(page);
  await page.locator("#type").selectOption({ index: 1 });
  if (await page.locator("#add_chapters").count()) await page.locator("#add_chapters").check();
  await page.getByRole("button", { name: /^(Kontroller|Check)/ }).click();
}

async function checkedImport(page) {
  await once("check", page, () => checkRegister(page));
  await page.locator("summary").first().click();
}

const imported = (page) => once("done", page, async () => {
  await checkRegister(page);
  await page.getByRole("button", { name: /^(Importer|Import) \d+ (av|of) \d+ / }).click();
});

async function several(page) {
  await page.goto("/certifications?state=due");
  await page.getByRole("link", { name: /^(Forny flere|Renew several)$/ }).click();
}

/** The result of a change of several, of which each mode shows the same. */
const changed = (page) => once("changed", page, async () => {
  await page.goto("/certifications?state=valid");
  await page.getByRole("link", { name: /^(Stans flere|Suspend several)/ }).click();
  for (const box of (await page.getByRole("checkbox").all()).slice(2)) await box.uncheck();
  await page.getByRole("button", { name: /^(Neste|Next)/ }).click();
  await page.getByRole("button", { name: /^(Lagre for|Save for)/ }).click();
});

async function reinstatement(page) {
  await page.goto("/certifications?state=suspended");
  await page.locator("h3 a").first().click();
  await page.getByRole("link", { name: /^(Sett i kraft igjen|Reinstate)$/ }).click();
}

async function correction(page, date) {
  await action(page, CORRECTION);
  await page.locator("#date").fill(date);
  await page.getByRole("button", { name: /^(Neste|Next)/ }).click();
}

/** A form that was sent after the session had expired. */
async function kept(page) {
  await action(page, /^(Forny|Renew)$/);
  await page.locator("#note").fill("Kurs i Ålesund");
  world.sql("update certvakt.sessions set expires_at = now()");
  await page.getByRole("button", { name: /^(Neste|Next)/ }).click();
  await become(page, "coordinator");
}

/** The first certification that is due or, with the name of a link of it, the page to which that leads. */
export async function action(page, name) {
  await first(page);
  if (name) await page.getByRole("link", { name }).click();
}

async function unreached(page) {
  await page.goto("/today");
  await page.getByRole("heading", { level: 2, name: /^(Kan ikke nås|Cannot be reached)/ }).locator("xpath=following-sibling::ul[1]//h3/a").first().click();
}

async function chapterMove(page) {
  await page.goto("/chapters");
  await page.getByRole("link", { name: /^(Flytt alle|Move all)/ }).first().click();
}

async function merge(page) {
  await action(page, /Samme person|Same person/);
  await page.locator("#q").fill("an");
  await page.getByRole("button", { name: /^(Søk|Search)$/ }).click();
}

async function handover(page) {
  await page.goto("/chapters");
  await page.getByRole("link", { name: /^(Gi ny koordinator|Appoint)/ }).first().click();
  await page.locator("#q").fill("an");
  await page.getByRole("button", { name: /^(Søk|Search)$/ }).click();
}

/** The consents of a mentor who has withdrawn, but is still shown at a partner. */
export async function consents(page) {
  await partner(page);
  await page.locator("main a[href^='/certifications/']").first().click();
  await page.locator("a[href$=listing-consents]").click();
  await page.waitForURL(/listing-consents$/);
}

async function partner(page) {
  await page.goto("/partners");
  await page.locator("h2 a").first().click();
}

async function settlement(page, number = 0) {
  await partner(page);
  await page.getByRole("link", { name: /^(Avgjør|Settle)/ }).nth(number).click();
}

async function resumption(page) {
  await partner(page);
  await page.getByRole("link", { name: /^(Start sendingen|Resume sending)/ }).click();
}

async function settings(page, until) {
  await page.goto("/settings");
  await page.locator("#deliver_until").fill(until);
  await page.getByRole("button", { name: /^(Lagre|Save)/ }).click();
}

async function section(page, name) {
  await page.goto("/settings");
  await page.locator("main nav").getByRole("link", { name }).click();
}

export const people = (page) => section(page, /^(Personer og roller|People and roles)$/);

export async function person(page) {
  await people(page);
  await page.locator("li", { hasText: /Koordinator i|Coordinator of/ }).getByRole("link").first().click();
}

async function personForm(page) {
  await people(page);
  await page.getByRole("link", { name: /^(Legg til en person|Add a person)$/ }).click();
}

const addPerson = (page) => page.getByRole("button", { name: /^(Legg til|Add)$/ }).click();

/** Adds a mentor whose name nobody has. */
export async function newPerson(page) {
  await personForm(page);
  await page.locator("#name").fill(`Ny Ås ${Date.now()}`);
  await page.locator("#email").fill("ny@example.org");
  await page.locator("#chapter").selectOption({ index: 1 });
  await addPerson(page);
}

async function erasure(page) {
  await newPerson(page);
  await page.getByRole("link", { name: /^(Slett personen|Erase the person)$/ }).click();
}

async function certificationForm(page) {
  await newPerson(page);
  await page.getByRole("link", { name: /^(Legg til en sertifisering|Add a certification)$/ }).click();
}

export async function fillCertification(page) {
  await page.locator("#certification_type").selectOption({ index: 1 });
  const day = new Date(Date.now() - 86_400_000);
  await page.locator("#date").fill(`${day.getDate()}.${day.getMonth() + 1}.${day.getFullYear()}`);
  const year = day.getFullYear() + 2;
  await page.locator("#until").fill(`1.2.${year}`);
  await page.getByRole("button", { name: /^(Neste|Next)/ }).click();
}

async function typeSettings(page) {
  await section(page, /^(Typer sertifisering|Types of certification)$/);
  await page.getByRole("link", { name: /^(Endre|Change) / }).first().click();
}

async function noticeText(page, text) {
  await section(page, /^(Tekster i e-post|Texts of e-mails)$/);
  await page.getByRole("link", { name: /^(Endre|Change) / }).first().click();
  if (!text) return;
  await page.locator("#body").fill(text);
  await page.getByRole("button", { name: /^(Vis forhåndsvisning|Show the preview)$/ }).click();
}

export async function first(page) {
  await page.goto("/certifications?state=due");
  await page.locator("h3 a").first().click();
}

async function renewal(page, date) {
  await action(page, /^(Forny|Renew)$/);
  if (date) await page.locator("#date").fill(date);
  await page.locator("#note").fill("Kurs i Ålesund");
  await page.getByRole("button", { name: /^(Neste|Next)/ }).click();
}

/** Tests every page in each of the modes of each language: a name, the viewport, what the reader prefers, and a style of theirs.
 * A page is opened once for each language, and stays open while the mode changes. */
export function testPages(languages) {
  before(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    world = await startRehearsal();
    empty = await startEmpty();
  });
  after(() => Promise.all([world?.stop(), empty?.stop()]));
  for (const [locale, modes] of Object.entries(languages)) {
    for (const [name, [who, open]] of Object.entries(PAGES)) {
      test(`${name}, ${locale}`, async (t) => {
        const options = { locale, viewport: modes[0][1] };
        const page = who === "nobody" ? await signIn(empty, null, options) : await signIn(world, who, options);
        await open(page);
        for (const mode of modes) await t.test(mode[0], () => check(page, name, mode, locale));
        await page.context().close();
      });
    }
  }
}

async function check(page, name, [mode, viewport, preferred = {}, style = ""], locale) {
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme: "light", forcedColors: "none", ...preferred });
  await page.evaluate(setStyle, "");
  const colours = await violations(page);
  assert.deepEqual(colours.violations, []);
  assert.deepEqual(colours.incomplete, []);
  await page.evaluate(setStyle, style);
  assert.deepEqual(await layoutFaults(page), []);
  assert.equal(await page.locator("h1").count(), 1);
  const begins = name.endsWith("refused") ? (locale === "en-GB" ? "Error: " : "Feil: ") : await page.locator("h1").innerText();
  assert.ok((await page.title()).startsWith(begins));
  const expected = name === "missing" || name.endsWith("refused") ? 1 : 0;
  // The browser reports the status of a refused form or a missing page as an error.
  assert.ok(page.faults.length <= expected, page.faults.join("\n"));
  await page.screenshot({ path: join(SCREENSHOTS, `${name}-${mode}.png`), fullPage: true });
}

/** Sets the rules of a reader's own style sheet, to which the policy of the page does not apply. */
export function setStyle(rules) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets = [sheet];
}
