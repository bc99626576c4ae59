// Making elements. Texts are set as texts; nothing here, or in any script of the console, reads HTML.

const given = (children) => children.flat().filter((child) => child !== null && child !== undefined && child !== false);

// el returns an element with properties and children, which are elements or texts; null and false are left out.
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (property === "class") element.className = value;
    else if (property.startsWith("on")) element.addEventListener(property.slice(2), value);
    else if (property.startsWith("--")) element.style.setProperty(property, value);
    else element.setAttribute(property, value === true ? "" : value);
  }
  element.append(...given(children));
  return element;
}

export const byId = (id) => document.getElementById(id);

// show puts children in place of what the element has.
export function show(element, ...children) {
  element.replaceChildren(...given(children));
}

export const number = (n) => new Intl.NumberFormat("en").format(n);

// count returns such as "1 problem", "2 problems" and "3 entries".
export const count = (n, word) => `${number(n)} ${n === 1 ? word : word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`}`;

// The longest text, in characters, that is shown as a whole.
const longest = 300;

// folded returns a text, or the beginning of a long one with what shows the rest.
export function folded(text) {
  if (text.length <= longest) return text;
  const rest = el("span", { hidden: true }, text.slice(longest));
  const button = el("button", {
    type: "button", class: "button quiet small", "aria-expanded": "false",
    onclick() {
      rest.hidden = !rest.hidden;
      button.setAttribute("aria-expanded", String(!rest.hidden));
      button.textContent = rest.hidden ? open : "Show less";
    },
  });
  const open = `Show all ${count(text.length, "character")}`;
  button.textContent = open;
  return el("span", {}, text.slice(0, longest), rest, " ", button);
}

const days = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

// time returns an element for a time in RFC 3339; the exact one is in its title.
export const time = (text) => el("time", { datetime: text, title: text }, days.format(new Date(text)));

// fact returns a term and its value.
export const fact = (term, ...value) => [el("dt", {}, term), el("dd", {}, ...value)];
