// Requests to the gateway with the key of the session.
//
// The key is in the session storage of this tab, so that reloading keeps one signed in; the browser forgets it with the tab.
// It is in no URL, no cookie and no other storage.

import { members } from "/assets/exact.js";

const slot = "organizations-api.key";

export const session = {
  get key() { return sessionStorage.getItem(slot); },
  open(key) { sessionStorage.setItem(slot, key); },
  close() { sessionStorage.removeItem(slot); },
};

// Failure is an answer that is not a success. Its status is 0 if there was no answer.
export class Failure extends Error {
  constructor(status, message, more = {}) {
    super(message);
    this.status = status;
    this.problems = more.problems ?? []; // of a 422: {loc, msg, type}
    this.retryAfter = more.retryAfter ?? null; // in seconds
    this.requestId = more.requestId ?? null;
  }
}

const unanswered = () => new Failure(0, "The gateway does not answer. Is orgs serve still running?");

// call returns the text of an answer and its ETag, or throws a Failure.
async function call(method, path, { key = session.key, headers = {}, body } = {}) {
  let response, text;
  try {
    response = await fetch(path, {
      method,
      body,
      headers: { Authorization: `Bearer ${key}`, ...headers },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
    text = await response.text();
  } catch {
    throw unanswered();
  }
  if (!response.ok) throw failure(response, text);
  return { text, etag: response.headers.get("ETag") };
}

function failure(response, text) {
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Not from the API; the status has to do.
  }
  const seconds = Number(response.headers.get("Retry-After"));
  return new Failure(response.status, body?.error?.message ?? `The gateway answered with the status ${response.status}.`, {
    problems: body?.detail,
    retryAfter: seconds > 0 ? seconds : null,
    requestId: response.headers.get("X-Request-Id"),
  });
}

const recordPath = "/v1/organizations";
const maxReads = 4;

// snapshot returns the record, its ETag and what the console knows beside it, all of one version: the record as a Map from
// names to JSON texts.
export async function snapshot(key = session.key) {
  for (let read = 1; ; read++) {
    const { text, etag } = await call("GET", recordPath, { key });
    const account = JSON.parse((await call("GET", "/console/data/account", { key })).text);
    const record = members(text);
    if (JSON.parse(record.get("updated_at")) === account.updated_at) return { record, etag, account };
    if (read === maxReads) throw new Failure(0, "The organization changes faster than it can be read. Try again.");
  }
}

// change sends a patch, of a media type and as JSON text, for the version that the ETag names.
export async function change({ mediaType, text }, etag) {
  await call("PATCH", recordPath, {
    headers: { "Content-Type": mediaType, "If-Match": etag },
    body: text,
  });
}

// audit returns a page of the audit trail. Values that are "" ask for nothing.
export async function audit(query) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  return JSON.parse((await call("GET", `/console/data/audit${asked.size ? `?${asked}` : ""}`)).text);
}

// redeem returns the key for the token of a sign-in link.
export async function redeem(token) {
  const answer = await fetch("/console/sign-in", {
    method: "POST", body: JSON.stringify({ token }), cache: "no-store", credentials: "omit",
  }).catch(() => null);
  if (answer === null) throw unanswered();
  if (answer.ok) return (await answer.json()).key;
  throw new Failure(answer.status, `${await answer.text()} Start orgs serve again to get a new link, or paste a key.`);
}
