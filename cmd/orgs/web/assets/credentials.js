// The editor of the credentials for model providers: a name and a secret each. Secrets are shown as dots.

import { el } from "/assets/view.js";
import { compact, members } from "/assets/exact.js";

export function credentialsEditor(before, label, changed) {
  let serial = 0;
  let rows = [];
  const list = el("div", { class: "pairs" });
  const empty = el("p", { class: "small soft" }, "None.");

  function add(name, secret) {
    const id = `field-default_llm_credentials-${serial++}`;
    const control = (kind, type, text) => {
      const input = el("input", {
        id: `${id}-${kind}`, type, autocomplete: type === "password" ? "new-password" : "off", autocapitalize: "none", spellcheck: "false",
        "aria-describedby": `${id}-problem`,
      });
      input.value = text;
      return input;
    };
    const row = { name: control("name", "text", name), secret: control("secret", "password", secret) };
    const remove = el("button", {
      type: "button", class: "button quiet small",
      onclick() {
        rows = rows.filter((other) => other !== row);
        row.element.remove();
        empty.hidden = rows.length > 0;
        addButton.focus();
        changed();
      },
    }, "Remove", el("span", { class: "visually-hidden" }, ` ${name || "provider"}`));
    row.element = el("div", { class: "pair" },
      el("div", {}, el("label", { for: row.name.id }, "Provider"), row.name),
      el("div", {}, el("label", { for: row.secret.id }, "Secret"), row.secret),
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
      add("", "").name.focus();
      changed();
    },
  }, "Add a provider");

  for (const [name, secret] of members(before)) add(name, JSON.parse(secret));
  const used = () => rows.filter((row) => row.name.value !== "" || row.secret.value !== "");
  const text = () => `{${used().map((row) => `${JSON.stringify(row.name.value)}:${JSON.stringify(row.secret.value)}`).join(",")}}`;
  const initial = text();

  return {
    name: "default_llm_credentials",
    element: el("fieldset", { "aria-describedby": "field-default_llm_credentials-hint" },
      el("legend", {}, label),
      el("p", { class: "hint", id: "field-default_llm_credentials-hint" }, "They take the place of all credentials."),
      empty, list, addButton),
    at: ([provider]) => (rows.find((row) => row.name.value === provider) ?? rows[0])?.secret ?? addButton,
    change: () => (compact(text()) === compact(initial) ? null : text()),
    problems() {
      const seen = new Set();
      return used().flatMap(({ name }) => {
        const problem = name.value === "" ? "A provider needs a name" : seen.has(name.value) ? "There are two providers of this name" : null;
        seen.add(name.value);
        return problem ? [{ loc: ["body", "default_llm_credentials"], msg: problem, control: name }] : [];
      });
    },
  };
}
