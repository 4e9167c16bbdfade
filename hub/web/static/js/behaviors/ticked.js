// A button for what is ticked: it rests while nothing is. The ticks may stand outside the form that they belong to.
export default function ticked(button) {
  const boxes = [...button.form.elements].filter((element) => element.type === "checkbox");
  const apply = () => {
    button.disabled = !boxes.some((box) => box.checked);
  };
  for (const box of boxes) box.addEventListener("change", apply);
  apply();
}
