"""The portal's pages in a real browser: the frame, its script, and the desk. Skipped where there is no Chromium."""

from collections.abc import Iterator

import pytest
from flask import Flask, Response, request

from hub.sandbox.bitrix24.server import Bitrix24
from hub.sandbox.listening import Listener

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.xdist_group("browser")
PAGE = """<!doctype html><html lang="en"><title>application</title><script src="{portal}/api/v1/"></script>
<p id="path">{path}</p><p id="placement">{placement}</p>
<script>BX24.init(() => {{
if ("{path}" === "install") BX24.installFinish(); else window.ready = true; }});</script></html>
"""


class Shown:
    """The portal in a browser, with an application whose page finishes its own installation."""

    def __init__(self, bitrix: Bitrix24, application: str, page: "playwright.Page") -> None:
        self.bitrix, self.application, self.page = bitrix, application, page
        self.expected = "nothing"

    def install(self) -> "playwright.Frame":
        self.page.goto(f"{self.bitrix.portal.url}/")
        self.page.click("#install")
        self.page.wait_for_url("**finished=Y*")
        return self.frame()

    def frame(self) -> "playwright.Frame":
        return ready(self.page)


def ready(outer: "playwright.Page | playwright.FrameLocator") -> "playwright.Frame":
    """The application's frame within `outer` once its page has begun. A frame that is just being opened is an empty
    page first, and whatever was found in that is gone with it."""
    for last in (False, False, True):
        try:
            frame = outer.frame_locator("#app").locator("#path").element_handle().owner_frame()
            assert frame is not None
            frame.wait_for_function("window.ready")
            return frame
        except playwright.Error as error:
            if last or "context was destroyed" not in str(error):
                raise
    raise AssertionError


@pytest.fixture
def shown(browser: "playwright.Browser") -> Iterator[Shown]:
    listener = Listener()
    application = f"http://127.0.0.1:{listener.port}"
    bitrix = Bitrix24(app_url=application).start()
    bitrix.portal.burst = 0
    app = Flask("application", static_folder=None)

    @app.post("/bitrix24/<path>")
    def page_of(path: str) -> Response:
        placement = request.form["PLACEMENT"]
        html = PAGE.format(portal=bitrix.portal.url, path=path, placement=placement)
        return Response(html, content_type="text/html")

    listener.open(app)
    listener.start("application")
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    shown = Shown(bitrix, application, page)
    yield shown
    context.close()
    bitrix.stop()
    listener.stop()
    assert [text for text in complaints if shown.expected not in text] == []


def call(frame: "playwright.Frame", script: str) -> object:
    return frame.evaluate(f"new Promise((done) => {script})")


def test_the_applications_own_page_ends_the_installation_and_is_opened(shown: Shown) -> None:
    frame = shown.install()
    (installation,) = shown.bitrix.portal.installations.values()
    assert installation.installed
    assert frame.inner_text("#path") == "app"
    assert frame.evaluate("BX24.isAdmin() && BX24.getLang()") == "ru"
    auth = frame.evaluate("BX24.getAuth()")
    assert set(auth) == {"access_token", "refresh_token", "expires_in", "domain", "member_id"}
    assert auth["domain"] == shown.bitrix.portal.domain


def test_the_script_calls_methods_and_refreshes_a_token_that_is_over(shown: Shown) -> None:
    frame = shown.install()
    shown.expected = "401"
    title = "BX24.callMethod('crm.deal.get', {id: 1}, (found) => done(found.data().TITLE))"
    assert call(frame, title) == "Заказ 1001"
    for token in shown.bitrix.cloud.tokens.by_access.values():
        token.expires = 1.0
    assert call(frame, title) == "Заказ 1001"
    batch = "BX24.callBatch({a: ['profile'], b: ['crm.deal.get', {id: 99}]}, (all) => "
    assert call(frame, f"{batch} done([all.a.data().NAME, all.b.error_description()]))") == ["Анна", "Not found"]
    paged = "BX24.callMethod('crm.contact.list', {}, (found) => done([found.total(), found.more()]))"
    assert call(frame, paged) == [2, False]


def test_the_frame_is_resized_and_people_are_chosen(shown: Shown) -> None:
    frame = shown.install()
    assert call(frame, "BX24.resizeWindow(700, 333, done)") == {"width": 700, "height": 333}
    frame.evaluate("BX24.selectUser((person) => { window.person = person; })")
    shown.page.click("#people button[value='2']")
    frame.wait_for_function("window.person")
    assert frame.evaluate("window.person") == {"id": "2", "name": "Борис Иванов"}
    set_option = "BX24.userOption.set('theme', 'dark', () => done(BX24.userOption.get('theme')))"
    assert call(frame, set_option) == "dark"


def test_the_application_opens_itself_over_the_page_and_closes_again(shown: Shown) -> None:
    frame = shown.install()
    frame.evaluate("BX24.openApplication({run: '7'}, () => { window.overIsClosed = true; })")
    outer = shown.page.frame_locator(".slider iframe")
    inner = ready(outer)
    assert inner.evaluate("BX24.placement.info()")["options"]["run"] == "7"
    inner.evaluate("BX24.closeApplication()")
    frame.wait_for_function("window.overIsClosed")


def test_the_desk_changes_deals_plays_faults_and_shows_what_was_called(shown: Shown) -> None:
    frame = shown.install()
    assert call(frame, "BX24.callMethod('crm.deal.get', {id: 1}, () => done(true))") is True
    shown.page.goto(f"{shown.bitrix.portal.url}/")
    shown.page.select_option("#deals select", "PREPARATION")
    shown.page.click("#add")
    shown.page.get_by_text("Новый заказ", exact=True).wait_for()
    assert shown.bitrix.portal.crm.items[2][1]["STAGE_ID"] == "PREPARATION"
    assert shown.page.locator("#calls").get_by_text("crm.deal.get").count() == 1
    shown.page.get_by_role("button", name="Событие потеряется").click()
    shown.page.get_by_role("button", name="Удалить").click()
    shown.page.get_by_text("Не установлено.").wait_for()
    assert shown.bitrix.board.take("bitrix24_events", "any") is not None


def test_a_placement_is_opened_from_the_desk_with_the_chosen_deal(shown: Shown) -> None:
    frame = shown.install()
    handler = f"{shown.application}/bitrix24/tab"
    bind = (
        f"BX24.callMethod('placement.bind', {{PLACEMENT: 'CRM_DEAL_DETAIL_TAB', HANDLER: '{handler}', TITLE: 'Хаб'}}, "
    )
    assert call(frame, f"{bind} (found) => done(found.data()))") is True
    shown.page.goto(f"{shown.bitrix.portal.url}/")
    shown.page.get_by_role("link", name="Хаб").click()
    tab = shown.frame()
    assert tab.inner_text("#placement") == "CRM_DEAL_DETAIL_TAB"
    assert tab.evaluate("BX24.placement.info().options.ID") == "1"
