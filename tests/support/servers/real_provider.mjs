// The OpenID Connect provider of npm (oidc-provider), set up for one client; arguments by the environment.
// FOLDER: where it is installed. PORT, REDIRECT, LOGOUT: addresses. AHEAD: seconds by which its clock is wrong.
// Whoever signs in as anew-NAME is the person NAME, to whom it has issued another subject.
import { createRequire } from "node:module";
import { generateKeyPairSync } from "node:crypto";
import { pathToFileURL } from "node:url";

const ahead = Number(process.env.AHEAD || 0) * 1000;
const real = Date.now.bind(Date);
Date.now = () => real() + ahead;

const require = createRequire(`${process.env.FOLDER}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));
const issuer = `http://127.0.0.1:${process.env.PORT}`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), kid: `rsa-${real()}`, use: "sig", alg: "RS256" };

const personOf = (name) =>
  name === "ana" ? { name: "Ana Ruiz", email: "ana@elsewhere.example" } : { name, email: `${name}@example.org` };

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "plumbline-client",
      client_secret: "a secret of the client",
      redirect_uris: [process.env.REDIRECT],
      backchannel_logout_uri: process.env.LOGOUT,
      backchannel_logout_session_required: true,
      response_types: ["code"],
      grant_types: ["authorization_code"],
    },
  ],
  // Its own would not ask an address of this machine, where the test listens for logout tokens.
  fetch: (address, { dispatcher, ...options }) => fetch(address, options),
  cookies: { keys: ["a key of cookies"] },
  jwks: { keys: [key] },
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
  features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true } },
  findAccount: async (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email_verified: true, ...personOf(id.replace(/^anew-/, "")) }),
  }),
});
provider.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("ready"));
