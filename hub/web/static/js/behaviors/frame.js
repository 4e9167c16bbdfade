// Inside Bitrix24: learns from the portal who is looking, keeps our token for it, and opens the wanted page.
import { follow } from "../framing.js";
import { keep } from "../session.js";
import { t } from "../words.js";

// The server takes a token for 15 minutes.
const RENEW_MS = 10 * 60 * 1000;

function portalAuth() {
  return new Promise((resolve) => {
    if (!window.BX24) return resolve(null);
    window.BX24.init(() => {
      const auth = window.BX24.getAuth();
      if (auth) resolve(auth);
      else window.BX24.refreshAuth((fresh) => resolve(fresh || null));
    });
  });
}

async function signIn() {
  const auth = await portalAuth();
  if (!auth) return false;
  const answer = await fetch("/bitrix24/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(auth),
    credentials: "omit",
  });
  if (!answer.ok) return false;
  keep((await answer.json()).token, signIn);
  return true;
}

export default async function frame(body) {
  if (body.dataset.token) keep(body.dataset.token, signIn);
  else if (!(await signIn())) {
    document.querySelector(".waiting").textContent = t(
      "Bitrix24 did not confirm who is looking. Reload the page.",
    );
    return;
  }
  setInterval(signIn, RENEW_MS);
  follow();
  await window.htmx.ajax("GET", body.dataset.wanted, { target: "#app", select: "#app", swap: "outerHTML" });
}
