"""What a person does in the simulated portal: installs the application, moves deals, puts robots on stages.

In a real browser where Playwright and Chromium are there; else by the same requests that the browser's pages make.
"""

import html
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import requests

from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from hub.sandbox.demo_waiting import CheckFailed, wait_for

INSTALLS_WITHIN_S = 60.0
PERSON = 1  # the portal's administrator


class Person(Protocol):
    """Somebody at the portal's pages."""

    way: str
    """How it is done, for whoever reads along."""

    def install(self) -> None:
        """Install the application and wait until its main page is open. Raises CheckFailed."""

    def put_robot(self, code: str, stage: str, values: str) -> None:
        """Put one of the application's robots on a stage; `values`: `name={=Document:FIELD}`."""

    def move(self, deal: int, stage: str) -> None:
        """Move a deal to a stage."""

    def write_in_tab(self, placement: str, card: int, seen: str, text: str) -> None:
        """Open the application's tab in a card, see `seen` there, and send `text` from it. Raises CheckFailed."""


@contextmanager
def somebody(portal_url: str) -> Iterator[Person]:
    """A person at the portal: in Chromium if there is one, else by HTTP."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or importlib.util.find_spec("playwright") is None:
        with requests.Session() as session:
            session.trust_env = False
            yield ByRequests(portal_url, session)
        return
    from playwright.sync_api import sync_playwright

    arguments = ["--disable-background-networking", "--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        try:
            yield InBrowser(portal_url, browser.new_page(viewport={"width": 1280, "height": 900}))
        finally:
            browser.close()


class InBrowser:
    """A person with a browser."""

    way = "in a real browser"

    def __init__(self, portal_url: str, page: Any) -> None:
        self._portal_url, self._page = portal_url, page
        page.set_default_timeout(INSTALLS_WITHIN_S * 1000)

    def install(self) -> None:
        """Press the desk's button, and go on when the application's own page has done the rest."""
        self._desk()
        self._page.click("#install")
        self._page.frame_locator("#app").locator("[data-part=go-on]").click()
        self._page.wait_for_url("**finished=Y*")
        self._see("nav a[aria-current=page]", "the application's main page")

    def put_robot(self, code: str, stage: str, values: str) -> None:
        """Choose robot, stage and values at the desk."""
        self._desk()
        self._page.select_option("#robot-code", code)
        self._page.select_option("#robot-stage", stage)
        self._page.fill("#robot-values", values)
        self._page.click("#put-robot")
        self._page.locator("#robots").get_by_text(code).first.wait_for()

    def move(self, deal: int, stage: str) -> None:
        """Choose the stage in the desk's list of deals."""
        self._desk()
        self._page.get_by_label(f"Стадия сделки {deal}", exact=True).select_option(stage)

    def write_in_tab(self, placement: str, card: int, seen: str, text: str) -> None:
        """Open the tab as the portal does, and use its form."""
        self._page.goto(f"{self._portal_url}/app/{DEMO_CLIENT_ID}/?user={PERSON}&placement={placement}&ID={card}")
        self._see(f"#history >> text={seen}", f"“{seen}” in the tab")
        frame = self._page.frame_locator("#app")
        frame.locator("textarea[name=text]").fill(text)
        frame.locator("form button").click()
        self._see(f"#history >> text={text}", f"“{text}” among the tab's messages")

    def _desk(self) -> None:
        self._page.goto(f"{self._portal_url}/")

    def _see(self, selector: str, what: str) -> None:
        from playwright.sync_api import Error

        try:
            self._page.frame_locator("#app").locator(selector).first.wait_for()
        except Error as error:
            raise CheckFailed(f"{what} did not appear: {error.message}") from None


class ByRequests:
    """A person whose browser is played: the same forms, frame commands and calls, in the same order."""

    way = "by the frame's protocol over HTTP; there is no Chromium with Playwright here"

    def __init__(self, portal_url: str, session: requests.Session) -> None:
        self._portal_url, self._http = portal_url, session

    def install(self) -> None:
        """Open the installer in the frame, take its steps, and tell the portal that it is over."""
        self._control("install", user=PERSON)
        page, sid = self._frame()
        self._script(page)
        token = _attribute(page, "data-token")
        shown = self._steps("GET", page, token)
        while shown["next"]:
            shown = self._steps("POST", page, token, {"step": shown["next"]})
        event = wait_for(lambda: self._test_event(page, token), 20, "the portal's test event")
        failed = {name: step["detail"] for name, step in event["steps"].items() if step["state"] == "failed"}
        if failed or not event["may_finish"]:
            raise CheckFailed(f"the installation has failed steps: {failed}")
        if self._command(sid, "setInstallFinish").get("reload") is not True:
            raise CheckFailed("the portal did not take the end of the installation.")
        self._inner(self._frame()[0], 'aria-current="page"')

    def put_robot(self, code: str, stage: str, values: str) -> None:
        """What the desk's button sends."""
        name, _, value = values.partition("=")
        step = {"kind": "robot", "code": code, "properties": {name: value}, "timeout_s": 0}
        self._control("robots", stage=stage, steps=[step])

    def move(self, deal: int, stage: str) -> None:
        """What the desk's list sends."""
        self._control("card", id=deal, user=PERSON, fields={"STAGE_ID": stage})

    def write_in_tab(self, placement: str, card: int, seen: str, text: str) -> None:
        """Open the tab, and post its form with the token that the frame got."""
        page, _ = self._frame(placement, card)
        tab = self._inner(page, seen)
        form = {"to": html.unescape(_found(r'<option value="([^"]+)"', tab)), "text": text}
        form["number"] = _found(r'name="number" value="([^"]+)"', tab)
        after = self._http.post(tab.url, data=form, headers=_proof(page), timeout=30)
        if text not in html.unescape(after.text):
            raise CheckFailed(f"the tab does not show “{text}” ({after.status_code}).")

    def _inner(self, page: requests.Response, text: str) -> requests.Response:
        """The page that the frame fetches with the token that it got; `text` must stand there."""
        wanted = _attribute(page, "data-wanted")
        inner = self._http.get(_absolute(page, wanted), headers=_proof(page), timeout=30)
        if inner.status_code != 200 or text not in html.unescape(inner.text):
            raise CheckFailed(f"the page {wanted[:20]} does not show “{text}” ({inner.status_code}).")
        return inner

    def _frame(self, placement: str = "", card: int = 0) -> tuple[requests.Response, str]:
        """The portal's page around the frame, and what its form opens in the frame."""
        query: dict[str, str | int] = {"user": PERSON, **({"placement": placement, "ID": card} if placement else {})}
        outer = self._http.get(f"{self._portal_url}/app/{DEMO_CLIENT_ID}/", params=query, timeout=30)
        action = html.unescape(_found(r'<form id="open" method="post" action="([^"]+)"', outer))
        rows = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', outer.text)
        fields = {name: html.unescape(value) for name, value in rows}
        return self._http.post(action, data=fields, timeout=60), _attribute(outer, "data-sid")

    def _script(self, page: requests.Response) -> None:
        address = _found(r'<script src="(http[^"]+)">', page)
        if "BX24" not in self._http.get(address, timeout=30).text:
            raise CheckFailed(f"the page's script {address} is not the portal's.")

    def _steps(self, method: str, page: requests.Response, token: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        address = _absolute(page, "/bitrix24/steps")
        return self._http.request(method, address, json=body, headers=headers, timeout=60).json()

    def _test_event(self, page: requests.Response, token: str) -> Any:
        shown = self._steps("GET", page, token)
        return shown if shown["steps"]["test_event"]["state"] != "waiting" else None

    def _command(self, sid: str, command: str) -> Any:
        return self._http.post(f"{self._portal_url}/_frame/{sid}/{command}", json={}, timeout=30).json()

    def _control(self, action: str, **body: Any) -> Any:
        answer = self._http.post(f"{self._portal_url}/_control/{action}", json=body, timeout=30)
        if not answer.ok:
            raise CheckFailed(f"the portal refused “{action}”: {answer.text[:300]}")
        return answer.json()


def _proof(page: requests.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {_attribute(page, 'data-token')}", "HX-Request": "true"}


def _attribute(page: requests.Response, name: str) -> str:
    return html.unescape(_found(rf'{name}="([^"]*)"', page))


def _found(pattern: str, page: requests.Response) -> str:
    found = re.search(pattern, page.text)
    if found is None:
        raise CheckFailed(f"the page {page.url} ({page.status_code}) has no {pattern}: {page.text[:500]}")
    return found[1]


def _absolute(page: requests.Response, path: str) -> str:
    base, _, _ = page.url.partition("/bitrix24/")
    return f"{base}{path}"
