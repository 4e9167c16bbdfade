// Shows the editor where the page has a place for it, and ends it when htmx brings another page: as a module its script
// runs once in a window, however often the page is come back to.
export default async function editor(element) {
  const { mount } = await import(element.dataset.script);
  if (!element.isConnected) return;
  const unmount = mount(element);
  const watch = new MutationObserver(() => {
    if (element.isConnected) return;
    watch.disconnect();
    unmount();
  });
  watch.observe(document.body, { childList: true, subtree: true });
}
