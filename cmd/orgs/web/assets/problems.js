// What is wrong with a form, said beside the fields and summed up in a notice.

import { byId, count, el, number, show } from "/assets/view.js";
import { labels } from "/assets/form.js";

const problemOf = (control) => byId(control.getAttribute("aria-describedby")?.split(" ").pop() ?? "");

// clearProblems takes back what was said beside the fields of a form.
export function clearProblems(form) {
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll(".problem")) place.textContent = "";
}

// where returns a name for the place of a problem.
function where(loc) {
  const [from, name, ...rest] = loc;
  if (from === "header") return String(name);
  return [labels[name] ?? name ?? "The request", ...rest].join(", ");
}

// The words of this form for the types of problems that the API reports. n is the number in its own message.
const wordings = {
  string_too_short: () => "Enter at least 1 character",
  string_too_long: (n) => `Use at most ${n} characters`,
  string_type: () => "Enter a text",
  int_type: () => "Enter a whole number",
  greater_than_equal: (n) => `Enter ${n} or more`,
  less_than_equal: (n) => `Enter ${n} or less`,
  bool_type: () => "Choose on or off",
  dict_type: () => "Enter a JSON object",
};

// words returns what a person reads for a problem. Those of the form itself have no type.
function words({ type, msg }) {
  if (!type) return msg;
  const n = msg.match(/\d+/)?.[0];
  if (wordings[type]) return wordings[type](n && number(n));
  const plain = msg.replace(/^Value error, /, "").replace(/ for a float64$/, "").replace(/^value is not a valid email address: /, "This is not an email address: ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

// byPlace sorts problems as the form has their controls.
function byPlace(a, b) {
  if (!a.control || !b.control) return 0;
  const position = a.control.compareDocumentPosition(b.control);
  return position & Node.DOCUMENT_POSITION_PRECEDING ? 1 : position & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 0;
}

// showProblems says each problem beside its control and all of them in the notice, and takes the reader to the first.
export function showProblems(problems, at, place) {
  const placed = problems.map((problem) => ({ ...problem, control: problem.control ?? at(problem.loc), text: words(problem) }));
  placed.sort(byPlace);
  for (const { control, text } of placed) {
    if (!control) continue;
    control.setAttribute("aria-invalid", "true");
    const beside = problemOf(control);
    if (beside) beside.textContent = beside.textContent ? `${beside.textContent}. ${text}` : text;
  }
  const link = ({ control, loc }) => el("a", {
    href: `#${control.id}`,
    onclick(event) {
      event.preventDefault();
      goTo(control);
    },
  }, where(loc));
  show(place, el("div", { class: "notice bad" },
    el("p", {}, el("strong", {}, `${count(problems.length, "problem")}. Nothing was changed.`)),
    el("ul", {}, placed.map((p) => el("li", {}, p.control ? link(p) : `${where(p.loc)}: ${p.text}`)))));
  goTo(placed.find(({ control }) => control)?.control ?? place);
}

// goTo takes the reader to an element, in the middle of the window: the notice covers the end of it.
function goTo(element) {
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "center" });
}

let ticking = null;

// showFailure says what went wrong and takes the reader there. If the service says when to come back, it counts down.
// Screen readers hear the time once, not every second.
export function showFailure(failure, place) {
  clearInterval(ticking);
  const seconds = failure.retryAfter;
  const left = el("span", { "aria-hidden": "true" });
  show(place, el("div", { class: `notice ${failure.status === 429 || failure.status === 503 ? "amber" : "bad"}` },
    el("p", {}, el("strong", {}, failure.message)),
    seconds !== null && el("p", {}, el("span", { class: "visually-hidden" }, `Try again in ${count(seconds, "second")}.`), left),
    failure.requestId && el("p", { class: "small" }, "Request ", el("code", {}, failure.requestId))));
  place.focus();
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
