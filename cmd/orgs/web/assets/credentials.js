// The editor of the credentials for model providers: for each provider the name of a secret. What is there is shown as
// dots, because someone may have put the secret itself.

import { el } from "/assets/view.js";
import { compact, members } from "/assets/exact.js";

// jsonOf returns what gives the JSON of a control that was filled from a JSON text. A control of one line cannot hold all
// texts (it drops line breaks), so what nobody touched is the text itself.
function jsonOf(control, text) {
  control.value = JSON.parse(text);
  const filled = control.value;
  return () => (control.value === filled ? text : JSON.stringify(control.value));
}

const none = '""';

export function credentialsEditor(before, label, changed) {
  let serial = 0;
  let rows = [];
  const list = el("div", { class: "pairs" });
  const empty = el("p", { class: "small soft" }, "None.");

  // add makes a row from the JSON texts of a name and a secret.
  function add(name, secret) {
    const id = `field-default_llm_credentials-${serial++}`;
    const control = (kind, type) => el("input", {
      id: `${id}-${kind}`, type, autocomplete: type === "password" ? "new-password" : "off", autocapitalize: "none", spellcheck: "false",
      "aria-describedby": `${id}-problem`,
    });
    const row = { name: control("name", "text"), secret: control("secret", "password") };
    row.nameJSON = jsonOf(row.name, name);
    row.secretJSON = jsonOf(row.secret, secret);
    const remove = el("button", {
      type: "button", class: "button quiet small",
      onclick() {
        rows = rows.filter((other) => other !== row);
        row.element.remove();
        empty.hidden = rows.length > 0;
        addButton.focus();
        changed();
      },
    }, "Remove", el("span", { class: "visually-hidden" }, ` ${row.name.value || "provider"}`));
    row.element = el("div", { class: "pair" },
      el("div", {}, el("label", { for: row.name.id }, "Provider"), row.name),
      el("div", {}, el("label", { for: row.secret.id }, "Name of its secret"), row.secret),
      remove,
      el("p", { class: "problem", id: `${id}-problem` }));
    rows.push(row);
    list.append(row.element);
    empty.hidden = true;
    return row;
  }

  const addButton = el("button", {
    type: "button", class: "button quiet small",
    onclick() {
      add(none, none).name.focus();
      changed();
    },
  }, "Add a provider");

  for (const [name, secret] of members(before)) add(JSON.stringify(name), secret);
  const used = () => rows.filter((row) => row.nameJSON() !== none || row.secretJSON() !== none);
  const text = () => `{${used().map((row) => `${row.nameJSON()}:${row.secretJSON()}`).join(",")}}`;
  const initial = text();

  return {
    name: "default_llm_credentials",
    element: el("fieldset", { "aria-describedby": "field-default_llm_credentials-hint" },
      el("legend", {}, label),
      el("p", { class: "hint", id: "field-default_llm_credentials-hint" }, "For each provider, the name of a secret. Never the secret itself: every key of the organization can read this."),
      empty, list, addButton),
    at: ([provider]) => (rows.find((row) => JSON.parse(row.nameJSON()) === provider) ?? rows[0])?.secret ?? addButton,
    change: () => (compact(text()) === compact(initial) ? null : text()),
    problems() {
      const seen = new Set();
      return used().flatMap((row) => {
        const name = JSON.parse(row.nameJSON());
        const problem = name === "" ? "Enter a provider" : seen.has(name) ? "This provider is there twice" : null;
        seen.add(name);
        return problem ? [{ loc: ["body", "default_llm_credentials"], msg: problem, control: row.name }] : [];
      });
    },
  };
}
