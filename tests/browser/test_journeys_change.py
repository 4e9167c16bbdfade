"""What is changed without fear and taken back, and robots that are answered: in the portal's frame, counted."""

import re

import pytest
from playwright.sync_api import expect

from tests.bitrix24.conftest import control
from tests.browser import shop as fixtures
from tests.browser.counted import Counted
from tests.browser.shop import DEAL, Shop
from tests.journeys.installation import Scenario, answer, new_chat, send
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
shop, settings = fixtures.shop, fixtures.settings
simulator, _simulator = fixtures.simulator, fixtures._simulator
MOST_CLICKS_BACK = 2
STAGE = "PREPARATION"


def text_sent(shop: Shop, scenario: Scenario) -> str:
    """What a new customer gets now."""
    chat = new_chat()
    shop.site.at.run(shop.site.at.post(scenario.short, {"chat_id": chat, "id": 7}))
    (text,) = shop.site.at.received(chat, 1)
    return text


def test_a_change_is_compared_published_and_taken_back_by_two_clicks(shop: Shop) -> None:
    shop.add_line("telegram")
    made = shop.site.at.scenario(send("Заказ {{id}} готов", "{{chat_id}}"), name="Заказ готов")
    assert text_sent(shop, made) == "Заказ 7 готов"
    person = shop.install(shop.desk())
    frame = person.place
    person.press(frame.get_by_role("link", name="Сценарии", exact=True))
    person.press(frame.get_by_role("link", name="Заказ готов", exact=True))
    person.open_block("greet")
    person.write(frame.locator("#inspector [data-path=text]"), ", ждём вас")
    expect(frame.locator(".editor-state-saved")).to_contain_text("черновик")
    assert text_sent(shop, made) == "Заказ 7 готов", "a draft touches nothing that runs"
    person.press(frame.locator(".editor-head").get_by_role("button", name="Сохранить и включить"))
    dialog = frame.get_by_role("dialog")
    expect(dialog.get_by_text("2 из 2 сообщений изменятся")).to_be_visible()
    expect(dialog.locator("ins").first).to_have_text("Заказ 7 готов, ждём вас")
    person.press(dialog.get_by_role("button", name="Опубликовать"))
    dialog.wait_for(state="detached")
    assert text_sent(shop, made) == "Заказ 7 готов, ждём вас"

    person.press(frame.get_by_role("link", name="Обзор"))
    back = Counted(person.page, frame)
    back.press(frame.locator(".rows .row-link").first)
    back.press(frame.get_by_role("button", name="Вернуть версию 1"))
    expect(frame.get_by_text("Новые запросы снова выполняет версия 1.")).to_be_visible()
    print(f"from the overview to the version before: {back.clicks} clicks")
    assert back.clicks <= MOST_CLICKS_BACK
    assert text_sent(shop, made) == "Заказ 7 готов"


def test_a_robot_that_waits_gets_numbers_and_texts_and_the_next_robot_uses_them(shop: Shop) -> None:
    page = shop.desk()
    shop.install(page)
    robot = _robot(shop)
    update = {"kind": "update", "properties": {"COMMENTS": "Скидка {=result:discount}"}}
    asked = {"kind": "robot", "code": robot, "properties": {"amount": "{=Document:OPPORTUNITY}"}, "timeout_s": 60}
    control(shop.simulator, "robots", stage=STAGE, steps=[asked, update])
    page.goto(f"{shop.portal_url}/")
    page.get_by_label("Стадия сделки 1", exact=True).select_option(STAGE)
    expect(page.locator("#processes")).to_contain_text("completed", timeout=30_000)
    (process,) = shop.state()["processes"]
    (given,) = process["results"].values()
    named = {name.lower(): value for name, value in given.items()}
    assert (named["discount"], type(named["discount"])) == (1250.0, float)
    assert re.sub(r"\s", " ", named["words"]) == "Скидка 1 250 ₽"
    assert shop.read_card(DEAL, 1)["card"]["COMMENTS"] == "Скидка 1250.0"

    page.click("#open")
    frame = page.frame_locator("#app")
    frame.locator(".rows .row-link").first.click()
    expect(frame.get_by_role("heading", name="Посчитать скидку")).to_be_visible()
    expect(frame.locator("[aria-labelledby=result]")).to_contain_text("1250")


def _robot(shop: Shop) -> str:
    """A scenario that a robot starts, once the portal has it among its robots; its code there."""
    fields = [{"name": "amount", "title": "Сумма", "type": "double"}]
    start = {"title": "Скидка", "wait": True, "timeout_s": 60, "inputs": fields}
    values = {"discount": "{{amount | times: 0.1}}", "words": "Скидка {{amount | times: 0.1 | money: 'RUB'}}"}
    give = answer(**values)
    give["config"]["types"] = {"discount": "number", "words": "string"}
    document = {
        "format": 1,
        "name": "Посчитать скидку",
        "blocks": [{"id": "start", "type": "bitrix24_robot", "config": start}, give],
        "links": [{"from": "start", "port": "next", "to": "answer"}],
    }
    made = shop.site.at.api("POST", "/scenarios", document).json()
    assert shop.site.at.api("PATCH", f"/scenarios/{made['id']}", {"enabled": True}).status_code == 200
    code = f"hub_{made['id']}"

    def there() -> bool:
        found = [row["code"] for one in shop.state()["portals"][0]["installations"] for row in one["activities"]]
        return code in found

    wait_until(there, within_s=30, every_s=0.2, what="the robot among the portal's")
    return code
