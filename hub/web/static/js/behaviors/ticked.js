// A button for what is ticked: it rests while nothing is.
export default function ticked(button) {
  const boxes = [...document.querySelectorAll(`input[type=checkbox][form="${button.form.id}"]`)];
  const apply = () => {
    button.disabled = !boxes.some((box) => box.checked);
  };
  for (const box of boxes) box.addEventListener("change", apply);
  apply();
}
