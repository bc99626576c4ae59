// What a team might write in place of this service: a Lambda function for Node with the AWS SDK as its examples use it.
// It answers GET /v1/organizations. It has no rate limits, entity tags, conditional requests, checksums of keys, metrics
// or checks of what the store answers.
import { createHash } from "node:crypto";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";

const client = new DynamoDBClient({});
const table = process.env.ORGANIZATIONS_TABLE;

export const handler = async (event) => {
  const token = (event.headers?.authorization ?? "").replace(/^Bearer /, "");
  const parts = token.split("_"); // sk, mode, organization, secret
  if (parts.length !== 4) return respond(401, { error: "not an API key" });
  const id = "org_" + parts[2];
  let item;
  try {
    const out = await client.send(new GetItemCommand({
      TableName: table,
      Key: { PK: { S: "ORG#" + id }, SK: { S: "ORG" } },
      ConsistentRead: true,
      ReturnConsumedCapacity: "TOTAL",
    }));
    item = out.Item && unmarshall(out.Item);
  } catch (err) {
    console.error(err);
    return respond(503, { error: "unavailable" });
  }
  const key = item?.api_keys?.[createHash("sha256").update(token).digest("hex")];
  if (!key || key.revoked_at || (key.expires_at && key.expires_at <= new Date().toISOString())) {
    return respond(401, { error: "unauthorized" });
  }
  return respond(200, {
    organization_id: id,
    organization_name: item.organization_name,
    logo_url: item.logo_url ?? null,
    account_type: item.account_type,
    credit_count: item.credit_count,
    metadata: JSON.parse(item.metadata ?? "{}"),
    billing_email: item.billing_email ?? null,
    notifications_email: item.notifications_email ?? null,
    rate_limits: item.rate_limits ?? {},
    auto_billing_enabled: item.auto_billing_enabled ?? false,
    billing_cycle_start: item.billing_cycle_start,
    current_month_usage: item.current_month_usage,
    created_at: item.created_at,
    updated_at: item.updated_at,
  });
};

const respond = (statusCode, body) => ({
  statusCode,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});
