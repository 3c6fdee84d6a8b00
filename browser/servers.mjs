// The servers that sign-in needs: an OpenID Connect provider and a mail server, the same as in the Rust tests.

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { PUBLIC, root } from "./world.mjs";

/** Starts a process that prints where it listens, as a line of JSON, and ends when its standard input closes. */
async function listen(program, words) {
  const started = spawn(program, words, { stdio: ["pipe", "pipe", "ignore"] });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: started.stdout }).once("line", resolve);
    started.once("error", reject).once("exit", (status) => reject(new Error(`${words[0]} ended with ${status}`)));
  });
  const stop = () => new Promise((resolve) => {
    started.removeAllListeners("exit").once("exit", resolve);
    started.stdin.end();
  });
  return { ...JSON.parse(line), stop };
}

/** Starts the OpenID Connect provider of the tests, on whose pages any login is somebody. Its client is `certvakt`. */
export async function startProvider(id) {
  const folder = mkdtempSync(join(tmpdir(), "certvakt-provider."));
  // Node looks up modules in the folder of the importing file.
  copyFileSync(join(root, "crates/certvakt/tests/it/sign_in/provider/provider.mjs"), join(folder, "provider.mjs"));
  symlinkSync(join(process.env.CERTVAKT_NODE_MODULES, "../../provider/node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "secret"), "a secret of the tests, of forty bytes...", { mode: 0o600 });
  const provider = await listen(process.execPath, [join(folder, "provider.mjs"), `${PUBLIC}/sign-in/callback/${id}`]);
  const stop = async () => {
    await provider.stop();
    rmSync(folder, { recursive: true });
  };
  return { issuer: provider.issuer, secret: join(folder, "secret"), stop };
}

/** Starts a mail server. Its `newest` waits until it has accepted a number of e-mails, and returns the last. */
export async function startMail() {
  const folder = mkdtempSync(join(tmpdir(), "certvakt-mail."));
  const server = await listen("/usr/bin/python3", [join(root, "crates/stand-ins/smtp.py"), folder]);
  const accepted = join(folder, "mails.jsonl");
  const mails = () => (existsSync(accepted) ? readFileSync(accepted, "utf8").split("\n").slice(0, -1) : []);
  const newest = async (number) => {
    for (const end = Date.now() + 30_000; mails().length < number; await setTimeout(20)) {
      if (Date.now() > end) throw new Error(`only ${mails().length} e-mails of ${number} were accepted`);
    }
    const text = JSON.parse(mails()[number - 1]).parts[0].text;
    return { link: /^http:\S+/m.exec(text)[0], code: /\b\d{6}\b/.exec(text)?.[0] };
  };
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  };
  return { port: server.port, newest, stop };
}
