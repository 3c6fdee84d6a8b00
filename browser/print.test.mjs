// What the printer gets: the pages of the PDF that Chromium makes, and what is on each of them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inflateSync } from "node:zlib";
import { consents, setStyle } from "./pages.mjs";
import { signIn, start } from "./world.mjs";

let world;
before(async () => {
  world = await start();
});
after(() => world?.stop());

// Colours by which the headings of a chapter and the headers of its table are found in the PDF, whose text is glyphs.
const CHAPTER = "1 0 1 rg";
const HEADERS = "0 1 1 rg";
const COLOURS = ".sheet h2 { color: #f0f !important } .sheet thead th { color: #0ff !important }";

/** The instructions that draw each page of a paper. */
async function printed(page) {
  await page.evaluate(setStyle, COLOURS);
  // Without backgrounds, Chromium darkens light colours.
  const pdf = await page.pdf({ printBackground: true, format: "A4", margin: { top: "15mm", bottom: "15mm", left: "15mm", right: "15mm" } });
  const text = pdf.toString("latin1");
  return [...text.matchAll(/\/Type \/Page\n[^]*?\/Contents (\d+) 0 R/g)].map(([, number]) => {
    const [object, length] = new RegExp(`\\n${number} 0 obj\\n<<[^>]*/Length (\\d+)[^>]*>> stream\\n`).exec(text);
    const begin = text.indexOf(object) + object.length;
    return inflateSync(pdf.subarray(begin, begin + Number(length))).toString("latin1");
  });
}

test("each chapter of a printed list begins a page, and each page has the headers of the table", async () => {
  const page = await signIn(world, "administrator");
  for (const [path, isLong] of [["/certifications/print?state=due", false], ["/certifications/print", true]]) {
    await page.goto(path);
    const chapters = await page.locator(".sheet").count();
    const sheets = await printed(page);
    assert.ok(chapters > 1, path);
    assert.equal(sheets.length > chapters, isLong, `${path}: ${sheets.length} pages, ${chapters} chapters`);
    assert.equal(sheets.filter((one) => one.includes(CHAPTER)).length, chapters, path);
    sheets.forEach((one, number) => assert.ok(one.includes(HEADERS), `${path}: page ${number + 1} has no headers`));
  }
});

test("the letter of consent is one page", async () => {
  const page = await signIn(world, "administrator");
  await consents(page);
  await page.locator("a[href$=letter]").click();
  await page.waitForURL(/letter$/);
  assert.equal((await printed(page)).length, 1);
});
