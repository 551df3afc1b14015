// What two independent readers say of health cards. Standard input: {"cards": [{chunks, file,
// jws, directory}]}; standard output: for each, what each reader found, or its error.
import { readFileSync } from "node:fs";
import { Directory, SHCReader } from "kill-the-clipboard";
import shcProtocol from "shc-protocol";

const decode = shcProtocol.default ?? shcProtocol;

async function told(act) {
  try {
    return { bundle: await act() };
  } catch (error) {
    return { error: error.name, message: error.message };
  }
}

// Keys and revocation lists, fetched from the issuer where the test asks for it.
async function readerOf({ issuer }) {
  return new SHCReader(issuer ? { issuerDirectory: await Directory.fromURLs([issuer]) } : {});
}

async function clipboard(card) {
  const reader = await readerOf(card);
  if (card.chunks) return (await reader.fromQRNumeric(card.chunks)).asBundle();
  if (card.file) return (await reader.fromFileContent(card.file)).asBundle();
  return (await reader.fromJWS(card.jws)).asBundle();
}

// It reads one symbol only, and answers instead of throwing.
async function protocol(card) {
  const found = await decode(card.chunks[0]);
  if (!found.verifications.trustable) throw found.verifications.verificationError;
  return found.payload.vc.credentialSubject.fhirBundle;
}

const { cards } = JSON.parse(readFileSync(0, "utf8"));
console.warn = console.error;
const answers = [];
for (const card of cards) {
  answers.push({
    clipboard: await told(() => clipboard(card)),
    protocol: card.chunks?.length === 1 ? await told(() => protocol(card)) : null,
  });
}
process.stdout.write(JSON.stringify(answers));
