// Sign-in as it is outside the demo: at a provider, with a code and with a link from an e-mail, on an installation that was
// empty before.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startMail, startProvider } from "./servers.mjs";
import { PUBLIC, assertFocus, focused, layoutFaults, startEmpty, violations } from "./world.mjs";

const ADDRESS = "leder@example.org";

let world;
let provider;
let mail;
/** The number of e-mails so far. */
let mails = 0;

before(async () => {
  [provider, mail] = await Promise.all([startProvider("bankid"), startMail()]);
  world = await startEmpty(`[email]
server = "smtp://127.0.0.1:${mail.port}"
from = "certvakt@example.org"
[sign_in]
public_url = "${PUBLIC}"
links = true
[[sign_in.providers]]
id = "bankid"
label = { nb = "Logg inn med BankID", en = "Sign in with BankID" }
issuer = "${provider.issuer}"
client_id = "certvakt"
client_secret_file = "${provider.secret}"
`);
});
after(async () => {
  await world?.stop();
  await Promise.all([provider?.stop(), mail?.stop()]);
});

/** A page of a browser that has never been here, at a path. */
async function open(path) {
  const context = await world.browser.newContext({ baseURL: PUBLIC, locale: "nb-NO", viewport: { width: 320, height: 640 } });
  const page = await context.newPage();
  await page.goto(path);
  return page;
}

const path = (page) => page.url().replace(PUBLIC, "");

/** Asserts that nothing is wrong with a page for those who cannot see it well, or use the keyboard alone. */
async function isAccessible(page) {
  const found = await violations(page);
  assert.deepEqual([...found.violations, ...found.incomplete, ...(await layoutFaults(page))], []);
}

/** Asks for an e-mail on the sign-in page. */
async function askForMail(page) {
  await page.getByLabel("E-postadresse").fill(ADDRESS);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Se i e-posten din" }).waitFor();
  await assertFocus(page, "Se i e-posten din");
  return mail.newest(++mails);
}

/** Signs in on the provider's own pages, which ask for a login, and once for a consent. */
async function atProvider(page, login) {
  await page.waitForURL((url) => url.origin === provider.issuer);
  await page.getByPlaceholder("Enter any login").fill(login);
  await page.getByPlaceholder("and password").fill("any");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL((url) => url.origin === PUBLIC);
}

test("a wrong code is refused, and the right one signs in in the same browser", async () => {
  const page = await open(world.setup);
  const values = { organisation: "Hørselhemmedes forening", chapter: "Østre Åsen", type_name: "Likeperson", name: "Åse Leder", address: ADDRESS };
  for (const [id, value] of Object.entries(values)) await page.locator(`#${id}`).fill(value);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Foreningen er opprettet" }).waitFor();
  const { code } = await mail.newest(++mails);
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, "0");
  await page.getByLabel("Koden i e-posten").fill(wrong);
  const [refused] = await Promise.all([page.waitForResponse(/sign-in\/code/), page.keyboard.press("Enter")]);
  assert.equal(refused.status(), 422);
  await page.getByRole("heading", { name: "Feil: Koden er ikke gyldig" }).waitFor();
  assert.match(await page.title(), /^Feil: Koden er ikke gyldig/);
  await assertFocus(page, "Feil: Koden er ikke gyldig");
  await isAccessible(page);
  // The next Tab leads to the field for the code.
  await page.keyboard.press("Tab");
  await page.keyboard.type(`${code.slice(0, 3)} ${code.slice(3)}`);
  await page.keyboard.press("Enter");
  await page.getByText("Åse Leder, administrator").waitFor();
});

test("a link leads to the wanted page, in another browser, once", async () => {
  const wanted = "/certifications?state=due";
  const page = await open(wanted);
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  await isAccessible(page);
  const { link } = await askForMail(page);
  await isAccessible(page);
  const elsewhere = await open(link);
  await isAccessible(elsewhere);
  await elsewhere.getByRole("button", { name: "Logg inn" }).click();
  await elsewhere.getByText("Åse Leder, administrator").waitFor();
  assert.equal(path(elsewhere), wanted);
  // The first browser is still signed out, and the link is used.
  await page.goto(wanted);
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  await page.goto(link);
  await page.getByRole("button", { name: "Logg inn" }).click();
  await page.getByText("Lenken er ukjent, brukt eller utløpt.").waitFor();
  await isAccessible(page);
});

test("a provider leads to the wanted page, after an invitation", async () => {
  const [{ slug }] = world.certvakt("organisation", "list").organisations;
  world.certvakt("chapter", "add", "vest", "--organisation", slug, "--name", "Vest");
  const role = ["--organisation", slug, "--chapter", "vest", "--role", "coordinator"];
  const person = world.certvakt("person", "add", ...role, "--name", "Kari Koordinator");
  const { token } = world.certvakt("person", "invite", person.id);

  const page = await open(`/sign-in/invitation?token=${token}`);
  await isAccessible(page);
  await page.getByRole("link", { name: "Logg inn" }).click();
  await page.getByRole("link", { name: "Logg inn med BankID" }).click();
  await atProvider(page, "kari");
  await page.getByRole("button", { name: "Ta imot invitasjonen" }).click();
  await page.getByText("Kari Koordinator, koordinator").waitFor();

  const wanted = "/certifications?state=lapsed&q=an";
  const later = await open(wanted);
  // With the keyboard alone.
  for (let presses = 0; (await focused(later)) !== "Logg inn med BankID"; presses++) {
    assert.ok(presses < 20, "Tab never reaches the provider");
    await later.keyboard.press("Tab");
  }
  await later.keyboard.press("Enter");
  await atProvider(later, "kari");
  await later.getByText("Kari Koordinator, koordinator").waitFor();
  assert.equal(path(later), wanted);
  // A person who cancels there gets a page that says so.
  const cancelled = await open("/sign-in");
  await cancelled.getByRole("link", { name: "Logg inn med BankID" }).click();
  await cancelled.waitForURL((url) => url.origin === provider.issuer);
  await cancelled.getByRole("link", { name: "Cancel" }).click();
  await cancelled.getByText("Du ble ikke logget inn").waitFor();
  await isAccessible(cancelled);
});
