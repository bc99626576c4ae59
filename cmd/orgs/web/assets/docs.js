// The forms of the reference, which send requests to this gateway. The key stays in its field.

import { indented, isJSON } from "/assets/exact.js";
import { byId, el, fact, show } from "/assets/view.js";

document.documentElement.classList.add("scripted");

// One choice of a language counts for all examples.
document.addEventListener("change", ({ target }) => {
  if (target.type === "radio") {
    for (const other of document.querySelectorAll(`[type=radio][value="${target.value}"]`)) other.checked = true;
  }
  if (target.matches("select[data-header]")) {
    target.form.querySelector("textarea").value = target.selectedOptions[0].dataset.example;
  }
});

for (const form of document.querySelectorAll("form.try")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

async function send(form) {
  const result = form.querySelector(".result");
  const key = byId("key").value.trim();
  if (!/^[!-~]+$/.test(key)) {
    show(result, el("p", { class: "notice bad" }, "This needs an API key. Paste one under Authentication: ",
      el("a", { href: "#key" }, "go there"), "."));
    result.focus();
    return;
  }
  const { method, path } = form.dataset;
  const headers = { Authorization: `Bearer ${key}` };
  for (const { dataset, value } of form.querySelectorAll("[data-header]")) if (value) headers[dataset.header] = value;
  const began = performance.now();
  try {
    const response = await fetch(path, {
      method, headers, body: form.querySelector("textarea")?.value,
      cache: "no-store", credentials: "omit", redirect: "error",
    });
    const text = await response.text();
    showResponse(result, response, text, Math.round(performance.now() - began));
  } catch {
    show(result, el("p", { class: "notice bad" },
      "There was no answer. Is orgs serve still running? Can a header have this value?"));
  }
  result.focus();
}

function showResponse(place, response, text, ms) {
  const tone = response.ok || response.status === 304 ? "good" : "bad";
  show(place,
    el("p", { class: `notice ${tone}` }, el("strong", {}, `${response.status} ${response.statusText}`), ` in ${ms} ms`),
    text && el("pre", { tabindex: "0", "aria-label": "The body of the response" },
      el("code", {}, isJSON(text) ? indented(text) : text)),
    el("details", {}, el("summary", {}, "Response headers"),
      el("dl", { class: "facts small" }, [...response.headers].flatMap(([name, value]) => fact(name, el("code", {}, value))))));
}
