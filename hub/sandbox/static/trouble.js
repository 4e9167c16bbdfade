// The buttons that make the simulated messengers misbehave, and what is being played now.
"use strict";

const service = document.getElementById("service");
const kinds = { 429: "slow_down", status: "broken", slow: "slow", hangup_after: "hangup", refuse: "refuse" };
let loggedOut = [];

async function command(action, body) {
  await fetch("/_control/" + action, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  await showTrouble();
}

function nameOf(kind) {
  return [...service.options].find((one) => one.value === kind)?.textContent ?? kind;
}

function described(fault) {
  const parts = [nameOf(fault.service), say(kinds[fault.kind] ?? "broken")];
  if (fault.chat) parts.push(fault.chat);
  if (fault.times) parts.push("×" + fault.times);
  return parts.join(" · ");
}

async function showTrouble() {
  const answer = await fetch("/_control/faults");
  const told = await answer.json();
  loggedOut = told.logged_out;
  const rows = loggedOut.map((kind) => nameOf(kind) + " · " + say("logged_out"));
  rows.push(...told.faults.filter((fault) => kinds[fault.kind]).map(described));
  document.getElementById("playing").replaceChildren(...rows.map((text) => element("li", say("playing") + text)));
  document.getElementById("logout").textContent = say(loggedOut.includes(service.value) ? "login" : "logout");
  document.getElementById("refuse").disabled = open === null;
}

for (const button of document.querySelectorAll("[data-fault]")) {
  button.addEventListener("click", () => {
    const times = Number(document.getElementById("times").value);
    command("fault", { ...JSON.parse(button.dataset.fault), service: service.value, times });
  });
}
document.getElementById("logout").addEventListener("click", () =>
  command("log", { service: service.value, out: !loggedOut.includes(service.value) }));
document.getElementById("refuse").addEventListener("click", () => {
  const [{ service: kind, chat }] = chats.get(open);
  command("fault", { kind: "refuse", service: kind, chat, times: 0 });
});
document.getElementById("calm").addEventListener("click", () => command("calm"));
service.addEventListener("change", showTrouble);
document.getElementById("accounts").textContent = say("accounts").replaceAll("{0}", location.origin);
