// Someone else changed the organization while it was being edited: both versions, side by side, and the choice.

import { byId, count, el, folded, show } from "/assets/view.js";
import { compact, indented, members } from "/assets/exact.js";
import { labels, overrides } from "/assets/form.js";

const valueOf = (snapshot, field) => (field === "rate_limits" ? overrides(snapshot) : snapshot.record.get(field));

// readable returns a value for people. Secrets stay secret.
function readable(field, text) {
  if (field === "default_llm_credentials") {
    const names = [...members(text).keys()];
    return el("span", {}, names.length ? `${names.join(", ")} (values hidden)` : "none");
  }
  if (text === "null" || (field === "rate_limits" && text === "{}")) return el("span", { class: "soft" }, "none");
  if (compact(text).startsWith("{")) return el("pre", {}, el("code", {}, folded(indented(text))));
  const value = JSON.parse(text);
  return value === "" ? el("span", { class: "soft" }, "empty") : el("span", {}, folded(String(value)));
}

// showConflict shows what differs, and calls takeOver or reapply as the person chooses. base is what the form was filled with,
// current what is there now, mine a Map from fields to what the form has.
export function showConflict(place, { base, current, mine }, { takeOver, reapply }) {
  const differs = (field) => compact(valueOf(base, field)) !== compact(valueOf(current, field));
  const fields = Object.keys(labels).filter((field) => differs(field) || mine.has(field));
  const rows = fields.map((field) => {
    const theirs = differs(field);
    const both = theirs && mine.has(field);
    return el("tr", { class: both ? "both" : null },
      el("th", { scope: "row" }, labels[field],
        el("span", { class: `badge ${both ? "amber" : ""}` }, both ? "changed by both" : theirs ? "changed by others" : "changed by you")),
      el("td", { "data-label": "There now", class: theirs ? "changed" : null }, readable(field, valueOf(current, field))),
      el("td", { "data-label": "Yours", class: mine.has(field) ? "changed" : null }, readable(field, mine.get(field) ?? valueOf(base, field))));
  });
  const heading = el("h3", { tabindex: "-1", id: "conflict-title" }, "Changed meanwhile");
  show(place, el("section", { class: "conflict", "aria-labelledby": "conflict-title" },
    heading,
    el("p", {}, `Someone else changed the organization after you opened it. Nothing of yours was saved. ${count(fields.length, "field")} `,
      fields.length === 1 ? "differs:" : "differ:"),
    el("table", { class: "sides small" },
      el("thead", {}, el("tr", {}, ["Field", "There now", "Yours"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows)),
    el("div", { class: "actions" },
      el("button", { type: "button", class: "button primary", id: "reapply", onclick: reapply }, "Apply mine to it"),
      el("button", { type: "button", class: "button", id: "take-over", onclick: takeOver }, "Take theirs, drop mine")),
    el("p", { class: "small soft" }, "Applying yours sends only the fields that you changed; the others stay as they are there now.")));
  heading.focus();
  heading.scrollIntoView({ block: "center" });
}

export const hideConflict = (place = byId("conflict")) => show(place);
