// Runs before the page is drawn, so that a dark page does not flash white. Storage may be closed inside a frame.
(() => {
  const wanted = () => {
    try {
      return localStorage.getItem("hubline-theme");
    } catch {
      return null;
    }
  };
  const apply = () => {
    const dark = wanted() ? wanted() === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
  };
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
})();
