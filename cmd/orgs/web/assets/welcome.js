// Adds a button to each command that copies it, where the browser can.

if (navigator.clipboard) {
  for (const figure of document.querySelectorAll("figure.shell")) {
    const caption = figure.querySelector("figcaption");
    if (!caption) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet small";
    button.textContent = "Copy";
    const name = caption.textContent;
    button.setAttribute("aria-label", `Copy: ${name}`);
    const said = document.createElement("span");
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(figure.querySelector("code").textContent);
        button.textContent = "Copied";
        said.textContent = "Copied";
      } catch {
        button.textContent = "Not copied";
        said.textContent = "The browser did not allow copying.";
      }
      setTimeout(() => {
        button.textContent = "Copy";
        said.textContent = "";
      }, 2000);
    });
    caption.append(button, said);
  }
}
