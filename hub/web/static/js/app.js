// Binds the behaviours that elements ask for by data-behavior, also in what htmx brings later, and gives every
// request of htmx the frame's token.
import { authorize } from "./session.js";

const version = new URL(import.meta.url).search;
const bound = new WeakSet();

async function bind(root) {
  const wanted = [...root.querySelectorAll("[data-behavior]")];
  if (root.matches?.("[data-behavior]")) wanted.unshift(root);
  for (const element of wanted) {
    if (bound.has(element)) continue;
    bound.add(element);
    for (const name of element.dataset.behavior.split(" ")) {
      const behavior = await import(`./behaviors/${name}.js${version}`);
      // Another page may have come while the script was on its way.
      if (element.isConnected) behavior.default(element);
    }
  }
}

document.addEventListener("htmx:config:request", (event) => authorize(event.detail.ctx.request.headers));
// What is not a page is not read as one: an error of the API repeats what was asked.
document.addEventListener("htmx:before:swap", (event) => {
  const kind = event.detail.ctx.response?.headers.get("Content-Type") ?? "";
  if (!kind.startsWith("text/html")) event.preventDefault();
});
document.addEventListener("htmx:after:process", (event) => bind(event.target));
document.addEventListener("htmx:after:swap", () => {
  const title = document.querySelector("#app [data-title]");
  if (title) document.title = title.dataset.title;
});
bind(document.body);
