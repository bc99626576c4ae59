// JSON as text. A browser's JSON.parse turns 12345678901234567890 into another number; what this reads and writes stays
// digit for digit as it was. All functions but isJSON want well-formed JSON.

export function isJSON(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const space = /[ \t\n\r]/;

// token returns the end of the token that starts at i: a string, a bracket or comma, or a word such as 1.50 or null.
function token(text, i) {
  if (text[i] === '"') {
    for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
    return i + 1;
  }
  if ("{}[],:".includes(text[i])) return i + 1;
  while (i < text.length && !/[ \t\n\r{}[\],:"]/.test(text[i])) i++;
  return i;
}

function* tokens(text) {
  for (let i = 0; i < text.length; ) {
    if (space.test(text[i])) {
      i++;
      continue;
    }
    const end = token(text, i);
    yield text.slice(i, end);
    i = end;
  }
}

// compact returns the text without white space between its tokens.
export function compact(text) {
  return [...tokens(text)].join("");
}

// members returns the members of an object: a Map from names to the texts of values, in their order.
export function members(text) {
  const found = new Map();
  let depth = 0;
  let name = null;
  let value = "";
  const end = () => {
    if (name !== null && value !== "") found.set(name, value);
    name = null;
    value = "";
  };
  for (const t of tokens(text)) {
    if (depth === 1 && (t === "," || t === "}")) end();
    else if (depth === 1 && name === null) name = JSON.parse(t);
    else if (depth > 1 || (depth === 1 && t !== ":")) value += t;
    if (t === "{" || t === "[") depth++;
    if (t === "}" || t === "]") depth--;
  }
  return found;
}

// indented returns the text with one member or item on a line.
export function indented(text) {
  const all = [...tokens(text)];
  let out = "";
  let depth = 0;
  all.forEach((t, i) => {
    const opens = t === "{" || t === "[";
    const closes = t === "}" || t === "]";
    const empty = opens && (all[i + 1] === "}" || all[i + 1] === "]");
    const closesEmpty = closes && (all[i - 1] === "{" || all[i - 1] === "[");
    if (closes) depth--;
    if (closes && !closesEmpty) out += "\n" + "  ".repeat(depth);
    out += t;
    if (opens) depth++;
    if ((opens && !empty) || t === ",") out += "\n" + "  ".repeat(depth);
    if (t === ":") out += " ";
  });
  return out;
}

// spaced returns the text on one line, with a space after each comma and colon.
export const spaced = (text) => [...tokens(text)].map((t) => (t === "," || t === ":" ? `${t} ` : t)).join("");

// mergePatch returns the JSON Merge Patch (RFC 7396) that makes after of before, or null where there is none: a merge patch
// cannot give a member the value null.
export function mergePatch(before, after) {
  if (!after.startsWith("{")) return after;
  const was = before?.startsWith("{") ? members(before) : new Map();
  const now = members(after);
  const parts = [];
  for (const [name, value] of now) {
    if (was.get(name) === value) continue;
    const part = value === "null" ? null : mergePatch(was.get(name), value);
    if (part === null) return null;
    parts.push(`${JSON.stringify(name)}:${part}`);
  }
  for (const name of was.keys()) if (!now.has(name)) parts.push(`${JSON.stringify(name)}:null`);
  return `{${parts.join(",")}}`;
}

// differences returns where two JSON texts differ: {path, before, after}, with null for what is not there. It looks into
// objects and takes anything else as a whole. An object that is new is taken apart too.
export function differences(before, after, path = []) {
  const isObject = (text) => text?.startsWith("{") && text !== "{}";
  const empty = (text) => text === null || text === "null" || text === "{}";
  if ((isObject(before) || empty(before)) && (isObject(after) || empty(after)) && (isObject(before) || isObject(after))) {
    const was = isObject(before) ? members(before) : new Map();
    const now = isObject(after) ? members(after) : new Map();
    return [...new Set([...was.keys(), ...now.keys()])]
      .flatMap((name) => differences(was.get(name) ?? null, now.get(name) ?? null, [...path, name]));
  }
  return before === after ? [] : [{ path, before, after }];
}
