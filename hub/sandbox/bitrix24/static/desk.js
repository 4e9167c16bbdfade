// The portal's desk: shows what the control addresses tell, once a second, and sends what is clicked.
"use strict";

import { element, show, lines, notice, table } from "./parts.js";

const deals = 2;
let state = null;
let here = null;
let chosen = 1;
let calls = [];
let deliveries = [];
const byId = (id) => document.getElementById(id);

async function control(action, body = {}) {
  const answered = await fetch(`/_control/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = answered.headers.get("Content-Type").startsWith("application/json") ? await answered.json() : {};
  byId("state").textContent = answered.ok ? "" : answer.error_description || answer.error || `HTTP ${answered.status}`;
  await look();
  return answer;
}

const read = async (what) => (await fetch(`/_control/${what}`)).json();
const viewer = () => Number(byId("viewer").value || 1);
const application = () => here.installations[0];

function showApplication() {
  const one = application();
  const app = state.apps[0];
  byId("app-state").textContent = !app.app_url && !app.install_url
    ? "Адрес приложения не задан (--app-url)."
    : !one ? "Не установлено." : one.installed ? `Установлено, версия ${one.version}.` : "Установка не закончена.";
  byId("install").hidden = Boolean(one);
  for (const id of ["open", "update", "uninstall", "clean-row"]) byId(id).hidden = !one;
  const registered = one ? [
    ["События", one.handlers.map((row) => row.event + (row.offline ? " (offline)" : ""))],
    ["Места", one.placements.map((row) => row.placement)],
    ["Роботы", one.activities.map((row) => `${row.code} (${row.kind})`)],
    ["Провайдеры сообщений", one.senders.map((row) => row.code)],
    ["Коннекторы", one.connectors.map((row) => row.id)],
  ].filter(([, found]) => found.length) : [];
  show("registered", table([], registered.map(([name, found]) => [name, found.join(", ")])));
  const tabs = one ? one.placements.filter((row) => /DEAL|LEFT_MENU/.test(row.placement)) : [];
  show("places", tabs.map((row) => {
    const link = element("a", row.title || row.placement);
    link.href = `/app/${one.client_id}/?user=${viewer()}&placement=${row.placement}&ID=${chosen}`;
    return link;
  }));
}

async function showDeals() {
  const listed = (await read(`cards/${deals}`)).cards;
  if (document.activeElement && document.activeElement.closest("#deals")) return;
  show("deals", table(["№", "Сделка", "Сумма", "Стадия"], listed.map((row) => {
    const pick = element("button", row.TITLE || "(без названия)");
    pick.type = "button";
    pick.addEventListener("click", () => { chosen = Number(row.ID); look(); });
    const stage = element("select");
    stage.setAttribute("aria-label", `Стадия сделки ${row.ID}`);
    for (const one of state.stages.filter((found) => found.category === Number(row.CATEGORY_ID))) {
      stage.append(new Option(one.name, one.id, false, one.id === row.STAGE_ID));
    }
    stage.addEventListener("change", () => {
      stage.blur();
      chosen = Number(row.ID);
      control("card", { id: Number(row.ID), user: viewer(), fields: { STAGE_ID: stage.value } });
    });
    return [row.ID, pick, `${row.OPPORTUNITY} ${row.CURRENCY_ID}`, stage];
  }), (index) => Number(listed[index].ID) === chosen));
}

async function showTimeline() {
  const answered = await fetch(`/_control/card/${deals}/${chosen}`);
  if (!answered.ok) return show("timeline", lines([]));
  const { comments, log_messages: notes, activities } = await answered.json();
  byId("timeline-title").textContent = `Лента сделки ${chosen}`;
  show("timeline", lines([
    ...comments.map((row) => `💬 ${row.text}`),
    ...notes.map((row) => `• ${row.title}: ${row.text}`),
    ...activities.map((row) => `☑ ${row.params.title || row.params.SUBJECT || row.type}`),
  ]));
  return undefined;
}

function showRobots() {
  const one = application();
  fill("robot-code", one ? one.activities.filter((row) => row.kind === "robot").map((row) => [row.code, row.code]) : []);
  fill("robot-stage", state.stages.filter((row) => row.category === 0).map((row) => [row.name, row.id]));
  fill("sms-code", one ? one.senders.map((row) => [row.code, row.code]) : []);
  show("robots", lines(here.robots.map((row) =>
    `${row.stage}: ${row.steps.map((step) => step.code || step.kind).join(" → ") || "нет роботов"}`)));
  show("processes", table(["Сделка", "Состояние", "Ответ", "Журнал"], state.processes.slice(-20).reverse().map((row) => [
    String(row.item_id), row.state, JSON.stringify(row.results), row.log.join("; "),
  ])));
  show("sms", table(["Кому", "Текст", "Состояние"], state.sms.slice(-20).reverse().map((row) => [row.to, row.text, row.status])));
  show("notices", lines(state.notifications.slice(-20).reverse().map((row) => notice(`→ ${row.to}: ${row.text}`))));
}

function fill(id, rows) {
  const select = byId(id);
  const before = select.value;
  if ([...select.options].map((option) => option.value).join() === rows.map((row) => row[1]).join()) return;
  select.replaceChildren(...rows.map(([name, value]) => new Option(name, value)));
  if (rows.some((row) => row[1] === before)) select.value = before;
}

function showLog() {
  const time = (at) => new Date(at * 1000).toLocaleTimeString("ru-RU");
  show("calls", table(["Время", "Метод", "Ответ", "Параметры"], calls.slice(-60).reverse().map((row) => [
    time(row.at), row.method, row.error ? `${row.status} ${row.error || "\"\""} ${row.said}` : String(row.status),
    JSON.stringify(row.params).slice(0, 200),
  ])));
  show("deliveries", table(["Время", "Что", "Итог"], deliveries.slice(-60).reverse().map((row) => [
    time(row.sent_at || row.queued_at), `${row.kind} ${row.name}`, row.status ? `${row.status}, ${row.ms} мс` : row.outcome,
  ])));
}

async function look() {
  state = await read("state");
  here = state.portals.find((row) => row.member_id === state.here);
  const new_calls = (await read(`calls?after=${calls.at(-1)?.number || 0}`)).calls;
  calls = [...calls, ...new_calls].slice(-200);
  deliveries = (await read("deliveries")).deliveries.slice(-60);
  fill("viewer", here.users.map((row) => [`${row.name} ${row.last_name}${row.admin ? " (администратор)" : ""}`, String(row.id)]));
  showApplication();
  showRobots();
  showLog();
  await showDeals();
  await showTimeline();
}

function on(id, run) {
  byId(id).addEventListener("click", () => { run(); });
}

function openApplication() {
  location.href = `/app/${state.apps[0].client_id}/?user=${viewer()}`;
}

on("install", async () => {
  const answer = await control("install", { user: viewer() });
  if (answer.frame) openApplication();
});
on("open", openApplication);
on("update", () => control("update", { user: viewer() }));
on("uninstall", () => control("uninstall", { clean: byId("clean").checked }));
on("add", () => control("card", { do: "add", user: viewer(), fields: { TITLE: byId("title").value, CONTACT_ID: 1 } }));
on("put-robot", () => {
  const properties = {};
  for (const pair of byId("robot-values").value.split(";")) {
    const [name, ...value] = pair.split("=");
    if (value.length) properties[name.trim()] = value.join("=").trim();
  }
  const step = { kind: "robot", code: byId("robot-code").value, properties, timeout_s: Number(byId("robot-time").value) || 0 };
  if (step.code) control("robots", { stage: byId("robot-stage").value, steps: [step] });
});
on("clear-robots", () => control("robots", { stage: byId("robot-stage").value, steps: [] }));
on("send-sms", () => control("sms", {
  code: byId("sms-code").value, to: byId("sms-to").value, text: byId("sms-text").value, id: chosen, user: viewer(),
}));
on("expire", () => control("expire"));
on("hour", () => control("clock", { advance_s: 3600 }));
on("reset", () => { calls = []; control("reset"); });
for (const button of document.querySelectorAll("[data-fault]")) {
  button.addEventListener("click", () => control("fault", {
    ...JSON.parse(button.dataset.fault), times: Number(byId("times").value) || 1,
  }));
}

async function poll() {
  try {
    await look();
  } catch {
    byId("state").textContent = "Портал не отвечает.";
  }
  setTimeout(poll, 1000);
}
poll();
