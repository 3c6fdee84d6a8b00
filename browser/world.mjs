// The service with its demo data, and a browser that is signed in as one of its people.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
// The modules are outside the checkout, where an import does not find them.
export const require = createRequire(`${process.env.CERTVAKT_NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const PROGRAM = join(root, "target/debug/certvakt");
const { DATABASE_URL, CERTVAKT_NOW, ...ENVIRONMENT } = process.env;

/** Where pictures of pages go. */
export const SCREENSHOTS = join(root, "target/screenshots");

/** The rules of WCAG 2.2, levels A and AA. No rule is disabled. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

// Chromium's sandbox does not work for root; without the other flags, it looks up addresses that a test must not need.
const FLAGS = [
  ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
];

/** The public address of an installation, which the browser reaches wherever the service listens. */
export const PUBLIC = "http://localhost:8470";

/**
 * Starts `certvakt serve` on an empty cluster and a browser. Adds `setup`, the path that it prints for the first run, and
 * what `startOn` adds.
 */
export async function startEmpty(more = EMPTY) {
  const world = await startOn([], more);
  world.setup = await world.printed.then((url) => new URL(url).pathname + new URL(url).search);
  return world;
}

/** Starts `certvakt serve --demo` as `start` does, and adds what `startOn` adds. */
export const startRehearsal = () => startOn(["--demo"], "", (certvakt) => certvakt("migrate", "--rehearsal"));

/**
 * Starts a service and a browser on a cluster of their own. Adds `certvakt`, which runs a command on the cluster and returns its
 * JSON, `at`, which returns the same for another time, and `sql`, which executes a statement.
 */
async function startOn(options, more, prepare = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), "certvakt-cluster."));
  // PostgreSQL runs as another user if root starts it.
  chmodSync(folder, 0o755);
  const data = ["--data-dir", join(folder, "data")];
  const at = (now) => (...words) => {
    const env = now ? { ...ENVIRONMENT, CERTVAKT_NOW: now } : ENVIRONMENT;
    return JSON.parse(execFileSync(PROGRAM, [...words, ...data, "--output", "json"], { env }));
  };
  prepare(at());
  const world = await start([...options, ...data], more);
  const sockets = readFileSync(join(folder, "data/postgres/postmaster.pid"), "utf8").split("\n")[4];
  const sql = (statement) => execFileSync("psql", ["-X", "-q", "-h", sockets, "-U", "certvakt_owner", "-d", "certvakt", "-c", statement], { env: ENVIRONMENT });
  Object.assign(world, { certvakt: at(), at, sql });
  const stop = world.stop;
  world.stop = async () => {
    await stop();
    rmSync(folder, { recursive: true });
  };
  return world;
}

/** Sign-in by mail, to a server that is never reached. */
const EMPTY = `[sign_in]\npublic_url = "${PUBLIC}"\nlinks = true\n[email]\nserver = "smtp://127.0.0.1:9"\nfrom = "certvakt@example.org"\n`;

/** Starts `certvakt serve --demo` and a browser. */
export async function start(options = ["--demo"], more = "") {
  const folder = mkdtempSync(join(tmpdir(), "certvakt-browser."));
  const config = join(folder, "certvakt.toml");
  writeFileSync(config, `[serve]\nlisten = "127.0.0.1:0"\n[erasure]\nledger = "${join(folder, "erased")}"\n${more}`);
  const service = spawn(PROGRAM, ["serve", ...options, "--config", config], {
    env: { ...ENVIRONMENT, CERTVAKT_LOG_FORMAT: "json" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = new Promise((resolve) => {
    createInterface({ input: service.stdout }).on("line", (line) => line.startsWith("http") && resolve(line));
  });
  const said = [];
  const address = await new Promise((resolve, reject) => {
    createInterface({ input: service.stderr }).on("line", (line) => {
      said.push(line);
      const { fields } = JSON.parse(line);
      if (fields?.message === "listening") resolve(fields.address);
    });
    service.on("exit", (status) => reject(new Error(`the service ended with ${status}:\n${said.join("\n")}`)));
  });
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: [...FLAGS, `--host-resolver-rules=MAP ${new URL(PUBLIC).host} ${address}`] });
  await completeClicks(browser);
  const world = { browser, base: `http://${address}`, said, printed };
  world.stop = async () => {
    await browser.close();
    service.removeAllListeners("exit");
    const ended = new Promise((resolve) => service.on("exit", resolve));
    service.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true });
  };
  return world;
}

let clicksAreComplete = false;

/** Lets a click return when the page that it leads to is complete. Without this, it returns when that page begins, and what looks at
 * the page without waiting, such as `all` or `count`, sees a part of it. */
async function completeClicks(browser) {
  if (clicksAreComplete) return;
  clicksAreComplete = true;
  const page = await browser.newPage();
  const { prototype } = page.locator("body").constructor;
  const { click } = prototype;
  prototype.click = async function (...options) {
    await click.apply(this, options);
    await this.page().waitForLoadState();
  };
  await page.close();
}

/** Opens a page in a new context, in which a person of the demo is signed in. */
export async function signIn(world, who, options = {}) {
  const context = await world.browser.newContext({ baseURL: world.base, locale: "nb-NO", ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
  page.on("request", (request) => request.url().startsWith(world.base) || page.faults.push(request.url()));
  await page.goto("/sign-in");
  if (who) await become(page, who);
  return page;
}

/** Signs a person of the demo in on the sign-in page. */
export async function become(page, who) {
  const words = { coordinator: /koordinator for|coordinator of Oslo/, administrator: /, administrator/, mentor: /, (likeperson|mentor)$/, outsider: /annen|another/ };
  await page.getByRole("button", { name: words[who] }).click();
  await page.waitForURL((url) => url.pathname !== "/sign-in");
}

/** Waits until a page is complete, and until its `autofocus` has the focus, which a browser moves only when it draws the page. */
export async function settle(page) {
  await page.waitForLoadState();
  await page.evaluate(async () => {
    if (!document.querySelector("[autofocus]") || document.querySelector(":target")) return;
    while (document.activeElement === document.body) await new Promise(requestAnimationFrame);
  });
}

/** The text of the element that has the focus. */
export const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());

/** Checks which element gets the focus. A browser moves it to a new page's `autofocus` only when it draws the page. */
export async function assertFocus(page, expected) {
  const isIt = (text) => (expected instanceof RegExp ? expected.test(text) : text === expected);
  for (const end = Date.now() + 10_000; !isIt(await focused(page)) && Date.now() < end; ) {
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  assert[expected instanceof RegExp ? "match" : "equal"](await focused(page), expected);
}

/** Presses Tab until a link or button has the focus, as somebody who sees nothing does. */
export async function tabTo(page, name, most = 400) {
  for (let presses = 0; presses < most; presses++) {
    await page.keyboard.press("Tab");
    const here = await focused(page);
    if (name instanceof RegExp ? name.test(here) : here === name) return;
  }
  assert.fail(`Tab never reaches ${name}`);
}

/** What axe-core finds wrong with a page, each as a rule with the elements. */
export async function violations(page) {
  await settle(page);
  // Evaluated by the browser's driver, to which the policy of the page does not apply.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const found = await page.evaluate((values) => window.axe.run({ runOnly: { type: "tag", values } }), RULES);
  const shown = (all) => all.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
  return { violations: shown(found.violations), incomplete: shown(found.incomplete) };
}

/** What is wrong with the layout: content beside the screen, small targets, targets that overlap. */
export function layoutFaults(page) {
  return page.evaluate(() => {
    const faults = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) {
      const wide = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > width + 1);
      faults.push(`wider than the screen: ${wide.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)).join(" | ")}`);
    }
    const isSeen = (one) => one.checkVisibility() && !one.closest(".unseen, .skip");
    const targets = [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")].filter(isSeen);
    // A link within a sentence may be as small as its text (WCAG 2.5.8).
    const isInText = (one) => one.matches("p a:not(.button), li p a, td a, dd a, h3 a");
    const boxes = targets.map((one) => [one, one.getBoundingClientRect()]);
    for (const [one, box] of boxes) {
      if (!isInText(one) && (box.width < 24 || box.height < 24)) faults.push(`small target: ${one.outerHTML.slice(0, 120)}`);
    }
    boxes.forEach(([one, a], number) => {
      for (const [other, b] of boxes.slice(number + 1)) {
        const isApart = a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
        if (!isApart && !one.contains(other)) faults.push(`overlap: ${one.outerHTML.slice(0, 80)} and ${other.outerHTML.slice(0, 80)}`);
      }
    });
    return faults;
  });
}
