// The console: signing in with a key, and what the holder of the key sees and changes.

import { change, Failure, session, snapshot } from "/assets/api.js";
import { hideConflict, showConflict } from "/assets/conflict.js";
import { showFacts } from "/assets/facts.js";
import { createForm, labels, patchOf } from "/assets/form.js";
import { clearProblems, showFailure, showProblems } from "/assets/problems.js";
import { showTrail } from "/assets/trail.js";
import { byId, el, show } from "/assets/view.js";

let base = null; // what the form was filled with
let busy = false;
const form = createForm(byId("fields"), showPending);

// Signing in and out

function enter(message, tone = "bad") {
  session.close();
  base = null;
  document.title = "Console · Organizations API";
  for (const id of ["name", "tier", "identifier", "key-id", "permission", "fields", "audit", "limits", "usage", "record", "conflict", "problems", "saved"]) {
    show(byId(id));
  }
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
    refuse(new Failure(401, key === "" ? "Paste a key first." : "This is not an API key: it has characters that no key has."));
    return;
  }
  await during(byId("sign-in-button"), async () => {
    try {
      const found = await snapshot(key);
      session.open(key);
      byId("key").value = "";
      open(found);
      byId("name").focus();
    } catch (failure) {
      refuse(failure);
    }
  });
});

function refuse(failure) {
  showFailure(failure, byId("entrance-alert"));
  byId("key").setAttribute("aria-invalid", "true");
  byId("key").focus();
}

byId("sign-out").addEventListener("click", () => enter("You are signed out, and the key is forgotten.", "good"));

// The organization

function open(found) {
  base = found;
  byId("entrance").hidden = true;
  byId("organization").hidden = false;
  byId("key").removeAttribute("aria-invalid");
  show(byId("entrance-alert"));
  showFacts(found);
  fill(found);
  const { key } = found.account;
  byId("read-only").hidden = key.may_change;
  byId("read-only").textContent = `This key has the permission ${key.permission}. Changing the settings needs admin, so they can only be read here.`;
  byId("actions").hidden = !key.may_change;
  showTrail(byId("audit"), key.may_change);
}

function fill(found) {
  base = found;
  form.fill(found, !found.account.key.may_change);
  clearProblems(byId("settings"), byId("problems"));
  hideConflict();
  byId("settings").inert = false;
  showPending();
}

function showPending() {
  const names = [...form.changes().keys()].map((name) => labels[name]);
  byId("pending").textContent = names.length ? `Not saved: ${names.join(", ")}` : "";
  byId("discard").hidden = names.length === 0;
  if (names.length) byId("saved").textContent = "";
}

window.addEventListener("beforeunload", (event) => {
  if (base && form.changes().size) event.preventDefault();
});

byId("discard").addEventListener("click", () => {
  fill(base);
  byId("saved").textContent = "Your changes are dropped.";
  byId("save").focus();
});

// Saving

byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (base?.account.key.may_change) save(base);
});

// save sends what was changed, for the version of the snapshot.
async function save(on) {
  if (busy) return;
  clearProblems(byId("settings"), byId("problems"));
  byId("saved").textContent = "";
  const problems = form.problems();
  if (problems.length) return showProblems(problems, form.at, byId("problems"));
  const changes = form.changes();
  if (!changes.size) {
    byId("saved").textContent = "There is nothing to save.";
    return;
  }
  const patch = patchOf(changes, on);
  if (patch === null) {
    const msg = "Metadata with null in it cannot be saved together with a field that is cleared. Save one after the other.";
    return showProblems([{ loc: ["body", "metadata"], msg }], form.at, byId("problems"));
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

// signedOut reports whether the person signed out while a request was under way, which then is of no interest.
const signedOut = () => session.key === null;

// reload shows what is there now, and says why.
async function reload(message) {
  try {
    const found = await snapshot();
    if (signedOut()) return;
    open(found);
    byId("saved").textContent = message;
    byId("save").focus();
  } catch (failure) {
    if (signedOut() || gone(failure)) return;
    showFailure(new Failure(failure.status, `${message} But it cannot be shown: ${failure.message}`, failure), byId("problems"));
  }
}

// gone signs out where the key opens nothing any more.
function gone(failure) {
  if (failure.status !== 401 && failure.status !== 404) return false;
  enter(failure.message);
  return true;
}

async function notSaved(failure, changes) {
  if (signedOut() || gone(failure)) return;
  if (failure.status === 422) return showProblems(failure.problems, form.at, byId("problems"));
  if (failure.status === 412) return await overtaken(changes);
  showUnsaved(failure);
}

// showUnsaved says why nothing was saved, and where no answer came, that nothing is lost.
function showUnsaved(failure) {
  const shown = failure.status === 0 ? new Failure(0, `${failure.message} Your changes are still in the form.`) : failure;
  showFailure(shown, byId("problems"));
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
  byId("settings").inert = true;
  showFacts(current);
  showConflict(byId("conflict"), { base, current, mine }, {
    takeOver() {
      open(current);
      byId("saved").textContent = "The form has what is there now; your changes are dropped.";
      byId("save").focus();
    },
    reapply() {
      hideConflict();
      byId("settings").inert = false;
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

// Coming back with the key of the session, such as after a reload

async function start() {
  if (!session.key) return enter();
  try {
    open(await snapshot());
  } catch (failure) {
    if (gone(failure)) return;
    enter();
    refuse(failure);
  }
}

start();
