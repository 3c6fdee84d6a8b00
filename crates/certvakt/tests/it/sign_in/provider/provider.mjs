// The certified oidc-provider as a process, with its own pages to sign in on: any login is somebody.
//
//   node provider.mjs CALLBACK
//
// Says as JSON where it listens, and ends when standard input closes. The client `certvakt` is told the
// truth; each of the others is told one lie in its id token, signed like the truth unless that is the lie.

import { createServer } from "node:http";
import * as jose from "jose";
import Provider from "oidc-provider";

// Nobody reads standard output after its first line.
console.info = console.warn;

const SECRET = "a secret of the tests, of forty bytes...";
const key = await jose.generateKeyPair("RS256", { extractable: true });
const stranger = await jose.generateKeyPair("RS256");
const lies = {
  nonce: (claims) => ({ ...claims, nonce: "of another sign-in" }),
  "no-nonce": ({ nonce, ...claims }) => claims,
  audience: (claims) => ({ ...claims, aud: "another-client" }),
  audiences: (claims) => ({ ...claims, aud: [claims.aud, "another-client"] }),
  issuer: (claims) => ({ ...claims, iss: "https://elsewhere.example" }),
  expired: (claims) => ({ ...claims, exp: claims.iat - 60 }),
  signature: (claims) => claims,
  shared: (claims) => claims,
  unsigned: (claims) => claims,
};

async function sign(lie, claims) {
  if (lie === "unsigned") return new jose.UnsecuredJWT(claims).encode();
  const [alg, by] = { signature: ["RS256", stranger.privateKey], shared: ["HS256", new TextEncoder().encode(SECRET)] }[lie] ?? ["RS256", key.privateKey];
  return new jose.SignJWT(claims).setProtectedHeader({ alg, kid: "key" }).sign(by);
}

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: ["certvakt", ...Object.keys(lies)].map((client_id) => ({
    client_id,
    client_secret: SECRET,
    redirect_uris: [process.argv[2]],
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
  const lie = ctx.oidc?.client?.clientId;
  if (lie in lies && ctx.body?.id_token) {
    const { iat, ...claims } = jose.decodeJwt(ctx.body.id_token);
    ctx.body.id_token = await sign(lie, lies[lie]({ iat, ...claims }));
  }
});
server.on("request", provider.callback());
process.stdin.on("end", () => process.exit()).resume();
console.log(JSON.stringify({ issuer }));
