// The audit trail, the newest entry first, a page at a time.

import { audit, session } from "/assets/api.js";
import { count, el, show, time } from "/assets/view.js";
import { indented, spaced } from "/assets/exact.js";
import { labels } from "/assets/form.js";

const others = { organization: "Organization", key: "Key", deleted_at: "Deleted at" };

const actions = {
  "organization.created": "Organization created",
  "organization.updated": "Settings changed",
  "organization.deleted": "Organization deleted",
  "organization.undeleted": "Organization restored",
  "key.issued": "Key issued",
  "key.rotated": "Key rotated",
  "key.expires": "Expiry of a key set",
  "key.revoked": "Key revoked",
};

// The longest JSON, in characters, that is not spread over lines.
const longest = 96;

// value returns one side of a change, which is JSON.
function value(text) {
  if (text === "null") return el("span", { class: "soft" }, "none");
  const line = spaced(text);
  return line.length > longest ? el("pre", {}, el("code", {}, indented(text))) : el("code", {}, line);
}

const side = (name, text) => el("div", {}, el("span", { class: "side" }, name), value(text));

const nothing = ["null", "{}"];

// change returns what happened to a field. Of what was not there before, there is one side.
const change = ({ field, before, after }) => el("div", { class: "change" },
  el("dt", {}, labels[field] ?? others[field] ?? field),
  nothing.includes(before) ? el("dd", {}, side("set to", after)) : el("dd", {}, side("from", before), side("to", after)));

const entry = (e) => el("li", { class: "entry", tabindex: "-1" },
  el("div", { class: "head" },
    el("h3", {}, actions[e.action] ?? e.action),
    el("p", { class: "small soft" }, time(e.at), " by ", el("code", {}, e.actor), `, version ${e.version}`)),
  el("dl", { class: "changes small" }, e.changes.map(change)),
  el("p", { class: "small soft request" }, "Request ", el("code", {}, e.request_id)));

// showTrail reads the newest page into the place. A key without the permission gets a sentence in place of it.
export async function showTrail(place, mayRead) {
  if (!mayRead) {
    show(place, el("p", { class: "notice" }, "Reading the audit trail needs a key with the permission admin."));
    return;
  }
  const key = session.key;
  const list = el("ol", { class: "trail" });
  const status = el("p", { class: "small soft", role: "status" });
  const more = el("button", { type: "button", class: "button quiet", id: "older", hidden: true }, "Show older entries");
  let cursor = "";
  let shown = 0;

  async function next() {
    more.disabled = true;
    try {
      const page = await audit(cursor);
      const entries = page.entries.map(entry);
      list.append(...entries);
      cursor = page.next_cursor;
      shown += entries.length;
      more.hidden = cursor === "";
      status.textContent = cursor === "" ? `${shown === 1 ? "1 entry" : `${shown} entries`}, all there are.` : `The newest ${shown} entries.`;
      return entries;
    } catch (failure) {
      status.textContent = failure.message;
      return [];
    } finally {
      more.disabled = false;
    }
  }

  more.addEventListener("click", async () => (await next())[0]?.focus());
  await next();
  if (session.key !== key) return; // who asked for it has signed out
  show(place, list, el("div", { class: "actions" }, more, status));
}
