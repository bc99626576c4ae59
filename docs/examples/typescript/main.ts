// Reads the organization of an API key and renames it, by openapi-fetch and the types that openapi-typescript makes of the
// contract. It sends a name that is too short, one that fits, and one with the ETag that is out of date by then.
import createClient from "openapi-fetch";
import type { paths } from "./organizations.js";

const client = createClient<paths>({
  baseUrl: process.env.ORGANIZATIONS_URL,
  headers: { Authorization: `Bearer ${process.env.ORGANIZATIONS_KEY}` },
});

const current = await client.GET("/v1/organizations");
if (!current.data) throw new Error(`getting the organization: ${JSON.stringify(current.error)}`);
console.log("200 it is", current.data.organization_name);
const onlyIf = { header: { "If-Match": current.response.headers.get("ETag") ?? "*" } };

for (const name of ["", "Renamed by TypeScript", "Renamed again"]) {
  const { data, error, response } = await client.PATCH("/v1/organizations", {
    params: onlyIf,
    body: { organization_name: name },
  });
  if (data) {
    console.log("200 it is", data.organization_name);
  } else if ("error" in error && response.status === 412) {
    console.log("412 someone was faster; read it again:", error.error?.message);
  } else if ("detail" in error) {
    for (const problem of error.detail ?? []) console.log("422 the name will not do:", problem.msg);
  } else {
    throw new Error(`changing the organization: ${response.status} ${JSON.stringify(error)}`);
  }
}
