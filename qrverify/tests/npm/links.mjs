// What an independent client finds behind health links. Standard input: {"asked": [{link,
// recipient, passcode, embeddedLengthMax}]}; standard output: resources, or the error's name.
import { readFileSync } from "node:fs";
import { SHLViewer } from "kill-the-clipboard";

async function open({ link, ...asked }) {
  try {
    const viewer = new SHLViewer({ shlinkURI: link });
    const { url, flag, label, exp } = viewer.shl.payload;
    const { manifest, fhirResources } = await viewer.resolveSHL(asked);
    return { url, flag, label, exp, manifest, resources: fhirResources };
  } catch (error) {
    return { error: error.name, message: error.message };
  }
}

const { asked } = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const one of asked) answers.push(await open(one));
process.stdout.write(JSON.stringify(answers));
