// The API reference: Swagger UI on the document that this gateway serves. A key that is typed into it stays in the memory
// of the page, and the curl lines it shows have a placeholder in its place.

const placeholder = "YOUR_API_KEY";

function withoutKey(request) {
  return request.update("headers", (headers) =>
    headers && headers.map((value, name) =>
      name.toLowerCase() === "authorization" ? `Bearer ${placeholder}` : value));
}

// ours is a plugin: it keeps the key out of curl lines, and the tables of response headers, of which there are twenty, closed.
const ours = () => ({
  wrapComponents: {
    curl: (Original, { React }) => (props) =>
      React.createElement(Original, { ...props, request: withoutKey(props.request) }),
    headers: (Original, { React }) => (props) =>
      props.headers?.size
        ? React.createElement("details", { className: "headers" },
          React.createElement("summary", null, `${props.headers.size} headers`),
          React.createElement(Original, props))
        : null,
  },
});

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [ours],
  layout: "BaseLayout",
  deepLinking: false,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
  queryConfigEnabled: false,
  syntaxHighlight: { activated: false },
});

// What Swagger UI leaves out for people who do not see the page, or do not use a mouse.

const reference = document.getElementById("reference");
let dialog = null;

// The levels of headings under the page's own.
const levels = [["h3, .models > h4", "2"], ["h4:not(.models > h4)", "3"], ["h5", "4"]];

// say sets an attribute of all elements, where it is not so yet: each change calls complete again.
function say(selector, name, value) {
  for (const element of reference.querySelectorAll(selector)) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

function complete() {
  say(".copy-to-clipboard button", "aria-label", "Copy");
  say("textarea.body-param__text", "aria-label", "Request body");
  say(".close-modal", "aria-label", "Close");
  for (const [selector, level] of levels) say(selector, "aria-level", level);
  for (const button of reference.querySelectorAll(".auth-btn-wrapper [aria-label]")) button.removeAttribute("aria-label"); // is not what it says
  completeDialog(reference.querySelector(".dialog-ux .modal-ux"));
}

// completeDialog makes a dialog of what looks like one, and hides the key that is typed into it.
function completeDialog(found) {
  if (found === dialog) return;
  dialog = found;
  if (!found) {
    reference.querySelector(".btn.authorize")?.focus();
    return;
  }
  found.setAttribute("role", "dialog");
  found.setAttribute("aria-modal", "true");
  found.setAttribute("aria-label", "Authorize with a key");
  const input = found.querySelector("input");
  if (!input) return;
  input.type = "password";
  input.autocomplete = "off";
  input.placeholder = "sk_live_…";
  input.focus();
}

reference.addEventListener("keydown", (event) => {
  if (!dialog) return;
  if (event.key === "Escape") dialog.querySelector(".close-modal").click();
  if (event.key !== "Tab") return;
  const stops = [...dialog.querySelectorAll("button, input, a[href]")];
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? stops.at(-1) : stops[0]).focus();
});

new MutationObserver(complete).observe(reference, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-label"] });
