"""The way through the product inside the portal's frame, with a look at each place."""

import re
from collections.abc import Callable
from typing import Any

from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from tests.browser.shop import Shop
from tests.processes import wait_until


def walk(shop: Shop, scheme: str, look: Callable[[Any, str], None]) -> None:
    """Install, begin with the card for deals, try it, switch it on, move a deal; `look` gets the page and a name at
    each place."""
    shop.add_line()
    page = shop.desk(color_scheme=scheme)
    person = shop.install(page, lambda: look(page, "installing"))
    frame = person.place
    look(page, "begin")
    frame.get_by_role("button", name=re.compile("^Сообщение при смене стадии")).click()
    frame.get_by_test_id("block-start").wait_for()
    page.set_viewport_size({"width": 1280, "height": 900})
    person.open_block("start")
    person.choose(frame.get_by_label("Стадия", exact=True), "Успешна")
    frame.locator("#inspector").get_by_text("Заказ 1001").first.wait_for()
    look(page, "stage")
    page.set_viewport_size({"width": 1280, "height": 900})
    person.open_block("message")
    frame.locator("[data-testid=preview].bubble").wait_for()
    look(page, "message")
    page.set_viewport_size({"width": 1280, "height": 900})
    frame.locator(".editor-head").get_by_role("button", name="Сохранить и включить").click()
    dialog = frame.get_by_role("dialog")
    dialog.wait_for()
    look(page, "publish")
    dialog.get_by_role("button", name="Сохранить и включить").click()
    dialog.wait_for(state="detached")
    shop.move(1, "WON")
    wait_until(lambda: len(shop.messages("whatsapp")) == 1, within_s=30, what="the message")
    page.set_viewport_size({"width": 1280, "height": 900})
    for name in ("Обзор", "Поля CRM", "Настройки"):
        frame.get_by_role("link", name=name, exact=True).click()
        frame.get_by_role("heading", name=name, level=1).wait_for()
        look(page, {"Обзор": "overview", "Поля CRM": "fields", "Настройки": "settings"}[name])
        page.set_viewport_size({"width": 1280, "height": 900})
    frame.get_by_role("link", name="Битрикс24", exact=True).click()
    frame.locator("main h2").first.wait_for()
    look(page, "bitrix24")
    page.goto(f"{shop.portal_url}/app/{DEMO_CLIENT_ID}/?user=1&placement=CRM_DEAL_DETAIL_TAB&ID=1")
    page.frame_locator("#app").locator("#history").wait_for()
    look(page, "deal-tab")
