// What scripts say, in the language of the page. English stands in the code; the Russian is fetched once.
const language = document.documentElement.lang === "en" ? "en" : "ru";
const russian =
  language === "ru" ? await (await fetch(`/static/words/ru.json${new URL(import.meta.url).search}`)).json() : {};

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}

// t("Block {id} is new", { id }): the text with its values.
export function t(english, values = {}) {
  const found = russian[english];
  return filled(typeof found === "string" ? found : english, values);
}

// tn("{n} block", "{n} blocks", n): the form that fits the number.
export function tn(one, many, n, values = {}) {
  const forms = russian[one];
  let text = n === 1 ? one : many;
  if (Array.isArray(forms)) {
    const last = n % 10;
    const teens = n % 100 >= 11 && n % 100 <= 14;
    text = forms[last === 1 && !teens ? 0 : last >= 2 && last <= 4 && !teens ? 1 : 2];
  }
  return filled(text, { n, ...values });
}
