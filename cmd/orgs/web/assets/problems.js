// What is wrong with a form, said where it is and summed up above.

import { byId, count, el, number, show } from "/assets/view.js";
import { labels } from "/assets/form.js";

const problemOf = (control) => byId(control.getAttribute("aria-describedby")?.split(" ").pop() ?? "");

// clearProblems takes back what was said.
export function clearProblems(form, summary) {
  show(summary);
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll(".problem")) place.textContent = "";
}

// where returns a name for the place of a problem.
function where(loc) {
  const [from, name, ...rest] = loc;
  if (from === "header") return String(name);
  return [labels[name] ?? name ?? "The request", ...rest].join(", ");
}

// showProblems says each problem next to its control, all of them in the summary, and takes the reader to the first.
export function showProblems(problems, at, summary) {
  const placed = problems.map((problem) => ({ ...problem, control: problem.control ?? at(problem.loc) }));
  for (const { control, msg } of placed) {
    if (!control) continue;
    control.setAttribute("aria-invalid", "true");
    const place = problemOf(control);
    if (place) place.textContent = place.textContent ? `${place.textContent}. ${msg}` : msg;
  }
  show(summary, el("div", { class: "notice bad" },
    el("h3", {}, `${count(problems.length, "problem")}. Nothing was changed.`),
    el("ul", {}, placed.map(({ control, loc, msg }) => el("li", {},
      control
        ? el("a", { href: `#${control.id}`, onclick: (event) => { event.preventDefault(); control.focus(); } }, where(loc))
        : where(loc),
      `: ${msg}`)))));
  placed.find(({ control }) => control)?.control.focus();
}

let ticking = null;

// showFailure says what went wrong as a whole. Where the service says when to come back, it counts down; the live region
// says the time once and not every second.
export function showFailure(failure, place) {
  clearInterval(ticking);
  const seconds = failure.retryAfter;
  const left = el("span", { "aria-hidden": "true" });
  show(place, el("div", { class: `notice ${failure.status === 429 || failure.status === 503 ? "amber" : "bad"}` },
    el("p", {}, failure.message),
    seconds !== null && el("p", {}, el("span", { class: "visually-hidden" }, `Try again in ${count(seconds, "second")}.`), left),
    failure.requestId && el("p", { class: "small" }, "Request ", el("code", {}, failure.requestId))));
  if (seconds === null) return;
  const end = Date.now() + seconds * 1000;
  const tick = () => {
    const rest = Math.ceil((end - Date.now()) / 1000);
    left.textContent = rest > 0 ? `Try again in ${number(rest)} s.` : "You can try again now.";
    if (rest <= 0) clearInterval(ticking);
  };
  tick();
  ticking = setInterval(tick, 1000);
}
