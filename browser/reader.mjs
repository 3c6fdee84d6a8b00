// A simulated screen reader, which reads whole pages in Chromium.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { require, settle } from "./world.mjs";

const READER = `data:text/javascript;base64,${readFileSync(require.resolve("@guidepup/virtual-screen-reader/browser.js"), "base64")}`;

/** The options of a context in which the reader may run: the policy of the pages forbids every script. */
export const READABLE = { bypassCSP: true };

/** More phrases than any page has. */
const MOST = 10_000;

/** Reads a page from top to bottom, asserts that it sounds right, and returns what is spoken in its main part. */
export async function hear(page) {
  await settle(page);
  const log = await page.evaluate(async ([reader, most]) => {
    const { virtual } = await import(reader);
    await virtual.start({ container: document.body });
    for (let phrases = 0; phrases < most && (await virtual.lastSpokenPhrase()) !== "end of document"; phrases++) await virtual.next();
    const spoken = await virtual.spokenPhraseLog();
    await virtual.stop();
    return spoken;
  }, [READER, MOST]);
  assert.equal(log.at(-1), "end of document", page.url());
  const heard = utterances(log);
  assert.deepEqual(faults(heard), [], page.url());
  const main = heard.slice(heard.indexOf("main") + 1, heard.indexOf("end of main"));
  assert.match(main[0], /^heading, .+, level 1$/, page.url());
  return main;
}

/** Containers without words. A `details` is a group, which its summary introduces. */
const SILENT = /^(end of )?(document|paragraph|strong|list|form|table|rowgroup|row|group)$/;

/**
 * What a person hears of a log of phrases. The reader stops at each element, and says where it ends. Readers speak what is in a
 * link or a button as its name, and a value after its term.
 */
function utterances(log) {
  const heard = [];
  for (let at = 0; at < log.length; at++) {
    const phrase = log[at];
    if (SILENT.test(phrase) || /^end of (?!main$|listitem)/.test(phrase)) continue;
    if (phrase === "term") {
      const value = log.indexOf("definition", at);
      const words = (from, to) => log.slice(from + 1, log.indexOf(to, from)).filter((one) => !SILENT.test(one)).join(" ");
      heard.push(`${words(at, "end of term")}: ${words(value, "end of definition")}`);
      at = log.indexOf("end of definition", value);
      continue;
    }
    heard.push(phrase);
    if (/^(link|button), /.test(phrase)) {
      const [end, again] = [log.indexOf(`end of ${phrase}`, at), log.indexOf(phrase, at + 1)];
      if (end !== -1 && (again === -1 || end < again)) at = end;
    }
  }
  return heard;
}

const CONTROL = "link|button|textbox|searchbox|combobox|checkbox|radio|group|radiogroup|heading|option";
const STATE = "level \\d|checked|not checked|invalid|required|has popup listbox|not expanded|expanded|(not )?selected|position \\d+|set size \\d+|current item";
/** Phrases that nobody understands when they are spoken alone. */
const FAULTS = {
  "nothing but a kind of control": new RegExp(`^(${CONTROL})(, (${STATE}))*$`),
  "nothing but a date": /^\d{1,2}\. ?(\p{L}+|\d{1,2}\.) ?\d{4}\.?$/u,
  "nothing but punctuation": /^[\p{P}\p{S}\s]+$/u,
};

function faults(heard) {
  const alone = Object.entries(FAULTS).flatMap(([what, shape]) => heard.filter((one) => shape.test(one)).map((one) => `${what}: ${one}`));
  const twice = heard.filter((one, number) => one === heard[number - 1]).map((one) => `twice in a row: ${one}`);
  return [...alone, ...twice];
}

/** The rows of a list, each with its phrases as lines. */
export function rows(heard) {
  const found = [];
  heard.forEach((phrase, number) => {
    if (phrase.startsWith("listitem, ")) found.push(heard.slice(number + 1, heard.indexOf(`end of ${phrase}`, number)).join("\n"));
  });
  return found;
}
