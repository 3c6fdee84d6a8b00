// Graphile Worker's addJobs: adds the jobs of a file, a line of JSON each ({"jobKey"?, "payload"}), in
// batches. Prints how many seconds passed from the first call to the last answer, with the jobs in
// memory and the schema in place.
//
//   node add-jobs.mjs JOBS        (DATABASE_URL)

import { readFileSync } from "node:fs";
import { makeWorkerUtils } from "graphile-worker";
import { logger } from "./quiet.mjs";

const BATCH = 10_000;
const jobs = readFileSync(process.argv[2], "utf8").trimEnd().split("\n")
  .map((line) => ({ identifier: "send_notice", ...JSON.parse(line) }));
const utils = await makeWorkerUtils({ connectionString: process.env.DATABASE_URL, logger });
await utils.migrate();
const began = performance.now();
for (let from = 0; from < jobs.length; from += BATCH) {
  await utils.addJobs(jobs.slice(from, from + BATCH));
}
const seconds = (performance.now() - began) / 1000;
await utils.release();
console.log(JSON.stringify({ seconds, jobs: jobs.length }));
