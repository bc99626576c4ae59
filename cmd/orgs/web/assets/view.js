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

// count returns such as "1 problem" and "2 problems".
export const count = (n, word) => `${number(n)} ${word}${n === 1 ? "" : "s"}`;

const days = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

// time returns an element for a time in RFC 3339; the exact one is in its title.
export const time = (text) => el("time", { datetime: text, title: text }, days.format(new Date(text)));

// fact returns a term and its value.
export const fact = (term, ...value) => [el("dt", {}, term), el("dd", {}, ...value)];
