"""What failed at night and is put right in the morning, in a browser: counted in clicks, and looked at."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.filled import fill
from tests.browser.looking import cut_off, violations
from tests.browser.site import Site
from tests.journeys.installation import answer, document, new_chat, send

pytestmark = pytest.mark.databases("sqlite")
SIZES = (360, 700, 1280, 1920)


class Clicks:
    """Clicks, counted."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, target: Any) -> None:
        self.count += 1
        target.click()


def test_what_did_not_arrive_is_sent_again_by_three_clicks_from_the_overview(site: Site, page: Any) -> None:
    at = site.at
    at.add_line(rate_per_s=0, rate_per_chat_per_s=0)
    made = at.scenario(send("Заказ {{id}} готов", "{{chat_id}}"), answer(sent="yes"))
    chats = [new_chat() for _ in range(3)]
    for number, chat in enumerate(chats):
        at.fault("status", chat, status=413)
        at.post(made.short, {"chat_id": chat, "id": 1042 + number})
    failed = [at.message(at.messages_to(chat)[0]["id"], "failed") for chat in chats]
    click = Clicks()
    page.goto("/", wait_until="networkidle")
    click(page.locator("a.tile[href='/undelivered']"))
    expect(page.get_by_text("Файл слишком большой").first).to_be_visible()
    click(page.get_by_test_id("send-all"))
    expect(page.get_by_test_id("plan")).to_have_text("3 сообщения")
    click(page.get_by_test_id("send"))
    expect(page.get_by_text("3 сообщения снова в пути.")).to_be_visible()
    assert click.count <= 3
    for number, (chat, message) in enumerate(zip(chats, failed, strict=True)):
        assert at.received(chat, 1) == [f"Заказ {1042 + number} готов"]
        at.message(message["id"], "sent")
    page.goto("/undelivered", wait_until="networkidle")
    expect(page.get_by_role("heading", name="Пусто. Так и должно быть")).to_be_visible()


def test_those_that_are_ticked_are_looked_over_and_one_goes_to_a_number_put_right(site: Site, page: Any) -> None:
    fill(site.at, requests=2)
    page.goto("/undelivered", wait_until="networkidle")
    many = page.get_by_role("button", name="Отмеченные…")
    expect(many).to_be_disabled()
    page.get_by_label("Отметить сообщение").first.check()
    many.click()
    expect(page.get_by_test_id("plan")).to_have_text("1 сообщение")
    page.get_by_role("link", name="Отмена").click()
    wrong = page.locator(".undelivered").filter(has_text="Чат не найден").first
    wrong.locator("summary").click()
    right = new_chat()
    wrong.get_by_label("Номер или ID получателя").fill(right)
    wrong.get_by_role("button", name="Отправить так").click()
    expect(page.get_by_text("1 сообщение снова в пути.")).to_be_visible()
    assert len(site.at.received(right, 1)) == 1


def test_runs_that_had_nobody_to_write_to_run_again_after_the_scenario_was_put_right(site: Site, page: Any) -> None:
    at = site.at
    at.add_line(rate_per_s=0, rate_per_chat_per_s=0)
    made = at.scenario(send("Заказ {{id}} готов", "{{chat_id}}"), name="Заказ готов")
    for number in range(3):
        assert at.post(made.short, {"id": 1042 + number, "name": "Анна"}).status_code == 200
    page.goto("/", wait_until="networkidle")
    page.locator("a.tile[href='/undelivered']").click()
    expect(page.get_by_test_id("runs-chat_id_empty")).to_contain_text("Некому писать: ChatID пустой")
    page.get_by_role("link", name="Где упал").first.click()
    expect(page.locator("#failed details")).to_have_attribute("open", "")
    expect(page.locator("#failed")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Исправить сценарий")).to_be_visible()

    chat = new_chat()
    mended = document(send("Заказ {{id}} готов", chat), name="Заказ готов")
    assert at.api("PUT", f"/scenarios/{made.id}", mended).status_code == 200
    page.goto("/undelivered", wait_until="networkidle")
    page.get_by_test_id("runs-chat_id_empty").get_by_role("link", name="Выполнить снова…").click()
    expect(page.get_by_test_id("plan")).to_have_text("3 запуска")
    page.get_by_test_id("run-again").click()
    expect(page.get_by_text("3 запуска продолжаются.")).to_be_visible()
    assert sorted(at.received(chat, 3)) == ["Заказ 1042 готов", "Заказ 1043 готов", "Заказ 1044 готов"]
    page.goto("/undelivered", wait_until="networkidle")
    expect(page.get_by_role("heading", name="Пусто. Так и должно быть")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_undelivered_and_lines_can_be_used_by_everybody_at_every_width(site: Site, scheme: str) -> None:
    fill(site.at, requests=2)
    refused = next(one["id"] for one in site.at.read("/lines")["items"] if one["name"] == "Склад")
    page: Any = site.page(color_scheme=scheme)
    addresses = {
        "undelivered": "/undelivered",
        "plan": "/undelivered/plan",
        "runs": "/undelivered/runs",
        "lines": "/lines",
        "new": "/lines/new",
        "form": "/lines/new?channel=whatsapp",
        "line": f"/lines/{site.at.line}",
        "refused": f"/lines/{refused}",
    }
    found = []
    for name, address in addresses.items():
        page.goto(address, wait_until="networkidle")
        for summary in page.locator("main summary").all():
            summary.click()
        for width in SIZES:
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{name} at {width}: {one}" for one in cut_off(page)]
        found += [f"{name}: {one}" for one in violations(page)]
    assert found == []
