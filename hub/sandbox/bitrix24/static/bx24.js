// The script that pages of an application load inside the portal's frame: an own BX24 with the usual calls.
// The frame's name tells the portal's address and the render: DOMAIN|PROTOCOL|APP_SID.
"use strict";

(function () {
  const [domain, protocol, sid] = window.name.split("|");
  const origin = (protocol === "1" ? "https://" : "http://") + domain;
  const waiting = new Map();
  let data = null;
  let asked = null;

  function send(command, params, callback, stays) {
    const id = callback ? Math.random().toString(36).slice(2) : "";
    if (callback) waiting.set(id, { callback, stays });
    const spelled = params === undefined || params === null ? "" : JSON.stringify(params);
    window.parent.postMessage(`${command}:${spelled}:${id}:${sid}`, origin);
  }

  window.addEventListener("message", (event) => {
    if (event.origin !== origin || typeof event.data !== "string") return;
    const at = event.data.indexOf(":");
    const id = event.data.slice(0, at);
    const found = waiting.get(id);
    if (!found) return;
    if (!found.stays) waiting.delete(id);
    const answer = event.data.slice(at + 1);
    found.callback(answer ? JSON.parse(answer) : undefined);
  });

  function init(callback) {
    asked = asked || new Promise((done) => {
      send("getInitData", null, (found) => {
        data = found;
        takeAuth(found);
        done();
      });
    });
    asked.then(() => { if (callback) callback(); });
  }

  function takeAuth(found) {
    data.AUTH_ID = found.AUTH_ID;
    data.REFRESH_ID = found.REFRESH_ID;
    data.expires = Date.now() + 1000 * Number(found.AUTH_EXPIRES);
  }

  function getAuth() {
    if (!data || data.expires <= Date.now()) return false;
    return {
      access_token: data.AUTH_ID,
      refresh_token: data.REFRESH_ID,
      expires_in: data.expires,
      domain: data.DOMAIN,
      member_id: data.MEMBER_ID,
    };
  }

  function refreshAuth(callback) {
    send("refreshAuth", {}, (found) => {
      takeAuth(found);
      if (callback) callback(getAuth());
    });
  }

  function spell(value, name, pairs) {
    if (value === null || value === undefined) pairs.append(name, "");
    else if (typeof value === "object") {
      for (const [key, item] of Object.entries(value)) spell(item, name ? `${name}[${key}]` : key, pairs);
    } else pairs.append(name, value === true ? "Y" : value === false ? "N" : String(value));
    return pairs;
  }

  async function request(method, params, again) {
    const pairs = spell(params || {}, "", new URLSearchParams());
    pairs.set("auth", data.AUTH_ID);
    const answered = await fetch(`${origin}${data.PATH}/${method}.json`, { method: "POST", body: pairs });
    let answer;
    try {
      answer = await answered.json();
    } catch {
      answer = { error: "ERROR_UNEXPECTED_ANSWER", error_description: `HTTP ${answered.status}` };
    }
    if (answer.error === "expired_token" && again !== false) {
      await new Promise((done) => refreshAuth(done));
      return request(method, params, false);
    }
    return { answer, status: answered.status };
  }

  function Result(answer, status, method, params, callback) {
    this.answer = answer;
    this.status = status;
    this.query = { method, data: params };
    this.callback = callback;
  }
  Result.prototype = {
    data() { return this.answer.result; },
    error() {
      if (this.answer.error === undefined) return undefined;
      return { ex: this.answer, status: this.status, toString: () => `${this.answer.error}: ${this.answer.error_description || ""}` };
    },
    error_description() { return this.answer.error_description; },
    more() { return this.answer.next !== undefined; },
    total() { return this.answer.total; },
    next(callback) {
      if (!this.more()) return false;
      const params = { ...this.query.data, start: this.answer.next };
      return callMethod(this.query.method, params, callback || this.callback);
    },
  };

  function callMethod(method, params, callback) {
    request(method, params).then(({ answer, status }) => {
      if (callback) callback(new Result(answer, status, method, params, callback));
    });
  }

  function callBatch(calls, callback, halt) {
    const commands = {};
    const given = {};
    for (const [key, call] of Object.entries(calls)) {
      const [method, params] = Array.isArray(call) ? call : [call.method, call.params];
      given[key] = [method, params || {}];
      commands[key] = `${method}?${spell(params || {}, "", new URLSearchParams())}`;
    }
    request("batch", { cmd: commands, halt: halt ? 1 : 0 }).then(({ answer, status }) => {
      const parts = answer.result || {};
      const results = Array.isArray(calls) ? [] : {};
      for (const [key, [method, params]] of Object.entries(given)) {
        const failed = (parts.result_error || {})[key] || (answer.error === undefined ? undefined : answer);
        const one = failed || {
          result: (parts.result || {})[key],
          total: (parts.result_total || {})[key],
          next: (parts.result_next || {})[key],
        };
        results[key] = new Result(one, status, method, params);
      }
      if (callback) callback(results);
    });
  }

  function options(held, command) {
    return {
      get: (name) => (data[held] || {})[name],
      set: (name, value, callback) => send(command, { name, value }, (found) => {
        data[held] = found;
        if (callback) callback(found);
      }),
    };
  }

  function getScrollSize() {
    const page = document.documentElement;
    return { scrollWidth: page.scrollWidth, scrollHeight: Math.max(page.scrollHeight, document.body.scrollHeight) };
  }

  window.BX24 = {
    init,
    install: (callback) => init(() => { if (data.INSTALL && callback) callback(); }),
    installFinish: () => init(() => send("setInstallFinish", {})),
    getAuth,
    refreshAuth,
    callMethod,
    callBatch,
    isAdmin: () => Boolean(data && data.IS_ADMIN),
    getLang: () => data && data.LANG,
    getDomain: () => data && data.DOMAIN,
    isReady: () => document.readyState !== "loading",
    ready: (callback) => {
      if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", callback);
      else callback();
    },
    getScrollSize,
    resizeWindow: (width, height, callback) => send("resizeWindow", { width, height }, callback),
    fitWindow: (callback) => send("resizeWindow", { width: "100%", height: getScrollSize().scrollHeight }, callback),
    reloadWindow: (callback) => send("reloadWindow", {}, callback),
    setTitle: (title, callback) => send("setTitle", { title: String(title) }, callback),
    scrollParentWindow: (scroll, callback) => send("setScroll", { scroll }, callback),
    openApplication: (params, callback) => send("openApplication", params || {}, callback),
    closeApplication: (callback) => send("closeApplication", {}, callback),
    openPath: (path, callback) => send("openPath", { path }, callback),
    selectUser: (title, callback) => send("selectUser", { title: typeof title === "string" ? title : "" }, callback || title),
    selectUsers: (callback) => send("selectUser", { several: true }, callback),
    appOption: options("APP_OPTIONS", "setAppOption"),
    userOption: options("USER_OPTIONS", "setUserOption"),
    placement: {
      info: () => ({ placement: data.PLACEMENT, options: data.PLACEMENT_OPTIONS }),
      getInterface: (callback) => send("getInterface", null, callback),
      call: (command, params, callback) => send(command, params || {}, callback),
      bindEvent: (event, callback) => send("placementBindEvent", { event }, callback, true),
    },
  };
})();
