// The settings form: every field that a PATCH can change. It knows what it was filled with, and gives what differs from that as
// JSON texts, so that nothing is sent that nobody touched and nothing is sent otherwise than it was typed.

import { el, number, show } from "/assets/view.js";
import { compact, indented, isJSON, members, mergePatch } from "/assets/exact.js";
import { credentialsEditor } from "/assets/credentials.js";

// labels are what people read for the fields of the contract.
export const labels = {
  organization_name: "Name",
  billing_email: "Billing email",
  notifications_email: "Notifications email",
  logo_url: "Logo address",
  rate_limits: "Rate limit overrides",
  metadata: "Metadata",
  default_llm_credentials: "Model credentials",
  nsfw_check_enabled: "NSFW check",
  nsfw_fail_closed: "Refuse unchecked uploads",
};

const atMost = (n) => (text) => ([...text].length > n ? `Use at most ${number(n)} characters` : null);

// Text after an @, with a dot in it. The API knows more about addresses, and says so.
const email = (text) => (text === "" || /^[^@]+@[^@]+\.[^@]+$/.test(text) ? null : "Enter an email address, such as billing@example.com");

const texts = [
  {
    name: "organization_name", hint: "1 to 100 characters.", attributes: { autocomplete: "organization" },
    check: (text) => (text === "" ? "Enter a name" : atMost(100)(text)),
  },
  { name: "billing_email", hint: "Empty for none.", attributes: { inputmode: "email", autocomplete: "off" }, check: email },
  { name: "notifications_email", hint: "Empty for none.", attributes: { inputmode: "email", autocomplete: "off" }, check: email },
  { name: "logo_url", hint: "Empty for none.", attributes: { inputmode: "url", autocomplete: "off" }, check: atMost(2048), more: logoPreview },
];

const problem = (id) => el("p", { class: "problem", id: `${id}-problem` });

// field returns a labelled control, with places for a hint and for what is wrong.
function field(id, label, hint, control, ...more) {
  control.id = id;
  control.setAttribute("aria-describedby", hint ? `${id}-hint ${id}-problem` : `${id}-problem`);
  return el("div", { class: "field" },
    el("label", { for: id }, label),
    control,
    hint && el("p", { class: "hint", id: `${id}-hint` }, hint),
    more,
    problem(id));
}

// logoPreview returns what shows the picture at the address in the input. It loads nothing until a person asks for it,
// and only from https.
function logoPreview(input) {
  const place = el("div", { class: "preview" });
  const text = (words) => el("p", { class: "hint" }, words);
  const load = () => {
    const image = el("img", { src: input.value, alt: "The logo", referrerpolicy: "no-referrer" });
    image.addEventListener("error", () => show(place, text("The picture cannot be loaded.")));
    show(place, image);
  };
  const offer = () => {
    const isWeb = URL.canParse(input.value) && new URL(input.value).protocol === "https:";
    show(place,
      isWeb && el("button", { type: "button", class: "button quiet small", onclick: load }, "Show the logo"),
      !isWeb && input.value !== "" && text("Only an https address can be shown here."));
  };
  input.addEventListener("input", offer);
  offer();
  return place;
}

// createForm returns the form in an empty element. changed is called whenever a person changes something.
export function createForm(root, changed) {
  let parts = []; // {name, change(), problems(), at(loc)}
  root.addEventListener("input", () => changed());

  return {
    // fill shows a snapshot. Later changes are told from it.
    fill({ record, account }, readOnly) {
      parts = [
        ...texts.map((text) => textPart(text, record)),
        limitsPart(account.rate_limits),
        metadataPart(record),
        credentialsEditor(record.get("default_llm_credentials"), labels.default_llm_credentials, changed),
        ...flags.map((flag) => flagPart(flag, record)),
      ];
      show(root, parts.map((part) => part.element));
      for (const control of root.querySelectorAll("input, textarea")) {
        if (control.type === "checkbox") control.disabled = readOnly;
        else control.readOnly = readOnly;
      }
      for (const button of root.querySelectorAll("button")) button.hidden = readOnly && !button.closest(".preview");
    },

    // changes returns what differs: a Map from fields to JSON texts.
    changes() {
      return new Map(parts.map((part) => [part.name, part.change()]).filter(([, text]) => text !== null));
    },

    // problems returns what the form itself can see, in the shape of the API's problems.
    problems: () => parts.flatMap((part) => part.problems?.() ?? []),

    // at returns the control that a problem is about, or null if there is none.
    at([, name, ...rest]) {
      return parts.find((part) => part.name === name)?.at(rest) ?? null;
    },
  };
}

// overrides returns the override of a snapshot as a patch would have it; the record has only the limits in force.
export function overrides({ account }) {
  const set = account.rate_limits.filter((limit) => limit.override !== null);
  return `{${set.map(({ category, override }) => `"${category}":${override}`).join(",")}}`;
}

// patchOf returns a patch that makes the changes to the record of a snapshot: its media type and its text, or null where
// one patch cannot make them all. JSON replaces objects and cannot clear a field. A merge patch clears, and merges objects.
// Each text of changes must be well-formed.
export function patchOf(changes, snapshot) {
  const clears = [...changes.values()].includes("null");
  const there = (name) => (name === "rate_limits" ? overrides(snapshot) : snapshot.record.get(name));
  const texts = [...changes].map(([name, text]) => [name, clears ? mergePatch(compact(there(name)), compact(text)) : text]);
  if (clears && texts.some(([name, text]) => text === null && changes.get(name) !== "null")) return null;
  return {
    mediaType: clears ? "application/merge-patch+json" : "application/json",
    text: `{${texts.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`,
  };
}

const flags = [
  { name: "nsfw_check_enabled", hint: "Check uploads for content that is not safe for work." },
  { name: "nsfw_fail_closed", hint: "Refuse an upload that cannot be checked." },
];

function flagPart({ name, hint }, record) {
  const input = el("input", { type: "checkbox" });
  const initial = record.get(name) === "true";
  input.checked = initial;
  return {
    name,
    element: field(`field-${name}`, labels[name], hint, input),
    at: () => input,
    change: () => (input.checked === initial ? null : String(input.checked)),
  };
}

function textPart({ name, hint, attributes, check, more }, record) {
  const input = el("input", { type: "text", spellcheck: "false", ...attributes });
  input.value = JSON.parse(record.get(name)) ?? "";
  const initial = input.value; // as the control has it, which drops line breaks
  return {
    name,
    element: field(`field-${name}`, labels[name], hint, input, more?.(input)),
    at: () => input,
    problems() {
      const msg = input.value === initial ? null : check(input.value);
      return msg ? [{ loc: ["body", name], msg }] : [];
    },
    change() {
      if (input.value === initial) return null;
      return input.value === "" && name !== "organization_name" ? "null" : JSON.stringify(input.value);
    },
  };
}

const highest = 1e9;

// limitProblem says what is wrong with what was typed for a limit, or returns null.
function limitProblem(typed) {
  if (!/^\d+$/.test(typed)) return "Enter a whole number";
  return Number(typed) >= 1 && Number(typed) <= highest ? null : `Enter 1 to ${number(highest)}`;
}

function limitsPart(limits) {
  const inputs = new Map();
  const fields = limits.map(({ category, computed, override }) => {
    const input = el("input", { type: "text", inputmode: "numeric", autocomplete: "off", placeholder: number(computed) });
    input.value = override ?? "";
    inputs.set(category, input);
    input.id = `field-rate_limits-${category}`;
    input.setAttribute("aria-describedby", `${input.id}-problem`);
    return el("div", { class: "field" }, el("label", { for: input.id }, category), input);
  });
  const set = () => [...inputs].map(([category, input]) => [category, input.value.trim()]).filter(([, text]) => text !== "");
  // What is no limit is never sent: it only has to differ from what was there.
  const limitText = (text) => (limitProblem(text) ? JSON.stringify(text) : BigInt(text));
  const typed = () => set().map(([category, text]) => `${JSON.stringify(category)}:${limitText(text)}`).join(",");
  const initial = typed();
  return {
    name: "rate_limits",
    element: el("fieldset", { "aria-describedby": "field-rate_limits-hint" },
      el("legend", {}, labels.rate_limits),
      el("p", { class: "hint", id: "field-rate_limits-hint" }, "Requests a minute, 1 to 1,000,000,000. Empty keeps the limit of the tier."),
      el("div", { class: "five" }, fields),
      [...inputs.values()].map((input) => problem(input.id))),
    problems: () => set().flatMap(([category, text]) => {
      const msg = limitProblem(text);
      return msg ? [{ loc: ["body", "rate_limits", category], msg: `${category}: ${msg}` }] : [];
    }),
    at: ([category]) => inputs.get(category) ?? inputs.values().next().value,
    change() {
      const now = typed();
      if (now === initial) return null;
      return `{${now}}`;
    },
  };
}

// The lines of the field for metadata: some to write in, and no more than fit a screen.
const fewest = 3;
const most = 20;

function metadataPart(record) {
  const before = record.get("metadata");
  const area = el("textarea", { class: "code", spellcheck: "false", autocomplete: "off", autocapitalize: "none" });
  area.value = members(before).size ? indented(before) : "{}";
  area.rows = Math.min(fewest + area.value.split("\n").length, most);
  return {
    name: "metadata",
    element: field("field-metadata", labels.metadata, "JSON. Saving replaces all metadata. Numbers are kept exactly.", area),
    at: () => area,
    problems() {
      const sound = isJSON(area.value);
      if (sound && compact(area.value).startsWith("{")) return []; // null would change nothing
      const msg = sound || area.value.trim() === "" ? "Enter a JSON object. {} is an empty one" : reason(area.value);
      return [{ loc: ["body", "metadata"], msg }];
    },
    change() {
      if (!isJSON(area.value)) return area.value; // differs from what was there, and is not sent
      return compact(area.value) === compact(before) ? null : area.value;
    },
  };
}

function reason(text) {
  try {
    JSON.parse(text);
  } catch (error) {
    return `This is not JSON: ${error.message}`;
  }
  return "";
}
