// The button that turns light into dark and back; remembered where the browser lets us.
export default function theme(button) {
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", next);
    try {
      localStorage.setItem("hubline-theme", next);
    } catch {
      // A frame may have no storage; the choice then holds for this page.
    }
  });
}
