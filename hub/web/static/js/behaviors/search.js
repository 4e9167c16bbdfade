// The window of Ctrl+K: asks /search while somebody types, and moves through what was found with the arrows.
import { t } from "../words.js";

let listening = false;
let shown = null;

function made() {
  const dialog = document.createElement("dialog");
  dialog.className = "search";
  dialog.setAttribute("aria-label", t("Search"));
  const field = document.createElement("input");
  const attributes = {
    type: "search",
    name: "q",
    class: "form-control",
    maxlength: "100",
    autocomplete: "off",
    "aria-label": t("Scenario, phone, text or id"),
    placeholder: t("Scenario, phone, text or id"),
    "hx-get": "/search",
    "hx-trigger": "input changed delay:120ms, load",
    "hx-target": "#search-found",
    "hx-select": "#found",
    "hx-swap": "innerHTML",
    "hx-push-url": "false",
    "hx-sync": "this:replace",
  };
  for (const [name, value] of Object.entries(attributes)) field.setAttribute(name, value);
  const found = document.createElement("div");
  found.id = "search-found";
  found.setAttribute("role", "status");
  dialog.append(field, found);
  dialog.addEventListener("keydown", (event) => move(event, dialog, field));
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a")) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}

function move(event, dialog, field) {
  const links = [...dialog.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "Enter" && document.activeElement === field) {
    event.preventDefault();
    links[0]?.click();
  } else if (event.key === "ArrowDown" && links.length) {
    event.preventDefault();
    links[Math.min(at + 1, links.length - 1)].focus();
  } else if (event.key === "ArrowUp" && links.length) {
    event.preventDefault();
    (at > 0 ? links[at - 1] : field).focus();
  }
}

function open() {
  if (shown?.isConnected) {
    shown.querySelector("input").select();
    return;
  }
  shown = made();
  document.getElementById("app").append(shown);
  shown.showModal();
  window.htmx.process(shown);
}

export default function search(button) {
  button.addEventListener("click", open);
  if (listening) return;
  listening = true;
  document.addEventListener("keydown", (event) => {
    // By its place on the keyboard: with Russian letters the key says “л”.
    if (event.code !== "KeyK" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    if (!document.querySelector("[data-behavior~=search]")) return;
    event.preventDefault();
    open();
  });
}
