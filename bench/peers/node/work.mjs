// Graphile Worker at work: posts the message of each job over HTTP/2 and ends after so many jobs. The
// settings are those of "Performance" in its documentation.
//
//   node work.mjs ENDPOINT ACCOUNT JOBS CONNECTIONS CONCURRENCY        (DATABASE_URL)

import { EventEmitter } from "node:events";
import { connect } from "node:http2";
import { run } from "graphile-worker";
import { request } from "./http2.mjs";
import { logger } from "./quiet.mjs";
import { signIn } from "./sign-in.mjs";

const [endpoint, account, jobs, connections, concurrency] = process.argv.slice(2);
const sessions = Array.from({ length: Number(connections) }, () => connect(endpoint));
const { bearer, project } = await signIn(sessions[0], account);
const headers = {
  ":path": `/v1/projects/${project}/messages:send`,
  "authorization": `Bearer ${bearer}`,
  "content-type": "application/json",
};
let turn = 0;
const taskList = {
  send_notice: (message) => request(sessions[turn++ % sessions.length], headers, JSON.stringify(message)),
};

const events = new EventEmitter();
let left = Number(jobs);
const finished = new Promise((resolve, reject) => {
  events.on("job:success", () => { if (--left === 0) resolve(); });
  events.on("job:error", ({ error }) => reject(error));
});
const runner = await run({
  preset: {
    worker: {
      connectionString: process.env.DATABASE_URL,
      concurrentJobs: Number(concurrency),
      // Fetching and completing in batches needs few of them.
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  logger,
  events,
  noHandleSignals: true,
  taskList,
});
await finished;
await runner.stop(null);
for (const session of sessions) session.close();
