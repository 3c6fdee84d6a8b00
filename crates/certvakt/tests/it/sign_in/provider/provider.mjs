// The certified oidc-provider as a process, with its own pages to sign in on: any login is somebody.
//
//   node provider.mjs CALLBACK…
//
// Says as JSON where it listens, and ends when standard input closes. The client `certvakt` is told the
// truth; each of the others gets one change in its id token, signed like the truth unless that is the change.

import { createServer } from "node:http";
import * as jose from "jose";
import Provider from "oidc-provider";

// Nobody reads standard output after its first line.
console.info = console.warn;

const SECRET = "a secret of the tests, of forty bytes...";
const key = await jose.generateKeyPair("RS256", { extractable: true });
const stranger = await jose.generateKeyPair("RS256");
const changes = {
  nonce: (claims) => ({ ...claims, nonce: "of another sign-in" }),
  "no-nonce": ({ nonce, ...claims }) => claims,
  audience: (claims) => ({ ...claims, aud: "another-client" }),
  audiences: (claims) => ({ ...claims, aud: [claims.aud, "another-client"] }),
  issuer: (claims) => ({ ...claims, iss: "https://elsewhere.example" }),
  expired: (claims) => ({ ...claims, exp: claims.iat - 60 }),
  signature: (claims) => claims,
  shared: (claims) => claims,
  unsigned: (claims) => claims,
  low: (claims) => ({ ...claims, acr: "urn:low" }),
  high: (claims) => ({ ...claims, acr: "urn:high" }),
  talkative: (claims) => ({ ...claims, name: "Kari Prøve", email: "kari@talkative.example", birthdate: "1990-02-17" }),
};

async function sign(change, claims) {
  if (change === "unsigned") return new jose.UnsecuredJWT(claims).encode();
  const [alg, by] = { signature: ["RS256", stranger.privateKey], shared: ["HS256", new TextEncoder().encode(SECRET)] }[change] ?? ["RS256", key.privateKey];
  return new jose.SignJWT(claims).setProtectedHeader({ alg, kid: "key" }).sign(by);
}

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: ["certvakt", ...Object.keys(changes)].map((client_id) => ({
    client_id,
    client_secret: SECRET,
    redirect_uris: process.argv.slice(2),
    response_types: ["code"],
    grant_types: ["authorization_code"],
  })),
  jwks: { keys: [{ ...(await jose.exportJWK(key.privateKey)), kid: "key", alg: "RS256", use: "sig" }] },
  cookies: { keys: ["of the tests"] },
  pkce: { required: () => true },
  acrValues: ["urn:low"],
});
provider.use(async (ctx, next) => {
  await next();
  const change = ctx.oidc?.client?.clientId;
  if (change in changes && ctx.body?.id_token) {
    const { iat, ...claims } = jose.decodeJwt(ctx.body.id_token);
    ctx.body.id_token = await sign(change, changes[change]({ iat, ...claims }));
  }
});
server.on("request", provider.callback());
process.stdin.on("end", () => process.exit()).resume();
console.log(JSON.stringify({ issuer }));
