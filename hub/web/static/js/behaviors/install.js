// Takes the steps of an installation one after the other, shows each with what it found, and tells the portal that it is
// over when the person who has seen them goes on.
import { follow } from "../framing.js";
import { call, keep } from "../session.js";
import { t } from "../words.js";

const LOOK_EVERY_MS = 700;
const TEST_EVENT_MS = 8000;
const decimal = (number) => Math.max(0.1, number).toLocaleString(document.documentElement.lang);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function words(name, { state, detail = {} }) {
  if (state === "failed") return detail.message || t("This did not work.");
  const refused = Object.entries(detail.refused || {});
  if (refused.length) return t("Not taken by the portal: {names}", { names: refused.map(([code]) => code).join(", ") });
  if (name === "access" && detail.user) return detail.user;
  if (name === "fields" && detail.deal) return t("deal {deal}, contact {contact}", detail);
  if (name === "test_event" && state === "waiting" && detail.asked_at) return t("on its way…");
  if (name === "test_event" && detail.seconds !== undefined) return t("{seconds} s", { seconds: decimal(detail.seconds) });
  if (name === "robots" && detail.there === 0) return t("none yet: each scenario that robots start brings its own");
  if (name === "senders" && detail.there === 0) return t("none yet: each line brings its own");
  if (detail.there !== undefined) return t("registered: {there}", detail);
  return "";
}

export default function install(body) {
  const line = (name) => body.querySelector(`[data-step="${name}"]`);
  const part = (root, name) => root.querySelector(`[data-part="${name}"]`);
  const end = part(body, "end");
  const goOn = part(body, "go-on");
  let found = JSON.parse(body.dataset.found);
  keep(body.dataset.token, null);
  follow();

  function show() {
    for (const [name, step] of Object.entries(found.steps)) {
      const shown = line(name);
      shown.dataset.state = step.state;
      part(shown, "detail").textContent = words(name, step);
      part(shown, "again").hidden = step.state !== "failed";
    }
  }

  async function ask(method, payload) {
    const answer = await call(method, "/bitrix24/steps", payload);
    if (!answer.ok) throw new Error(t("The server did not answer. Reload the page."));
    found = await answer.json();
    show();
  }

  async function take(name) {
    line(name).dataset.state = "busy";
    await ask("POST", { step: name });
  }

  async function awaitTestEvent() {
    const until = Date.now() + TEST_EVENT_MS;
    while (found.steps.test_event.state === "waiting" && Date.now() < until) {
      await pause(LOOK_EVERY_MS);
      await ask("GET");
    }
  }

  function finish() {
    end.textContent = t("The application opens now.");
    goOn.hidden = true;
    if (body.dataset.finish === "yes" && window.BX24) window.BX24.init(() => window.BX24.installFinish());
    else if (window.BX24) window.BX24.init(() => window.BX24.reloadWindow?.());
  }

  function conclude() {
    const failed = Object.values(found.steps).some((step) => step.state === "failed");
    if (!found.may_finish) end.textContent = t("Without access and events the application cannot work.");
    else end.textContent = failed ? "" : t("Everything is ready.");
    goOn.textContent = failed ? t("Go on without this") : t("Next");
    goOn.hidden = !found.may_finish;
    if (!failed && found.may_finish) goOn.focus();
  }

  async function run() {
    show();
    while (found.next) await take(found.next);
    await awaitTestEvent();
    conclude();
  }

  body.querySelectorAll('[data-part="again"]').forEach((button) =>
    button.addEventListener("click", async () => {
      button.hidden = true;
      await take(button.closest("[data-step]").dataset.step);
      await awaitTestEvent();
      conclude();
    }),
  );
  goOn.addEventListener("click", finish);
  run().catch((error) => (end.textContent = error.message));
}
