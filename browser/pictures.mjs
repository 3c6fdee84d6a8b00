// `make screenshots` writes the pictures of the README.

import { join } from "node:path";
import { after, before, test } from "node:test";
import { first } from "./pages.mjs";
import { signIn, start } from "./world.mjs";

let world;
before(async () => {
  world = await start();
});
after(() => world?.stop());

const PICTURES = {
  today: ["coordinator", { viewport: { width: 800, height: 900 } }, (page) => page.goto("/today")],
  certification: ["coordinator", { viewport: { width: 400, height: 900 }, colorScheme: "dark" }, first],
  outlook: ["administrator", { viewport: { width: 800, height: 900 } }, (page) => page.goto("/outlook")],
};
for (const [name, [who, options, open]] of Object.entries(PICTURES)) {
  test(`picture of ${name}`, async () => {
    const page = await signIn(world, who, options);
    await open(page);
    await page.screenshot({ path: join(process.env.CERTVAKT_PICTURES, `${name}.png`) });
  });
}
