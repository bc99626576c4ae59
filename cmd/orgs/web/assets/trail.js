// The audit trail, the newest entry first, a page at a time. Each entry opens to what it changed.

import { audit, session } from "/assets/api.js";
import { count, el, folded, show, time } from "/assets/view.js";
import { compact, differences, spaced } from "/assets/exact.js";
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

// words are what people read for the members of a key, and for those of a new organization.
const words = {
  ...labels, key_id: "Identifier", label: "Label", permission: "Permission", mode: "Mode", expires_at: "Expires",
  revoked_at: "Revoked", replaced_by: "Replaced by", account_type: "Tier", credit_count: "Credits",
};

const isTime = /^"\d{4}-\d\d-\d\dT[\d:.]+Z"$/;

// value returns one side of a difference, which is JSON.
function value(text) {
  if (isTime.test(text)) return time(JSON.parse(text));
  return el("code", {}, folded(text.startsWith('"') ? JSON.parse(text) || '""' : spaced(text)));
}

// row returns what happened at one place of a field.
const row = (name, { before, after }) => el("li", {},
  el("span", { class: "where" }, name),
  before !== null && before !== "null" && el("del", {}, el("span", { class: "visually-hidden" }, "before: "), value(before)),
  after === null || after === "null"
    ? el("span", { class: "soft" }, "removed")
    : el("ins", {}, el("span", { class: "visually-hidden" }, "after: "), value(after)));

// The most differences of one field that are shown at once.
const most = 20;

// change returns what happened to a field: one row for each place in it that differs.
function change({ field, before, after }) {
  const name = labels[field] ?? others[field] ?? field;
  const rows = differences(compact(before), compact(after))
    .filter((d) => !(d.before === null && d.after === "null"))
    .map((d) => row(d.path.length ? [name, ...d.path.map((part) => words[part] ?? part)].join(" › ") : name, d));
  const rest = rows.splice(most);
  return [...rows, rest.length > 0 && el("li", {},
    el("details", {}, el("summary", {}, `${count(rest.length, "more place")} in ${name}`), el("ul", { class: "changes" }, rest)))];
}

const nameOf = (id, keys) => {
  if (id === "operator") return "the operator";
  const key = keys.find((k) => k.key_id === id);
  return key?.label || id;
};

// subject names the key that an entry is about.
function subject(changes, keys) {
  const key = changes.find(({ field }) => field === "key");
  const text = key && (key.after === "null" ? key.before : key.after);
  const id = text?.startsWith("{") && JSON.parse(text).key_id;
  return id ? nameOf(id, keys) : "";
}

function entry(e, keys) {
  const fields = e.action === "organization.updated"
    ? e.changes.map(({ field }) => labels[field] ?? others[field] ?? field).join(", ")
    : subject(e.changes, keys);
  return el("li", {}, el("details", { class: "entry" },
    el("summary", {},
      el("span", {}, el("strong", {}, actions[e.action] ?? e.action), fields && ` ${fields}`),
      el("span", { class: "small soft when" }, time(e.at), ` by ${nameOf(e.actor, keys)}`)),
    el("ul", { class: "changes small" }, e.changes.flatMap(change)),
    el("p", { class: "small soft" },
      `Version ${e.version}, by `, el("code", {}, e.actor), ", request ", el("code", {}, e.request_id))));
}

const kinds = { "": "All changes", "organization.updated": "Settings", "key.": "Keys" };

const select = (id, label, changed) => {
  const control = el("select", { id, onchange: changed });
  return { control, element: el("div", { class: "field" }, el("label", { for: id }, label), control) };
};

const option = (value, text) => el("option", { value }, text);

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
  const kind = select("audit-kind", "What", restart);
  const actor = select("audit-actor", "Who", restart);
  show(kind.control, Object.entries(kinds).map(([value, text]) => option(value, text)));
  show(actor.control, option("", "Anybody"), option("operator", "The operator"));
  let cursor = "";
  let asked = 0;

  // next appends a page. An answer to an older question is dropped.
  async function next() {
    const question = ++asked;
    more.disabled = true;
    try {
      const page = await audit({ cursor, kind: kind.control.value, actor: actor.control.value });
      if (question !== asked) return [];
      if (actor.control.length === 2) {
        actor.control.append(...page.keys.map((k) => option(k.key_id, k.label || `${k.key_id} (${k.permission})`)));
      }
      const entries = page.entries.map((e) => entry(e, page.keys));
      list.append(...entries);
      cursor = page.next_cursor;
      more.hidden = cursor === "";
      const shown = list.childElementCount;
      const entriesShown = count(shown, "entry");
      status.textContent = cursor === "" ? `${entriesShown}, all there are.` : `The newest ${entriesShown}.`;
      return entries;
    } catch (failure) {
      if (question === asked) status.textContent = `The audit trail cannot be shown. ${failure.message}`;
      return [];
    } finally {
      more.disabled = false;
    }
  }

  function restart() {
    cursor = "";
    show(list);
    next();
  }

  more.addEventListener("click", async () => (await next())[0]?.querySelector("summary").focus());
  await next();
  if (session.key !== key) return; // who asked for it has signed out
  show(place, el("div", { class: "filters" }, kind.element, actor.element), list, el("div", { class: "actions" }, more, status));
}
