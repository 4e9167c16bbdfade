"""The list of scenarios as it is looked at, in the portal's frame and elsewhere."""

import pytest
from sqlalchemy import text

from tests.browser.looking import cut_off
from tests.browser.site import Site
from tests.journeys.installation import send

pytestmark = pytest.mark.databases("sqlite")
LONG = "ekaterina.konstantinopolskaya@mebel-i-kuhni-na-zakaz.example.ru"


@pytest.mark.parametrize("width", [360, 700, 1280])
def test_the_last_change_is_one_line_and_whoever_made_it_stays_inside_the_card(site: Site, width: int) -> None:
    site.at.add_line()
    site.at.scenario(send("Заказ готов", "{{chat_id}}"), name="Сообщение при смене стадии")
    with site.hub.db.write() as session:
        session.connection().execute(text("UPDATE scenario_version SET saved_by = :by"), {"by": LONG})
    page = site.page("editor", viewport={"width": width, "height": 900})
    page.goto("/scenarios")
    changed = page.locator(".scenario-changed")
    assert changed.locator(".nowrap").evaluate("e => e.getClientRects().length") == 1
    panel, author = (one.bounding_box() for one in (page.locator(".panel").first, changed.locator(".row-sub")))
    assert author["x"] + author["width"] <= panel["x"] + panel["width"]
    assert cut_off(page) == []


def test_a_link_without_fields_says_what_it_takes_on_its_block(site: Site) -> None:
    site.at.add_line()
    made = site.at.scenario(send("Заказ готов", "{{body.chat}}"), name="Без полей", fields=[])
    page = site.page("editor", viewport={"width": 1280, "height": 850})
    page.goto(f"/scenarios/{made.id}")
    page.get_by_test_id("block-start").get_by_text("Берёт всё, что придёт в запросе").wait_for()
