// Inside Bitrix24's frame: the frame is as high as what is in it, so that the portal's own window scrolls all of it.
const LEAST = 480;
const BELOW = 32;

let told = 0;

function bottom(dialog) {
  return dialog.getBoundingClientRect().bottom + window.scrollY + BELOW;
}

function fit() {
  const open = [...document.querySelectorAll("dialog[open]")];
  const height = Math.ceil(Math.max(LEAST, document.body.offsetHeight, ...open.map(bottom)));
  if (height === told) return;
  told = height;
  // Only the height: a width in pixels would stay as it is when the portal's window becomes narrower.
  window.BX24.resizeWindow("100%", height);
}

function toTop() {
  window.BX24.scrollParentWindow(0);
}

// Only an observer is told what the windows around the frame leave of it: what has just happened is said there. The
// style is the page's: htmx would write that of an element it swaps into markup, which the content policy forbids.
function showToasts() {
  new IntersectionObserver(([found], observer) => {
    observer.disconnect();
    document.documentElement.style.setProperty("--seen-bottom", `${found.intersectionRect.bottom + window.scrollY}px`);
  }).observe(document.documentElement);
}

function watch() {
  const sizes = new ResizeObserver(fit);
  sizes.observe(document.body);
  new MutationObserver((changes) => {
    for (const { type, target } of changes) {
      if (type === "childList" && target.id === "toasts") showToasts();
      if (type !== "attributes" || !target.matches("dialog[open]")) continue;
      sizes.observe(target);
      toTop();
    }
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["open"] });
  let shown = location.pathname;
  document.addEventListener("htmx:after:history:push", () => {
    if (location.pathname !== shown) toTop();
    shown = location.pathname;
  });
}

export function follow() {
  window.BX24?.init(watch);
}
