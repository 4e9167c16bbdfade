"""Trying a scenario out in the editor: what is sent to oneself, and what stands where something is empty."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looking import cut_off, violations
from tests.browser.site import Site
from tests.browser.test_editor import drawn, show, stored, text_of
from tests.journeys.installation import Scenario, answer, new_chat, send
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
__all__ = ["drawn"]


def own_numbers(site: Site, *numbers: str) -> None:
    assert site.at.api("PATCH", "/portals/local", {"own_numbers": list(numbers)}).status_code == 200


def open_to_me(page: Any) -> Any:
    """The pane for what is sent to oneself."""
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    page.get_by_role("tab", name="На примере").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    return page.get_by_role("tabpanel", name="Отправить себе")


def test_the_next_real_request_is_shown_as_it_lands_becomes_the_example_and_runs_dry_on_the_drawing(
    site: Site, drawn: Scenario, page: Any
) -> None:
    assert site.at.api("PATCH", f"/scenarios/{drawn.id}", {"enabled": False}).status_code == 200
    site.at.post(drawn.short, {"chat_id": new_chat(), "city": "Тверь"})
    show(page, drawn)
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    asked: list[str] = []
    page.on("requestfinished", lambda request: asked.append(request.url) if request.url.endswith("/live") else None)
    page.get_by_role("tab", name="Ждать настоящий").click()
    pane = page.get_by_role("tabpanel", name="Ждать настоящий")
    pane.get_by_text("Ждём следующий запрос").wait_for()
    page.wait_for_event("requestfinished", lambda _: len(asked) >= 3)  # the line of state asks, too
    assert violations(page) == []
    assert pane.get_by_text("Тверь").count() == 0, "what had come before is not what is awaited"
    site.at.post(drawn.short, "test=test", kind="application/x-www-form-urlencoded")
    pane.get_by_text("Проверка связи пришла").wait_for()
    chat = new_chat()
    site.at.post(drawn.short, {"chat_id": chat, "city": "Казань"})
    pane.get_by_test_id("awaited").get_by_text("Пришёл").wait_for()
    page.get_by_test_id("run-step-greet").wait_for()
    pane.get_by_text(f"→ {chat}").wait_for()
    assert violations(page) == []
    for width in (360, 700, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert cut_off(page) == [], width
    assert site.at.received(chat) == [], "a test sends nothing"
    page.get_by_role("tab", name="На примере").click()
    chosen = page.get_by_label("Пример", exact=True).locator("option:checked")
    assert "Казань" in chosen.inner_text()
    page.get_by_role("tab", name="Ждать настоящий").click()
    pane.get_by_text("Ждём следующий запрос").wait_for()


def test_what_is_sent_to_oneself_arrives_at_the_own_numbers_and_a_refusal_is_shown(
    site: Site, drawn: Scenario, page: Any
) -> None:
    customer, mine, blocked = new_chat(), f"9{new_chat()[-9:]}", f"9{new_chat()[-9:-4]}0403"
    own_numbers(site, mine, blocked)
    site.at.post(drawn.short, {"chat_id": customer})
    site.at.received(customer, 1)
    show(page, drawn)
    pane = open_to_me(page)
    pane.get_by_role("button", name="Отправить себе").click()
    pane.get_by_test_id("sent-to-me").get_by_text("отправлено", exact=True).wait_for()
    pane.get_by_test_id("sent-to-me").get_by_text("не отправлено", exact=True).wait_for()
    assert violations(page) == []
    assert site.at.received(mine) == ["Заказ готов "]
    assert len(site.at.received(customer)) == 1, "the customer got nothing more"


def test_without_own_numbers_the_pane_leads_to_where_they_are_entered(site: Site, drawn: Scenario, page: Any) -> None:
    show(page, drawn)
    pane = open_to_me(page)
    pane.get_by_role("link", name="Вписать свои номера в настройках").wait_for()
    assert pane.get_by_role("button", name="Отправить себе").count() == 0
    for width in (360, 700, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert cut_off(page) == [], width


def test_an_empty_place_gets_a_text_of_its_own_or_keeps_the_message_back(
    site: Site, drawn: Scenario, page: Any
) -> None:
    doc = stored(site, drawn)
    doc["blocks"][1]["config"]["text"] = "{{name}}, заказ {{id}} готов"
    assert site.at.api("PUT", f"/scenarios/{drawn.id}", doc).status_code == 200
    site.at.post(drawn.short, {"chat_id": new_chat()})
    show(page, drawn)
    page.get_by_test_id("block-greet").locator(".block-title").click()
    field = page.locator("#inspector .field").filter(has=page.locator("[data-path=text]"))
    empty = field.locator(".given-empty")
    empty.nth(1).wait_for()
    assert empty.count() == 2
    empty.nth(1).get_by_role("button", name="не отправлять").click()
    field.get_by_text("Тогда сообщение не отправится.").wait_for()
    empty.nth(0).get_by_role("button", name="по умолчанию").click()
    editor = field.get_by_role("group", name="Как показать «имя клиента»")
    editor.get_by_label("Если пусто").wait_for()
    page.keyboard.type("Здравствуйте")
    assert violations(page) == []
    page.keyboard.press("Enter")
    field.get_by_test_id("preview").get_by_text("Здравствуйте, заказ готов").wait_for()
    written = "{{name | default: 'Здравствуйте'}}, заказ {{id}} готов"
    wait_until(lambda: text_of(stored(site, drawn)) == written, within_s=20, what="the saved draft")
    assert stored(site, drawn)["blocks"][1]["config"]["skip_if_empty"] == ["id"]
    page.get_by_role("button", name="Сохранить и включить").click()
    expect(page.get_by_role("dialog")).to_contain_text("С этим примером не отправится: id – пусто")


def test_a_click_on_a_chip_or_a_key_behind_it_changes_how_it_is_shown(site: Site, drawn: Scenario, page: Any) -> None:
    site.at.post(drawn.short, {"chat_id": new_chat()})
    show(page, drawn)
    page.get_by_test_id("block-greet").locator(".block-title").click()
    chat = page.locator("#inspector .field").filter(has=page.locator("[data-path=chat_id]"))
    chat.locator(".chip").click()
    chat.get_by_label("Как показать", exact=True).select_option("номер телефона")
    chat.get_by_role("button", name="Готово").click()
    changed = "{{chat_id | phone}}"
    wait_until(lambda: chat_of(site, drawn) == changed, within_s=20, what="the saved draft")
    page.keyboard.press("End")
    page.keyboard.press("F2")
    chat.get_by_role("button", name="Убрать").click()
    wait_until(lambda: chat_of(site, drawn) == "", within_s=20, what="the saved draft")


def test_half_a_name_is_no_mistake_while_the_rest_of_it_is_being_chosen(site: Site, drawn: Scenario, page: Any) -> None:
    show(page, drawn)
    page.get_by_test_id("block-greet").locator(".block-title").click()
    text = page.locator("#inspector [data-path=text]")
    text.click()
    with page.expect_response("**/scenarios/check"):
        page.keyboard.type("{{")
    page.locator(".picker").wait_for()
    page.locator(".block-problems").wait_for()
    expect(page.locator("#inspector .field-error")).to_have_count(0)
    expect(text).to_have_attribute("aria-invalid", "false")
    page.keyboard.press("Escape")
    expect(page.locator("#inspector .field-error")).to_have_count(1)
    expect(text).to_have_attribute("aria-invalid", "true")


def chat_of(site: Site, scenario: Scenario) -> str:
    """Whom the message goes to."""
    return str(stored(site, scenario)["blocks"][1]["config"]["chat_id"])


def test_before_publishing_and_after_a_test_a_message_stands_as_the_example_fills_it_with_what_is_empty_and_why(
    site: Site, page: Any
) -> None:
    site.at.add_line()
    made = site.at.scenario(send("Заказ {{number}} для {{client}} готов", "{{chat_id}}"), name="Заказ готов")
    site.at.post(made.short, {"chat_id": "7", "number": "N-15", "clients": "?"})
    assert site.at.api("PATCH", "/portals/local", {"quiet_hours": {"from": "21:00", "to": "09:00"}}).status_code == 200
    show(page, made)
    page.get_by_test_id("block-greet").locator(".block-title").click()
    page.get_by_test_id("preview").get_by_text("N-15").wait_for()
    page.get_by_role("button", name="Сохранить и включить").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".bubble")).to_have_text("Заказ N-15 для client – пусто готов")
    expect(dialog.locator(".given-empty")).to_contain_text("client – пусто: имени client нет")
    expect(dialog.get_by_text("Пример: 7")).to_be_visible()
    expect(dialog.get_by_text("21:00–09:00: сообщения ждут")).to_be_visible()
    expect(dialog.locator(".notice-wait")).to_contain_text("Может быть, «clients»?")
    assert violations(page) == []
    dialog.get_by_role("button", name="Показать").click()
    expect(page.get_by_role("complementary", name="Замечания")).to_contain_text("«client» здесь не известно")
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    page.locator(".side-pane").get_by_role("button", name="Проверить").click()
    expect(page.get_by_test_id("trace").locator(".bubble")).to_have_text("Заказ N-15 для client – пусто готов")
    expect(page.get_by_test_id("trace").locator(".given-empty")).to_contain_text("имени client нет")


def test_a_request_that_could_not_be_read_is_not_taken_as_the_example_before_one_that_could(
    site: Site, drawn: Scenario, page: Any
) -> None:
    site.at.post(drawn.short, {"chat_id": new_chat(), "city": "Тверь"})
    site.at.post(drawn.short, '{"chat_id": ')
    show(page, drawn)
    page.get_by_test_id("block-greet").locator(".block-title").click()
    page.get_by_test_id("preview").first.wait_for()
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    expect(page.get_by_label("Пример", exact=True).locator("option:checked")).to_contain_text("Тверь")


def test_a_check_of_the_connection_is_no_example_and_the_first_request_is_awaited_on(
    site: Site, drawn: Scenario, page: Any
) -> None:
    site.at.post(drawn.short, "test=test", kind="application/x-www-form-urlencoded")
    show(page, drawn)
    page.get_by_test_id("block-start").click()
    page.get_by_text("Ждём первый запрос").wait_for()
    expect(page.get_by_label("Пример", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Сохранить и включить").click()
    expect(page.get_by_role("dialog").get_by_text("Примера ещё нет")).to_be_visible()
    expect(page.get_by_role("dialog").locator(".given-empty")).to_have_count(0)


def test_after_a_test_nothing_scrolls_but_the_pane_titles_are_whole_and_states_stand_in_words(
    site: Site, page: Any
) -> None:
    site.at.add_line()
    steps = [send(f"Шаг {n}", "{{chat_id}}", block=f"step_{n}") for n in range(6)]
    made = site.at.scenario(*steps, answer(state="{{blocks.step_0.status}}"), name="Шесть шагов")
    site.at.post(made.short, {"chat_id": "7"})
    page.set_viewport_size({"width": 1280, "height": 850})
    show(page, made)
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    page.locator(".side-pane").get_by_role("button", name="Проверить").click()
    page.get_by_test_id("run-step-answer").wait_for()
    assert page.evaluate("document.documentElement.scrollHeight") == 850
    heights = page.get_by_role("tab").evaluate_all("tabs => tabs.map((tab) => tab.clientHeight)")
    assert max(heights) < 45, "each is one line"
    assert page.get_by_role("tablist").evaluate("e => e.scrollWidth <= e.clientWidth"), "and all are in sight"
    title = page.get_by_test_id("block-step_0").locator(".block-title")
    assert title.evaluate("e => e.scrollWidth <= e.clientWidth")
    expect(page.get_by_test_id("trace")).to_contain_text("отправлено (sent)")
    expect(page.get_by_test_id("trace")).to_contain_text("Проверка ничего не отправляет")


def test_a_run_of_the_journal_is_drawn_on_its_blocks_and_what_it_began_with_is_the_example(
    site: Site, drawn: Scenario, page: Any
) -> None:
    site.at.post(drawn.short, {"city": "Омск"})
    site.at.post(drawn.short, {"chat_id": new_chat(), "city": "Тверь"})
    failed = f"/runs?scenario={drawn.id}&status=failed"
    wait_until(lambda: bool(site.at.read(failed)["items"]), within_s=20, what="the failed run")
    page.goto(f"/journal/runs/{site.at.read(failed)['items'][0]['id']}")
    page.get_by_role("link", name="Исправить сценарий").click()
    pane = page.get_by_role("complementary", name="Запуск")
    expect(pane.get_by_text("ChatID пустой.").first).to_be_visible()
    expect(page.get_by_test_id("run-step-greet")).to_contain_text("упал")
    assert violations(page) == []
    for width in (360, 700, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert cut_off(page) == [], width
    page.get_by_test_id("block-greet").locator(".block-title").click()
    pane.get_by_role("button", name="Открыть блок").click()
    expect(page.locator("#inspector .given-empty").first).to_contain_text("chat_id")
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    expect(page.get_by_label("Пример", exact=True).locator("option:checked")).to_contain_text("Омск")
    page.goto(f"/scenarios/{drawn.id}?run=nothing-of-the-kind")
    page.get_by_test_id("block-start").wait_for()
    expect(page.get_by_role("complementary", name="Запуск")).to_have_count(0)
