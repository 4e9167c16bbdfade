// One short line that says what has just happened, read out by screen readers, gone after some seconds.
export function toast(text, { action, label, tone = "ok", seconds = 6 } = {}) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const line = document.createElement("div");
  line.className = `toast-line toast-${tone}`;
  line.append(document.createTextNode(text));
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      line.remove();
      action();
    });
    line.append(button);
  }
  place.append(line);
  setTimeout(() => line.remove(), seconds * 1000);
}
