// Shows the sandbox's record as chats on a phone; asks for what is new, and for what is being played, once a second.
"use strict";

const chats = new Map();
let last = 0;
let open = null;
let chosen = false; // until somebody picks a chat, the one with the newest message is shown

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function bubble(entry) {
  const card = element("article", "", entry.accepted ? "" : "bad");
  card.append(element("p", entry.text || (entry.file ? "" : say("no_text"))));
  if (entry.file) card.append(element("p", "📎 " + entry.file));
  if (entry.buttons.length) {
    const list = element("ul");
    entry.buttons.forEach((label) => list.append(element("li", label)));
    card.append(list);
  }
  const time = new Date(entry.at * 1000).toLocaleTimeString(english ? "en-GB" : "ru-RU");
  const outcome = entry.accepted
    ? say(entry.outcome === "accepted" ? "arrived" : "arrived_unheard")
    : say("refused") + entry.outcome;
  card.append(element("footer", time + " · " + outcome));
  return card;
}

function show() {
  const list = document.getElementById("chats");
  const rows = [...chats.entries()].sort((a, b) => b[1].at(-1).number - a[1].at(-1).number).slice(0, 100);
  list.replaceChildren(...rows.map(([name, entries]) => {
    const { service, chat } = entries[0];
    const button = element("button", chat);
    button.type = "button";
    button.append(element("small", nameOf(service) + ": " + entries.at(-1).text));
    button.setAttribute("aria-current", String(name === open));
    button.addEventListener("click", () => { open = name; chosen = true; show(); });
    return button;
  }));
  const chat = document.getElementById("chat");
  if (open === null) {
    chat.replaceChildren(element("p", say("nothing"), "empty"));
    return;
  }
  chat.replaceChildren(...chats.get(open).slice(-200).map(bubble));
  chat.scrollTop = chat.scrollHeight;
}

async function poll() {
  const state = document.getElementById("state");
  try {
    const answer = await fetch("/_control/sent?after=" + last);
    const { sent } = await answer.json();
    state.textContent = "";
    for (const entry of sent) {
      last = entry.number;
      if (!entry.chat) continue;
      const name = entry.service + " " + entry.chat;
      if (!chats.has(name)) chats.set(name, []);
      chats.get(name).push(entry);
      if (!chosen) open = name;
    }
    if (sent.length) show();
    await showTrouble();
  } catch {
    state.textContent = say("silent");
  }
  setTimeout(poll, 1000);
}

document.getElementById("clear").addEventListener("click", async () => {
  await fetch("/_control/reset", { method: "POST" });
  chats.clear();
  open = null;
  chosen = false;
  show();
});

show();
poll();
