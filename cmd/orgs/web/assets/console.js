// The console: signing in with a key, and what the holder of the key sees and changes.

import { change, Failure, redeem, session, snapshot } from "/assets/api.js";
import { hideConflict, showConflict } from "/assets/conflict.js";
import { showFacts } from "/assets/facts.js";
import { createForm, labels, patchOf } from "/assets/form.js";
import { clearProblems, showFailure, showProblems } from "/assets/problems.js";
import { showTrail } from "/assets/trail.js";
import { byId, el, show } from "/assets/view.js";

let base = null; // what the form was filled with
let busy = false;
const form = createForm(byId("fields"), showPending);
const said = byId("said"); // beside Save, always in view: how the last save ended

new ResizeObserver(() => document.documentElement.style.setProperty("--bar", `${byId("bar").offsetHeight}px`)).observe(byId("bar"));

// Signing in and out

// The elements with something of the organization in them.
const filled = [
  "name", "tier", "identifier", "key-id", "permission", "fields", "audit", "limits", "usage", "record", "conflict", "said",
];

function enter(message, tone = "bad") {
  session.close();
  base = null;
  document.title = "Console · Organizations API";
  for (const id of filled) show(byId(id));
  byId("organization").hidden = true;
  byId("entrance").hidden = false;
  byId("key").value = "";
  show(byId("entrance-alert"), message && el("p", { class: `notice ${tone}` }, message));
  byId("key").focus();
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = byId("key").value.trim();
  if (busy) return;
  if (!/^[!-~]+$/.test(key)) {
    const message = key === "" ? "Paste a key first." : "This is not an API key: it has characters that no key has.";
    refuse(new Failure(401, message));
    return;
  }
  await during(byId("sign-in-button"), async () => {
    try {
      await signIn(key);
    } catch (failure) {
      refuse(failure);
    }
  });
});

async function signIn(key) {
  const found = await snapshot(key);
  session.open(key);
  byId("key").value = "";
  open(found);
  byId("name").focus();
}

function refuse(failure) {
  showFailure(failure, byId("entrance-alert"));
  byId("key").setAttribute("aria-invalid", "true");
  byId("key").focus();
}

byId("sign-out").addEventListener("click", () => enter("You are signed out, and the key is forgotten.", "good"));

// The organization

function open(found) {
  byId("entrance").hidden = true;
  byId("organization").hidden = false;
  byId("key").removeAttribute("aria-invalid");
  show(byId("entrance-alert"));
  showFacts(found);
  fill(found);
  const { key } = found.account;
  byId("read-only").hidden = key.may_change;
  byId("read-only").textContent =
    `This key has the permission ${key.permission}. Changing the settings needs admin, so you can only read them here.`;
  showTrail(byId("audit"), key.may_change);
}

function fill(found) {
  base = found;
  const mayChange = found.account.key.may_change;
  form.fill(found, !mayChange);
  clearProblems(byId("settings"));
  show(said);
  hideConflict();
  settle(true);
  byId("bar").hidden = !mayChange;
  showPending();
}

// settle lets the form be used, or keeps it as it is while a person chooses between two versions.
function settle(usable) {
  byId("fields").inert = !usable;
  byId("bar").hidden = !usable;
}

function showPending() {
  const names = [...form.changes().keys()].map((name) => labels[name]);
  byId("pending").textContent = names.length ? `Not saved: ${names.join(", ")}` : "";
  byId("discard").hidden = names.length === 0;
  if (names.length && said.querySelector(".good")) show(said);
}

window.addEventListener("beforeunload", (event) => {
  if (base && form.changes().size) event.preventDefault();
});

byId("discard").addEventListener("click", () => {
  fill(base);
  say("Your changes are dropped.");
});

// say shows that something went well and takes the reader there.
function say(message) {
  show(said, el("p", { class: "notice good" }, message));
  said.focus();
}

// Saving

byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (base?.account.key.may_change) save(base);
});

// save sends what was changed, for the version of the snapshot.
async function save(on) {
  if (busy) return;
  clearProblems(byId("settings"));
  show(said);
  const problems = form.problems();
  if (problems.length) return showProblems(problems, form.at, said);
  const changes = form.changes();
  if (!changes.size) return say("There is nothing to save.");
  const patch = patchOf(changes, on);
  if (patch === null) {
    const msg = "Metadata with null in it cannot be saved together with a field that is cleared. Save one after the other";
    return showProblems([{ loc: ["body", "metadata"], msg }], form.at, said);
  }
  await during(byId("save"), async () => {
    try {
      await change(patch, on.etag);
    } catch (failure) {
      return await notSaved(failure, changes);
    }
    if (signedOut()) return;
    await reload(`Saved: ${[...changes.keys()].map((name) => labels[name]).join(", ")}.`);
  });
}

// signedOut reports whether the person signed out while a request was under way. Then its answer does not matter.
const signedOut = () => session.key === null;

// reload shows what is there now, and says why.
async function reload(message) {
  try {
    const found = await snapshot();
    if (signedOut()) return;
    open(found);
    say(message);
  } catch (failure) {
    if (signedOut() || gone(failure)) return;
    showFailure(new Failure(failure.status, `${message} But it cannot be shown. ${failure.message}`, failure), said);
  }
}

// gone signs out if the key opens nothing any more.
function gone(failure) {
  if (failure.status !== 401 && failure.status !== 404) return false;
  enter(failure.message);
  return true;
}

async function notSaved(failure, changes) {
  if (signedOut() || gone(failure)) return;
  if (failure.status === 422) return showProblems(failure.problems, form.at, said);
  if (failure.status === 412) return await overtaken(changes);
  showUnsaved(failure);
}

// showUnsaved says why nothing was saved, and if no answer came, that nothing is lost.
function showUnsaved(failure) {
  const shown = failure.status === 0 ? new Failure(0, `${failure.message} Your changes are still in the form.`) : failure;
  showFailure(shown, said);
}

async function overtaken(mine) {
  let current;
  try {
    current = await snapshot();
  } catch (failure) {
    if (!signedOut() && !gone(failure)) showUnsaved(failure);
    return;
  }
  if (signedOut()) return;
  settle(false);
  showFacts(current);
  showConflict(byId("conflict"), { base, current, mine }, {
    takeOver() {
      open(current);
      say("The form shows what is there now. Your changes are dropped.");
    },
    reapply() {
      hideConflict();
      settle(true);
      save(current);
    },
  });
}

// during does something with a button out of use.
async function during(button, work) {
  busy = true;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    busy = false;
    button.removeAttribute("aria-busy");
  }
}

// Coming by a sign-in link, or back with the key of the session, such as after a reload

const linked = "#sign-in=";

async function start() {
  const token = location.hash.startsWith(linked) ? location.hash.slice(linked.length) : "";
  if (token) history.replaceState(null, "", location.pathname);
  if (!token && !session.key) return enter();
  try {
    if (token) await signIn(await redeem(token));
    else open(await snapshot());
  } catch (failure) {
    if (!token && gone(failure)) return;
    enter();
    refuse(failure);
  }
}

window.addEventListener("hashchange", () => {
  if (location.hash.startsWith(linked)) start();
});

start();
