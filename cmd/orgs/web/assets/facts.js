// What the console shows and does not edit: usage, rate limits, the record.

import { byId, el, fact, number, show, time } from "/assets/view.js";

export function showFacts({ record, account }) {
  const value = (name) => JSON.parse(record.get(name));
  byId("name").textContent = value("organization_name");
  byId("tier").textContent = value("account_type");
  byId("identifier").textContent = value("organization_id");
  byId("key-id").textContent = account.key.label || account.key.key_id;
  byId("key-id").title = account.key.key_id;
  byId("permission").textContent = account.key.permission;
  byId("permission").classList.toggle("amber", !account.key.may_change);
  document.title = `${value("organization_name")} · Organizations API`;
  showUsage(value, account.monthly_credits);
  showLimits(account.rate_limits);
  showRecord(value, account);
}

function showUsage(value, monthly) {
  const used = value("current_month_usage");
  const figure = el("p", { class: "figure" }, el("strong", {}, number(used)),
    el("span", { class: "soft" }, monthly === null ? " credits" : ` of ${number(monthly)} credits`));
  const facts = el("dl", { class: "facts small" },
    fact("Credits left", number(value("credit_count"))),
    fact("Cycle starts", `on day ${value("billing_cycle_start")} of a month`),
    fact("Auto billing", value("auto_billing_enabled") ? "on" : "off"));
  show(byId("usage"), figure, allocation(used, monthly), facts);
}

// The shares of the allocation from which the meter warns, and from which it alarms.
const high = 0.8;
const full = 1;

function allocation(used, monthly) {
  if (monthly === null) {
    return el("p", { class: "small soft" }, "This tier has no fixed allocation: its credits are agreed individually.");
  }
  const share = used / monthly;
  const percent = share > 0 && share < 0.01 ? "under 1" : String(Math.floor(share * 100));
  const text = share > full
    ? `${number(used - monthly)} credits over the month’s allocation`
    : `${percent} % of the month’s allocation`;
  return [
    el("div", {
      class: share >= full ? "meter full" : share >= high ? "meter high" : "meter", role: "meter",
      "aria-valuemin": 0, "aria-valuemax": monthly, "aria-valuenow": Math.min(used, monthly), "aria-valuetext": text,
      "aria-label": "Credits used of the month’s allocation",
    }, bar(share)),
    el("p", { class: share >= high ? "small warned" : "small soft" }, text),
  ];
}

// bar returns the filled part of a meter.
function bar(share) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const part = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  drawing.setAttribute("aria-hidden", "true");
  part.setAttribute("width", `${Math.min(share, 1) * 100}%`);
  part.setAttribute("height", "100%");
  drawing.append(part);
  return drawing;
}

// What each category is about, as in the contract.
const about = {
  metadata: "configuration", data: "objects, documents", search: "retrieval", upload: "files", compute: "batches, clusters",
};

function showLimits(limits) {
  const overridden = limits.some((limit) => limit.override !== null);
  show(byId("limits"),
    el("p", { class: "small soft" }, "Requests a minute. ",
      overridden ? "An override replaces the limit of the tier." : "All limits are those of the tier."),
    table(limits, overridden));
}

function table(limits, overridden) {
  const cell = (content, more = "") => el("td", { class: `number ${more}` }, content);
  return el("table", { class: "small" },
    el("caption", { class: "visually-hidden" }, "Rate limits, in requests a minute"),
    el("thead", {}, el("tr", {},
      ["Category", overridden && "Tier", overridden && "Override", "Limit"].filter(Boolean).map((name, i) =>
        el("th", { scope: "col", class: i ? "number" : null }, name)))),
    el("tbody", {}, limits.map((limit) => el("tr", {},
      el("th", { scope: "row" }, limit.category, " ", el("span", { class: "soft about" }, about[limit.category] ?? "")),
      overridden && cell(number(limit.computed)),
      overridden && cell(limit.override === null ? "none" : number(limit.override), limit.override === null ? "soft" : "overridden"),
      cell(number(limit.effective), "strong")))));
}

function showRecord(value, account) {
  const users = value("users");
  const text = (name) => value(name) ?? "none";
  show(byId("record"),
    fact("Version", number(account.version)),
    fact("Created", time(value("created_at"))),
    fact("Updated", time(value("updated_at"))),
    fact("Users", users === null ? "none listed" : number(users.length)),
    fact("Sign-on id", text("auth_provider_org_id")),
    fact("API address", text("api_url")),
    fact("This key", `${account.key.permission}, ${account.key.mode}, `,
      ...(account.key.expires_at ? ["expires ", time(account.key.expires_at)] : ["does not expire"])));
}
