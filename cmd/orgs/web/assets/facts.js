// What the console shows and does not edit: usage, rate limits, the record.

import { byId, el, fact, number, show, time } from "/assets/view.js";

export function showFacts({ record, account }) {
  const value = (name) => JSON.parse(record.get(name));
  byId("name").textContent = value("organization_name");
  byId("tier").textContent = value("account_type");
  byId("identifier").textContent = value("organization_id");
  byId("key-id").textContent = account.key.key_id;
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
  const overridden = limits.filter((limit) => limit.override !== null).length;
  show(byId("limits"),
    el("p", { class: "small soft" }, "Requests a minute, by category. ",
      overridden ? "An override takes the place of what the tier computes." : "The tier computes all of them; none is overridden."),
    chart(limits),
    table(limits));
}

// chart draws the limits on a logarithmic axis from 1, the smallest that there is, because they range over six magnitudes.
// The table says the same in words and is what screen readers get.
function chart(limits) {
  const greatest = Math.max(...limits.flatMap((limit) => [limit.computed, limit.effective]));
  const magnitudes = Math.max(2, Math.floor(Math.log10(greatest)) + 1);
  const at = (n) => `${(100 * Math.log10(n)) / magnitudes}%`;
  const ticks = Array.from({ length: magnitudes + 1 }, (_, power) => 10 ** power);
  return el("div", { class: "chart", "aria-hidden": "true" },
    el("ul", { class: "legend small" },
      el("li", { class: "is-effective" }, "in force"),
      el("li", { class: "is-computed" }, "computed by the tier"),
      limits.some((limit) => limit.override !== null) && el("li", { class: "is-override" }, "override")),
    limits.map((limit) => el("div", { class: "row" },
      el("span", { class: "category" }, limit.category),
      el("div", { class: "track" },
        el("i", { class: limit.override === null ? "bar" : "bar overridden", "--at": at(limit.effective) }),
        el("i", { class: "computed", "--at": at(limit.computed) }),
        limit.override !== null && el("i", { class: "override", "--at": at(limit.override) })),
    )),
    el("div", { class: "row axis" }, el("span", {}),
      el("div", { class: "track" }, ticks.map((tick) => el("span", { "--at": at(tick) }, short(tick))))));
}

const short = (n) => (n >= 1e6 ? `${n / 1e6}M` : n >= 1e3 ? `${n / 1e3}k` : String(n));

function table(limits) {
  const cell = (content, more = "") => el("td", { class: `number ${more}` }, content);
  return el("table", { class: "small" },
    el("caption", { class: "visually-hidden" }, "Rate limits, in requests a minute"),
    el("thead", {}, el("tr", {},
      ["Category", "Computed", "Override", "In force"].map((name, i) =>
        el("th", { scope: "col", class: i ? "number" : null }, name)))),
    el("tbody", {}, limits.map((limit) => el("tr", {},
      el("th", { scope: "row" }, limit.category, " ", el("span", { class: "soft about" }, about[limit.category] ?? "")),
      cell(number(limit.computed)),
      cell(limit.override === null ? "none" : number(limit.override), limit.override === null ? "soft" : "overridden"),
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
