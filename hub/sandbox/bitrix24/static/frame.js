// The portal's side of the frame: opens the application's page by a form and answers what the page sends.
"use strict";

const app = document.getElementById("app");
const { sid, origin, client, user } = app.dataset;
const asked = new Set([
  "getInitData", "setInstallFinish", "setInstall", "refreshAuth", "setAppOption", "setUserOption", "setPropertyValue",
]);

function reply(id, value) {
  if (id) app.contentWindow.postMessage(`${id}:${value === undefined ? "" : JSON.stringify(value)}`, origin);
}

async function ask(command, params) {
  const answered = await fetch(`/_frame/${sid}/${command}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(params),
  });
  return answered.json();
}

// Opens the application once more over this page; `done` is called when that is closed.
function slide(params, done) {
  const query = new URLSearchParams({ user, ...params });
  const layer = document.createElement("div");
  layer.className = "slider";
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Закрыть";
  const inner = document.createElement("iframe");
  inner.title = "Приложение";
  inner.src = `/app/${client}/?${query}`;
  const end = () => {
    window.removeEventListener("message", listen);
    layer.remove();
    done();
  };
  const listen = (event) => {
    if (event.origin === location.origin && event.source === inner.contentWindow && event.data === "close") end();
  };
  window.addEventListener("message", listen);
  close.addEventListener("click", end);
  layer.append(close, inner);
  document.body.append(layer);
}

function choosePerson(several, done) {
  const dialog = document.getElementById("people");
  dialog.onclose = () => {
    const row = document.querySelector(`#people button[value="${dialog.returnValue}"]`);
    const chosen = row ? { id: row.value, name: row.textContent.trim() } : null;
    done(several ? (chosen ? [chosen] : []) : chosen);
  };
  dialog.returnValue = "";
  dialog.showModal();
}

const own = {
  resizeWindow(params, done) {
    if (Number(params.height)) app.style.height = `${Math.max(200, Number(params.height))}px`;
    if (Number(params.width)) app.style.width = `${Number(params.width)}px`;
    done({ width: app.clientWidth, height: app.clientHeight });
  },
  setTitle(params, done) { document.title = params.title || ""; done(params); },
  setScroll(params, done) { window.scrollTo(0, Number(params.scroll) || 0); done({}); },
  reloadWindow() { location.reload(); },
  reloadData(_params, done) { done({}); },
  openApplication: (params, done) => slide(params, done),
  closeApplication(_params, done) {
    if (window.parent !== window) window.parent.postMessage("close", location.origin);
    done({});
  },
  openPath(_params, done) { done({ result: "error", errorCode: "PATH_NOT_AVAILABLE" }); },
  selectUser: (params, done) => choosePerson(Boolean(params.several), done),
  getInterface(_params, done) {
    done({ command: ["resizeWindow", "reloadData", "setPropertyValue", "openApplication", "closeApplication"], event: [] });
  },
  placementBindEvent() { },
};

window.addEventListener("message", async (event) => {
  if (event.source !== app.contentWindow || event.origin !== origin || typeof event.data !== "string") return;
  const parts = event.data.split(":");
  if (parts.length < 4 || parts.at(-1) !== sid) return;
  const [command, id] = [parts[0], parts.at(-2)];
  const spelled = parts.slice(1, -2).join(":");
  const params = spelled ? JSON.parse(spelled) : {};
  if (asked.has(command)) {
    const answer = await ask(command, params);
    reply(id, answer);
    if (command === "setInstallFinish" && answer.reload) location.search = `?user=${user}&finished=Y`;
  } else if (own[command]) {
    own[command](params, (value) => reply(id, value));
  }
});

document.getElementById("open").submit();
