// What people come for, as a simulated screen reader speaks it. Each decisive page is reached by the shortest way, and read from
// top to bottom; `hear` asserts what holds for every page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { READABLE, hear, rows } from "./reader.mjs";
import { assertFocus, become, signIn, startEmpty, startRehearsal } from "./world.mjs";

let world;
before(async () => {
  world = await startRehearsal();
});
after(() => world?.stop());

const open = (who) => signIn(world, who, READABLE);

/** Waits for a page with a heading, and hears it: the heading comes first. */
async function hearTitled(page, title) {
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  const heard = await hear(page);
  assert.match(heard[0].slice("heading, ".length, -", level 1".length), title);
  return heard;
}

/** Sends a form, and hears that it was refused: after the heading come the faults, each as a link. */
async function hearRefused(page, button, faults) {
  await page.getByRole("button", { name: button }).click();
  await page.getByText("Noe må rettes").waitFor();
  const heard = await hear(page);
  assert.deepEqual(heard.slice(1, 3), ["group, Noe må rettes", "heading, Noe må rettes, level 2"]);
  assert.deepEqual(rows(heard).slice(0, faults.length), faults.map((fault) => `link, ${fault}`));
  assert.equal(await page.getByRole("group", { name: "Noe må rettes" }).getByRole("link").count(), faults.length);
  return heard;
}

const press = (page, name) => page.getByRole("button", { name }).click();
const follow = (page, name) => page.getByRole("link", { name }).first().click();

/** Asserts that phrases follow each other. */
function assertSpoken(heard, ...phrases) {
  const shown = heard.join("\n");
  assert.ok(`\n${shown}\n`.includes(`\n${phrases.join("\n")}\n`), `${phrases.join(" … ")} is not spoken in:\n${shown}`);
}

/** Asserts that one comes before the other. */
function assertBefore(heard, first, second) {
  const [one, other] = [first, second].map((shape) => heard.findIndex((phrase) => shape.test(phrase)));
  assert.ok(one !== -1 && one < other, `${first} is not before ${second} in:\n${heard.join("\n")}`);
}

const WHEN = "(i (dag|går|morgen)|om \\d+ dager|for \\d+ dager siden)";
const DAY = `\\d{1,2}\\. [a-z]+ \\d{4} ${WHEN}`;
const WHO = "heading, (?<name>.+), level 3\nlink, \\k<name>\n(?<about>.+, .+, .+-\\d+)\n";
const UNTIL = `Siste gyldige dag\n${DAY}\n`;
/** The phone numbers, each as a row of a list. */
const PHONES = "(Ingen telefon|(listitem.*\nlink, Ring [+\\d]+\nend of listitem.*\n?)+)\n";
const LISTED = new RegExp(`^${WHO}${UNTIL}(Utløper snart|Utløpt|Gyldig|Nylig utløpt)$`);
const NEEDED = new RegExp(`^${WHO}${PHONES}${UNTIL}link, Forny sertifiseringen til \\k<name>, \\k<about>\nlink, Registrer kontakt med \\k<name>, \\k<about>$`);

const named = (heard) => rows(heard).filter((row) => row.startsWith("heading, "));

/** Asserts that every row with a name is spoken in an order. */
function assertRows(heard, shape) {
  assert.ok(named(heard).length > 0);
  for (const row of named(heard)) assert.match(row, shape);
}

test("what sounds wrong is noticed", async () => {
  const page = await open(null);
  for (const [fault, html] of [
    ["nothing but a kind of control: link", '<a href="/"></a>'],
    ["nothing but a kind of control: button", "<button></button>"],
    ["nothing but a kind of control: textbox", "<input>"],
    ["nothing but a kind of control: checkbox, not checked", '<input type="checkbox">'],
    ["nothing but a date: 3. mai 2026", "<p>Gyldig til <strong>3. mai 2026</strong></p>"],
    ["nothing but punctuation: ,", "<p><b>Gyldig</b><i>,</i></p>"],
    ["twice in a row: Gyldig", "<p>Gyldig</p><p>Gyldig</p>"],
  ]) {
    await page.setContent(`<main><h1>Min side</h1>${html}</main>`);
    await assert.rejects(hear(page), (error) => error.actual?.[0] === fault, fault);
  }
});

test("see whom to call, and record it", async () => {
  const page = await open("coordinator");
  const today = await hearTitled(page, /^\d+ saker trenger deg$/);
  assertRows(today, NEEDED);
  const name = /^heading, (.+), level 3/.exec(named(today)[0])[1];
  await follow(page, /^Registrer kontakt/);
  const form = await hearTitled(page, new RegExp(`^Registrer kontakt med ${name}$`));
  assertSpoken(form, "group, Hva skjedde?", "Hva skjedde?", "radio, Snakket med likepersonen, not checked, position 1, set size 5");
  assert.match(form.find((phrase) => phrase.startsWith("textbox, Når bør noen ta kontakt igjen?")), /, Dag, måned og år, for eksempel .+ I dag er \p{L}+dag \d+\. /u);
  const refused = await hearRefused(page, "Registrer kontakt", ["Velg hva som skjedde."]);
  assertSpoken(refused, "group, Hva skjedde?, Velg hva som skjedde.");
  await page.getByRole("radio").first().check();
  await press(page, "Registrer kontakt");
  const saved = await hearTitled(page, new RegExp(`^Kontakten med ${name} er lagret\\. \\d+ saker trenger deg$`));
  assert.match(saved[1], /^Snakket med likepersonen\. Saken vises ikke her før \p{L}+dag \d+\. \p{L}+ \d{4}\.$/u);
  assert.equal(saved[2], "link, Se kontakten, eller fjern den");
  assertRows(saved, NEEDED);
});

/** Renews the shown certification, up to the check. */
async function renew(page) {
  await page.getByRole("link", { name: "Forny", exact: true }).click();
  await page.waitForURL(/renewals$/);
}

test("renew one, with a wrong date first", async () => {
  const page = await open("coordinator");
  await page.goto("/certifications?state=due");
  const list = await hearTitled(page, /^Sertifiseringer/);
  assertRows(list, LISTED);
  const name = /^heading, (.+), level 3/.exec(named(list)[0])[1];
  await follow(page, name);
  const shown = await hearTitled(page, new RegExp(`^${name}, nummer `));
  assertSpoken(shown, "Utløper snart", shown[2]);
  assert.match(shown[2], new RegExp(`^gjelder til og med ${DAY}$`));
  assertBefore(shown, /^Lokallag: /, /^link, Forny$/);
  assertBefore(shown, /^link, Registrer kontakt$/, /^heading, Historikk, level 2$/);
  await renew(page);
  await page.locator("#date").fill("31.02.2026");
  const refused = await hearRefused(page, "Neste: kontroller", ["Denne datoen finnes ikke. Se over dag og måned."]);
  const field = "Når ble kurset fullført?, 31.02.2026, Dag, måned og år, for eksempel 3.2.2026 Denne datoen finnes ikke. Se over dag og måned., invalid";
  assertSpoken(refused, `textbox, ${field}`);
  await page.goto(page.url());
  await press(page, "Neste: kontroller");
  const check = await hearTitled(page, new RegExp(`^Stemmer dette\\? Fornyelsen for ${name}, .+ er ikke lagret ennå$`));
  assertBefore(check, /^Kurset ble fullført: [a-zø]+dag \d/, /^button, Lagre fornyelsen/);
  assertBefore(check, /^Siste gyldige dag etter endringen: [a-zø]+dag \d/, /^button, Lagre fornyelsen/);
  await press(page, "Lagre fornyelsen");
  const saved = await hearTitled(page, new RegExp(`^Fornyet: ${name}, `));
  assert.deepEqual([saved[1], saved[4]], ["Gyldig", "button, Angre din siste endring"]);
  assert.match(rows(saved)[0], /^\d+\. [a-z]+ \d{4}: Fornyet\. Siste gyldige dag før: /);
});

test("renew fourteen, and undo it", async () => {
  const page = await open("coordinator");
  await page.goto("/changes/new?state=due&action=renewals");
  const form = await hearTitled(page, /^Forny \d+ sertifiseringer$/);
  assertSpoken(form, "group, Hvem gjelder det? Fjern krysset for dem du ikke vil endre", "Hvem gjelder det? Fjern krysset for dem du ikke vil endre");
  const boxes = await page.getByRole("checkbox").all();
  const spoken = form.filter((phrase) => phrase.startsWith("checkbox, "));
  assert.equal(spoken.length, boxes.length);
  for (const box of spoken) assert.match(box, new RegExp(`^checkbox, .+, (Oslo|Østlandet), Likeperson, .+, Utløper snart, ${DAY}, checked$`));
  for (const box of boxes.slice(14)) await box.uncheck();
  await press(page, "Neste: kontroller");
  const check = await hearTitled(page, /^Stemmer dette\? 14 fornyelser er ikke lagret ennå$/);
  assert.equal(rows(check).length, 14);
  assertBefore(check, /^Du kan angre dette i 24 timer/, /^button, Lagre for alle på listen/);
  await press(page, "Lagre for alle på listen");
  const saved = await hearTitled(page, /^Fornyet: 14 sertifiseringer$/);
  assertSpoken(saved, "button, Angre alle 14 endringene", "heading, Endret: 14, level 2");
  assertRows(saved, LISTED);
  await press(page, "Angre alle 14 endringene");
  const undone = await hearTitled(page, /^Angret: 14 sertifiseringer$/);
  assert.equal(named(undone).length, 14);
  assertRows(undone, LISTED);
});

test("renew the wrong Kari, and repair it", async () => {
  const page = await open("coordinator");
  await page.goto("/certifications?q=Kari");
  const list = await hearTitled(page, /^Sertifiseringer: «Kari»$/);
  assertRows(list, LISTED);
  assert.ok(named(list).length > 1, "there are several");
  const name = /^heading, (Kari .+), level 3/.exec(named(list)[0])[1];
  await follow(page, name);
  await renew(page);
  const form = await hearTitled(page, new RegExp(`^Forny: ${name}, .+, nummer `));
  assertBefore(form, /^Lokallag: /, /^textbox, Når ble kurset fullført\?/);
  // Hers is valid for a long time, which must be confirmed.
  await press(page, "Neste: kontroller");
  if (await page.locator("#early").count()) {
    await page.locator("#early").check();
    await press(page, "Neste: kontroller");
  }
  await press(page, "Lagre fornyelsen");
  await hearTitled(page, new RegExp(`^Fornyet: ${name}, `));
  await page.goto("/changes");
  const changes = await hearTitled(page, /^Du har registrert /);
  const change = rows(changes).find((row) => row.startsWith(`heading, ${name}, level 2`));
  assert.match(change, new RegExp(`^heading, ${name}, .+\nlink, ${name}\n.+, Likeperson, .+\nEndret .+\\. Siste gyldige dag før endringen: .+\nbutton, Angre endringen for ${name}$`));
  await press(page, `Angre endringen for ${name}`);
  const undone = await hearTitled(page, new RegExp(`^Angret: ${name}, `));
  assert.match(rows(undone)[0], /^\d+\. [a-z]+ \d{4}: Endringen ble angret\. Siste gyldige dag: /);
});

test("import a register with a chapter column", async () => {
  const page = await open("administrator");
  await page.goto("/imports");
  await hearTitled(page, /^Importer et register$/);
  const lines = ["Medlemsnr;Gyldig til;Navn;Lokallag", "8801;31.01.2028;Ågot Ørnes;Svalbard", "8802;31.12.2028;Bjørn Ås;Svalbard", "8803;31.13.2028;Cato Dahl;Svalbard"];
  await page.locator("#file").setInputFiles({ name: "register.csv", mimeType: "text/csv", buffer: Buffer.from(lines.join("\n")) });
  await press(page, "Last opp og gå videre");
  const columns = await hearTitled(page, /^Hva inneholder kolonnene\?$/);
  assert.match(columns.find((phrase) => phrase.startsWith("combobox, Kolonnen «Lokallag»")), /, Eksempler: Svalbard, /);
  assertSpoken(columns, "Kolonnen «Lokallag»", "Eksempler: Svalbard");
  const path = page.url();
  await page.locator("#column-1").selectOption("");
  await hearRefused(page, "Kontroller registeret", ["Velg hvilken kolonne som inneholder «Siste gyldige dag»."]);
  await page.goto(path);
  await page.locator("#type").selectOption({ index: 1 });
  await page.locator("#add_chapters").check();
  await press(page, "Kontroller registeret");
  await page.getByText("Nye: 2").click();
  const check = await hearTitled(page, /^3 rader er kontrollert\. Ingenting er importert ennå$/);
  assertBefore(check, /^Nye: 2$/, /^Ågot Ørnes$/);
  assertSpoken(check, "Cato Dahl", "linje 4, nr. 8803", "«Gyldig til»: 31.13.2028", "Siste gyldige dag: er ikke en dato. Skriv datoen slik: 31.12.2027.");
  assertBefore(check, /^Et nytt lokallag blir opprettet: Svalbard\.$/, /^button, Importer 2 av 3 rader$/);
  await page.getByRole("button", { name: "Importer 2 av 3 rader" }).click();
  const done = await hearTitled(page, /^Registeret er importert$/);
  assertSpoken(done, "Nye: 2");
  assertBefore(done, /^Endringer som er gjort senere/, /^button, Angre importen$/);
});

test("why Kari got no notice", async () => {
  const page = await open("coordinator");
  const group = page.getByRole("heading", { level: 2, name: /^Kan ikke nås/ }).locator("xpath=following-sibling::ul[1]//h3/a").first();
  const name = await group.innerText();
  await group.click();
  const shown = await hearTitled(page, new RegExp(`^${name}, nummer `));
  assert.match(shown[1], /^Varsler når ikke fram\. Det er ikke registrert noen e-postadresse/);
  assert.equal(shown[2], "link, Rett e-post eller telefon");
  assert.ok(rows(shown).some((row) => /^\d+\. [a-z]+ \d{4}: Varsel: .+\nKunne ikke sendes: ingen adresse som virker$/.test(row)), shown.join("\n"));
  await follow(page, "Rett e-post eller telefon");
  await page.locator("#email").fill("kari@");
  const refused = await hearRefused(page, /^Lagre$/, ["Skriv en e-postadresse, for eksempel navn@example.org."]);
  const hint = "For eksempel navn@example.org. Kan likepersonen logge inn fra før, brukes adressen bare til varsler.";
  assertSpoken(refused, `textbox, E-post, kari@, ${hint} Skriv en e-postadresse, for eksempel navn@example.org., invalid`);
  await page.locator("#email").fill("kari@example.org");
  await press(page, /^Lagre$/);
  const saved = await hearTitled(page, new RegExp(`^E-postadressen er lagret: ${name}, `));
  assert.match(saved.join("\n"), /Det blir sendt på nytt/);
});

test("a session that expires in the middle", async () => {
  const page = await open("coordinator");
  await page.goto("/certifications?state=due");
  const name = await page.locator("h3").first().innerText();
  await page.locator("h3 a").first().click();
  await renew(page);
  await page.locator("#note").fill("Kurs i Ålesund");
  world.sql("update certvakt.sessions set expires_at = now()");
  await press(page, "Neste: kontroller");
  await assertFocus(page, "Du er logget ut. Det du skrev, er tatt vare på");
  const asked = await hearTitled(page, /^Du er logget ut\. Det du skrev, er tatt vare på$/);
  assert.equal(asked[1], "Det er ikke lagret ennå. Logg inn, og fullfør skjemaet.");
  await become(page, "coordinator");
  const kept = await hearTitled(page, new RegExp(`^Ikke lagret ennå\\. Forny: ${name}, `));
  assertBefore(kept, /^Merknad: Kurs i Ålesund$/, /^button, Gå videre$/);
  assertBefore(kept, /^button, Gå videre$/, /^link, Åpne et tomt skjema i stedet$/);
  await press(page, "Gå videre");
  await hearTitled(page, new RegExp(`^Stemmer dette\\? Fornyelsen for ${name}, .+ er ikke lagret ennå$`));
});

test("a held run", async () => {
  const page = await open("administrator");
  world.certvakt("organisation", "set", "horsel", "--limit-floor", "1", "--limit-percent", "1");
  const later = new Date(Date.now() + 20 * 86_400_000).toISOString();
  assert.throws(() => world.at(later)("run", "--organisation", "horsel"), { status: 3 }, "the run is held");
  await page.goto("/today");
  const today = await hearTitled(page, /^\d+ saker trenger deg$/);
  assert.ok(today.some((phrase) => /^link, Varslene for natten .+ venter på godkjenning, fordi de er uvanlig mange\.$/.test(phrase)));
  await page.goto("/runs");
  const held = await hearTitled(page, /^Varslene for én natt venter på godkjenning$/);
  assert.match(held[1], /^heading, \d+ varsler for natten .+ er ikke sendt, level 2$/);
  assert.match(held[2], /^Det er flere enn grensen, som er \d+\./);
  assertBefore(held, /^Varsler 30 dager før utløp: \d+$/, /^button, Godkjenn \d+ varsler$/);
  assertBefore(held, /^heading, 3 eksempler på varslene, level 3$/, /^button, Godkjenn \d+ varsler$/);
  assertBefore(held, /^Er varslene riktige, godkjenn dem\. Da blir de sendt\.$/, /^button, Godkjenn \d+ varsler$/);
  await press(page, /^Godkjenn \d+ varsler$/);
  await page.waitForURL(/\/runs\?/);
  const approved = await hear(page);
  assert.ok(!approved.some((phrase) => /^button, Godkjenn/.test(phrase)), approved.join("\n"));
});

test("first use of an empty installation", async () => {
  const empty = await startEmpty();
  try {
    const page = await signIn(empty, null, READABLE);
    await page.goto(empty.setup);
    const form = await hearTitled(page, /^Ta certvakt i bruk$/);
    assertSpoken(form, "heading, Det første lokallaget, level 2", "Navn på lokallaget", "Flere lokallag kan komme fra registeret.", "textbox, Navn på lokallaget, Flere lokallag kan komme fra registeret.");
    const faults = ["navnet på foreningen, høyst 200 tegn", "navnet på lokallaget, høyst 200 tegn", "navnet på sertifiseringen, høyst 200 tegn", "navnet ditt, høyst 200 tegn", "e-postadressen som navn@eksempel.no"];
    const refused = await hearRefused(page, "Opprett foreningen", faults.map((fault) => `Skriv ${fault}`));
    assertSpoken(refused, "textbox, Navn på lokallaget, Flere lokallag kan komme fra registeret. Skriv navnet på lokallaget, høyst 200 tegn, invalid");
    const values = { organisation: "Hørselhemmedes forening", chapter: "Østre Åsen", type_name: "Likeperson", name: "Åse Leder", address: "leder@example.org" };
    for (const [id, value] of Object.entries(values)) await page.locator(`#${id}`).fill(value);
    await press(page, "Opprett foreningen");
    const created = await hearTitled(page, /^Foreningen er opprettet$/);
    assert.match(created[1], /^Vi sender deg en e-post\. /);
  } finally {
    await empty.stop();
  }
});
