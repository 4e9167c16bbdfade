"""What pages open on demand: panes, sheets and menus, of a product that is filled, for the pictures."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.browser.site import Site


@dataclass(frozen=True)
class Moment:
    """Something that is opened on a page: its name in file names, and the way there."""

    name: str
    come: Callable[[Any, Site], None]


def _editor(page: Any, site: Site) -> None:
    number = next(one["id"] for one in site.at.read("/scenarios")["items"] if one["name"] == "Заказ готов")
    page.goto(f"/scenarios/{number}")
    page.get_by_test_id("block-greet").wait_for()


def _head(page: Any) -> Any:
    return page.locator(".editor-head")


def _inspector(page: Any, site: Site) -> None:
    _editor(page, site)
    page.get_by_test_id("block-greet").locator(".block-title").click()
    page.locator("[data-testid=preview].bubble").wait_for()


def _start(page: Any, site: Site) -> None:
    _editor(page, site)
    page.get_by_test_id("block-start").locator(".block-title").click()
    page.locator("#inspector").wait_for()


def _palette(page: Any, site: Site) -> None:
    _editor(page, site)
    page.get_by_role("button", name="Блок", exact=True).click()


def _picker(page: Any, site: Site) -> None:
    _inspector(page, site)
    field = page.locator("#inspector .field").filter(has=page.locator("[data-path=text]"))
    field.get_by_role("button", name="Вставить значение").click()
    page.locator(".picker").wait_for()


def _dry_run(page: Any, site: Site) -> None:
    _editor(page, site)
    _head(page).get_by_role("button", name="Проверить").click()
    whole = page.locator("#example option").filter(has_text="Анна").first
    page.locator("#example").select_option(value=whole.get_attribute("value"))
    page.locator(".side-pane").get_by_role("button", name="Проверить").click()
    page.get_by_test_id("trace").wait_for()


def _waiting(page: Any, site: Site) -> None:
    _editor(page, site)
    _head(page).get_by_role("button", name="Проверить").click()
    page.get_by_role("tab", name="Ждать настоящий").click()


def _to_me(page: Any, site: Site) -> None:
    _editor(page, site)
    _head(page).get_by_role("button", name="Проверить").click()
    page.get_by_role("tab", name="Отправить себе").click()


def _publish(page: Any, site: Site) -> None:
    _inspector(page, site)
    page.locator("#inspector [data-path=text]").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" Ждём вас.")
    _head(page).get_by_role("button", name="Сохранить и включить").click()
    page.get_by_role("dialog").wait_for()
    page.wait_for_load_state("networkidle")


def _menu(page: Any, site: Site) -> None:
    _editor(page, site)
    page.get_by_role("button", name="Ещё", exact=True).click()


def _versions(page: Any, site: Site) -> None:
    _menu(page, site)
    page.get_by_role("button", name=re.compile("^Версии")).click()
    page.wait_for_load_state("networkidle")


def _run(page: Any, site: Site) -> None:
    run = site.at.read("/runs?status=failed")["items"][0]
    page.goto(f"/scenarios/{run['scenario']}?run={run['id']}")
    page.get_by_test_id("trace").wait_for()


def _plan(page: Any, _site: Site) -> None:
    page.goto("/undelivered/plan", wait_until="networkidle")


def _more(page: Any, _site: Site) -> None:
    page.goto("/undelivered", wait_until="networkidle")
    page.locator(".undelivered summary").first.click()


def _line_form(page: Any, _site: Site) -> None:
    page.goto("/lines/new?channel=whatsapp", wait_until="networkidle")


def _search(page: Any, _site: Site) -> None:
    page.goto("/", wait_until="networkidle")
    page.keyboard.press("Control+k")
    page.locator("dialog.search #found a").first.wait_for()
    page.keyboard.type("заказ")
    page.wait_for_load_state("networkidle")


MOMENTS = (
    Moment("editor-start", _start),
    Moment("editor-message", _inspector),
    Moment("editor-palette", _palette),
    Moment("editor-picker", _picker),
    Moment("editor-dry-run", _dry_run),
    Moment("editor-waiting", _waiting),
    Moment("editor-to-me", _to_me),
    Moment("editor-publish", _publish),
    Moment("editor-menu", _menu),
    Moment("editor-versions", _versions),
    Moment("editor-run", _run),
    Moment("undelivered-plan", _plan),
    Moment("undelivered-more", _more),
    Moment("line-form", _line_form),
    Moment("search-open", _search),
)
