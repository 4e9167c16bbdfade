// Shows, while somebody types, only what holds the words: elements with data-find inside the element that the field
// names by data-filter. Without scripts the form around it asks the server for the same.
export default function filter(field) {
  const root = document.querySelector(field.dataset.filter);
  const empty = root.querySelector("[data-filter-empty]");
  const apply = () => {
    const words = field.value.trim().toLowerCase();
    let shown = 0;
    for (const item of root.querySelectorAll("[data-find]")) {
      item.hidden = words !== "" && !item.dataset.find.includes(words);
      shown += item.hidden ? 0 : 1;
    }
    for (const group of root.querySelectorAll("[data-filter-group]")) {
      group.classList.toggle("is-found", words !== "");
      group.hidden = !group.querySelector("[data-find]:not([hidden])");
    }
    for (const kept of root.querySelectorAll("input[name=q]")) kept.value = field.value;
    if (empty) empty.hidden = shown > 0;
  };
  field.addEventListener("input", apply);
}
