// Signing in at the push service as a service account: the JWT bearer grant, signed by node:crypto.

import { createSign } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "./http2.mjs";

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The access token and the project of the key file `path`. */
export async function signIn(session, path) {
  const account = JSON.parse(readFileSync(path, "utf8"));
  const now = Math.floor(Date.now() / 1000);
  const head = base64url({ alg: "RS256", typ: "JWT", kid: account.private_key_id });
  const claims = base64url({
    iss: account.client_email,
    scope: "https://www.googleapis.com/auth/firebase.messaging",
    aud: account.token_uri,
    iat: now,
    exp: now + 300,
  });
  const signature = createSign("RSA-SHA256").update(`${head}.${claims}`).sign(account.private_key, "base64url");
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: `${head}.${claims}.${signature}`,
  });
  const headers = { ":path": new URL(account.token_uri).pathname, "content-type": "application/x-www-form-urlencoded" };
  const answer = await request(session, headers, form.toString());
  return { bearer: JSON.parse(answer).access_token, project: account.project_id };
}
