// fhir-kit-client on a live server: told a plan (tests/conformance/plan.py), prints what it saw as one line of JSON.
import { readFileSync } from "node:fs";
import { Client } from "fhir-kit-client";

const plan = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const client = new Client({ baseUrl: plan.base, customHeaders: plan.headers });
const saw = { created: {}, transaction: {}, pages: [] };

saw.fhir = (await client.capabilityStatement()).fhirVersion;

for (const [resourceType, resource] of Object.entries(plan.create)) {
  let told = JSON.stringify(resource);
  for (const [name, id] of Object.entries(saw.created)) told = told.replaceAll(`{${name}}`, id);
  const made = await client.create({ resourceType, body: JSON.parse(told) });
  saw.created[resourceType] = made.id;
}

const answer = await client.transaction({ body: plan.transaction });
for (const one of answer.entry) {
  const [name, id] = one.fullUrl.split("/").slice(-2);
  saw.transaction[name] = id;
}

const found = await client.search({
  resourceType: "CareTeam",
  searchParams: {
    "patient.identifier": plan.identifier,
    _include: ["CareTeam:subject", "CareTeam:participant"],
    "_include:iterate": "PractitionerRole:practitioner",
  },
});
saw.found = found.entry.filter((one) => one.search.mode === "match").map((one) => one.resource.id);
saw.included = found.entry.filter((one) => one.search.mode === "include").map((one) => one.resource.resourceType);

let page = await client.search({ resourceType: "CareTeam", searchParams: { _count: 1 } });
while (page) {
  saw.pages.push(...(page.entry ?? []).map((one) => one.resource.id));
  page = await client.nextPage({ bundle: page });
}

const resourceType = "CareTeam";
const id = saw.created.CareTeam;
const circle = await client.read({ resourceType, id });
saw.read = { version: circle.meta.versionId, name: circle.name };
const options = { headers: { "If-Match": 'W/"1"' } };
const renamed = await client.update({ resourceType, id, body: { ...circle, name: "Cercle renommé" }, options });
saw.updated = { version: renamed.meta.versionId, name: renamed.name };
try {
  await client.update({ resourceType, id, body: circle, options });
} catch (error) {
  saw.stale = error.response.status;
}
const first = await client.vread({ resourceType, id, version: "1" });
saw.vread = { version: first.meta.versionId, name: first.name };
const versions = await client.history({ resourceType, id });
saw.history = versions.entry.map((one) => one.resource.meta.versionId);

console.log(JSON.stringify(saw));
