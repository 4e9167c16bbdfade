// Small pieces of a page, made from texts and elements.
"use strict";

export function element(name, text = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  return made;
}

// Puts elements into the element of that id, in place of what was there.
export function show(id, found) {
  document.getElementById(id).replaceChildren(...(Array.isArray(found) ? found : [found]));
}

export function lines(texts) {
  if (!texts.length) return nothing();
  const list = element("ul");
  list.append(...texts.map((text) => {
    const line = element("li");
    line.append(text);
    return line;
  }));
  return list;
}

// A notice as the portal shows it: with the links that its text has.
export function notice(text) {
  const made = element("span");
  let at = 0;
  for (const found of text.matchAll(/\[URL=([^\]]*)\](.*?)\[\/URL\]/g)) {
    const link = element("a", found[2]);
    link.href = found[1];
    made.append(text.slice(at, found.index), link);
    at = found.index + found[0].length;
  }
  made.append(text.slice(at));
  return made;
}

export function table(heads, rows, current = () => false) {
  if (!rows.length) return nothing();
  const made = element("table");
  if (heads.length) {
    const head = element("tr");
    head.append(...heads.map((text) => element("th", text)));
    made.append(head);
  }
  rows.forEach((row, index) => {
    const line = element("tr");
    line.setAttribute("aria-current", String(current(index)));
    line.append(...row.map((cell) => {
      const place = element("td", typeof cell === "string" ? cell : "");
      if (typeof cell !== "string") place.append(cell);
      return place;
    }));
    made.append(line);
  });
  return made;
}

function nothing() {
  const made = element("p", "Пока пусто.");
  made.className = "empty";
  return made;
}
