// Reads the organization of an API key and renames it, by the client that Hey API makes of the contract. What it generates is
// in the folder client, which is made anew for each run and not kept.
import { client } from "./client/client.gen.js";
import { getOrganizationV1OrganizationsGet as get, updateOrganizationV1OrganizationsPatch as patch } from "./client/sdk.gen.js";

client.setConfig({ baseUrl: process.env.ORGANIZATIONS_URL, auth: () => process.env.ORGANIZATIONS_KEY });

const current = await get();
if (!current.data) throw new Error(`getting the organization: ${JSON.stringify(current.error)}`);
console.log("200 it is", current.data.organization_name);
const changed = await patch({ body: { organization_name: "Renamed by Hey API", rate_limits: { search: 120 } } });
if (!changed.data) throw new Error(`changing the organization: ${JSON.stringify(changed.error)}`);
console.log("200 it is", changed.data.organization_name, "with", changed.data.rate_limits.search, "searches");
const refused = await patch({ body: { organization_name: "" } });
if (refused.response?.status !== 422) throw new Error(`a name that is too short: ${refused.response?.status}`);
console.log("422 as it should");
