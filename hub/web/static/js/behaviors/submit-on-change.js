// A choice that needs no button: the form is sent as soon as something else is chosen.
export default function submitOnChange(field) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
