"""Running a run or a request again, in a browser: every choice can be read, and what goes out twice is asked first."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looking import clipped_choices, cut_off
from tests.browser.site import Site
from tests.journeys.installation import document, new_chat, send

pytestmark = pytest.mark.databases("sqlite")
WIDTHS = (360, 700, 1280)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_choice_of_running_again_is_shown_whole_at_every_width(site: Site, page: Any, language: str) -> None:
    at = site.at
    at.add_line(rate_per_s=0, rate_per_chat_per_s=0)
    made = at.scenario(
        send("Первое", new_chat(), block="first"), send("Заказ {{id}}", "{{chat_id}}"), name="Заказ готов"
    )
    run = at.post(made.short, {"id": 1042}).json()["run"]
    request = at.read(f"/runs/{run}")["request"]
    changed = document(send("Заказ {{id}} готов", "{{chat_id}}"), name="Заказ готов")
    assert at.api("PUT", f"/scenarios/{made.id}", changed).status_code == 200
    found = []
    for address in (f"/journal/runs/{run}", f"/journal/requests/{request}", f"/undelivered/runs?run={run}"):
        page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}", wait_until="networkidle")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{address} at {width}: {one}" for one in (*clipped_choices(page), *cut_off(page))]
    assert found == []


def test_a_run_that_begins_anew_asks_first_when_somebody_would_get_a_message_twice(site: Site, page: Any) -> None:
    at = site.at
    at.add_line(rate_per_s=0, rate_per_chat_per_s=0)
    chat = new_chat()
    made = at.scenario(send("Первое", chat, block="first"), send("Заказ {{id}}", "{{chat_id}}"), name="Заказ готов")
    run = at.post(made.short, {"id": 1042}).json()["run"]
    assert at.received(chat, 1) == ["Первое"]
    page.goto(f"/journal/runs/{run}", wait_until="networkidle")
    page.get_by_label("Откуда").select_option("start")
    page.get_by_role("button", name="Продолжить", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="1 сообщение ушло бы второй раз.")).to_be_visible()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert clipped_choices(page) == []
    page.locator("#messages").select_option("all")
    page.get_by_role("button", name="Всё равно выполнить").click()
    # The second block fails again, before the page is drawn or after.
    expect(page.get_by_text(re.compile("Запуск продолж(ается|или)"))).to_be_visible()
    assert at.received(chat, 2) == ["Первое", "Первое"]
