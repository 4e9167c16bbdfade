"""A scenario that deals start, drawn on a simulated portal: by the portal's own names and cards, with clicks only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from hub.accounts import users
from hub.bitrix24 import fields
from hub.delivery import lines
from hub.sandbox.server import Sandbox
from hub.scenarios import versions
from hub.scenarios.document import to_dict
from hub.settings import Settings
from tests.bitrix24 import conftest as bitrix24
from tests.bitrix24.conftest import Connected, bitrix24_environment, control
from tests.browser.looking import cut_off, violations
from tests.browser.site import PASSWORD, Site, serve_site
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
settings, simulator, connected = bitrix24.settings, bitrix24.simulator, bitrix24.connected
_simulator = bitrix24._simulator
STAGE = "PREPARATION"


@pytest.fixture
def shop(browser: Any, settings: Settings, sandbox: Sandbox, connected: Connected, tmp_path: Path) -> Iterator[Site]:
    """A product that is connected with a portal and has one line; `olga` of the portal may sign in."""
    with connected.hub.db.write() as session:
        users.create_user(session, connected.portal_id, email="olga@shop.test", password=PASSWORD, role="editor")
        config = {"token": "EAA-simulated", "phone_number_id": "1122", "api_url": f"{sandbox.url}/graph"}
        lines.create(session, connected.hub, connected.portal_id, name="Продажи", channel="whatsapp", config=config)
    with serve_site(browser, settings, sandbox, tmp_path, **bitrix24_environment(settings)) as served:
        yield served
    assert served.complaints == [], served.complaints


def begin(shop: Site, **options: Any) -> Any:
    """The editor, opened by the card «Сообщение при смене стадии»."""
    page = shop.page("olga", **options)
    page.goto("/scenarios")
    page.get_by_role("button", name="Сообщение при смене стадии").click()
    page.get_by_test_id("block-start").wait_for()
    return page


def stored(connected: Connected, page: Any) -> tuple[bool, dict[str, Any]]:
    """Whether the scenario in sight is on, and the config of its start block."""
    number = int(page.url.rpartition("/")[2])
    with connected.hub.db.read() as session:
        scenario = versions.get(session, connected.portal_id, number)
        document: Any = to_dict(versions.document_of(versions.version(session, scenario)))
        return scenario.enabled, document["blocks"][0]["config"]


def test_a_deal_that_comes_to_a_stage_writes_to_its_customer_after_a_few_clicks_and_no_typing(
    shop: Site, connected: Connected
) -> None:
    deal = control(
        connected.simulator, "card", do="add", entityTypeId=2, id=0, fields={"TITLE": "Шкаф", "STAGE_ID": STAGE}
    )
    known = fields.catalogue(connected.bitrix24, connected.portal_id, "deal")
    page = begin(shop, viewport={"width": 1280, "height": 900})
    inspector = page.locator("#inspector")
    inspector.get_by_text("Выберите стадию, на которую переходит карточка.").wait_for()
    inspector.get_by_label("Стадия", exact=True).select_option(known.stages[STAGE]["name"])
    inspector.get_by_role("radio", name=f"Шкаф № {deal['id']}").wait_for()
    page.get_by_test_id("block-start").get_by_text(known.stages[STAGE]["name"]).wait_for()

    page.get_by_test_id("block-message").locator(".block-title").click()
    page.locator("#inspector").get_by_role("img", name="работает").wait_for()
    page.locator("#inspector [data-path=chat_id] .chip").get_by_text("телефон клиента").wait_for()

    page.get_by_role("button", name="Сохранить и включить").click()
    page.get_by_role("dialog").get_by_role("button", name="Сохранить и включить").click()
    page.get_by_role("dialog").wait_for(state="detached")
    enabled, config = stored(connected, page)
    assert enabled
    assert config == {"entity": "deal", "on": "stage", "stage": STAGE}


def test_fields_of_the_portal_are_chosen_by_their_names(shop: Site, connected: Connected) -> None:
    page = begin(shop, viewport={"width": 1280, "height": 900})
    inspector = page.locator("#inspector")
    inspector.get_by_label("Что происходит").select_option("изменилось поле")
    inspector.get_by_label("Стадия", exact=True).wait_for(state="detached")
    group = inspector.get_by_role("group", name="За какими полями следить")
    group.get_by_role("button", name="Добавить").click()
    title = fields.catalogue(connected.bitrix24, connected.portal_id, "deal").fields["OPPORTUNITY"].title
    group.get_by_role("option", name=f"{title} OPPORTUNITY").click()
    wait_until(lambda: stored(connected, page)[1].get("fields") == ["OPPORTUNITY"], within_s=20, what="the field")
    assert group.locator(".name").inner_text().strip() == title


def test_the_field_of_a_mapping_is_chosen_by_its_name_the_customers_fields_too(
    shop: Site, connected: Connected
) -> None:
    page = begin(shop, viewport={"width": 1280, "height": 900})
    page.evaluate(
        """async () => {
          const address = "/api/v1" + location.pathname;
          const drawn = await (await fetch(address + "/document?format=json")).json();
          drawn.blocks[0].config.mapping = [{ variable: "sum", field: "OPPORTUNITY" }];
          const how = { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(drawn) };
          if (!(await fetch(address + "?draft=true", how)).ok) throw new Error("not saved");
        }"""
    )
    page.reload()
    page.get_by_test_id("block-start").locator(".block-title").click()
    row = page.locator("#inspector").get_by_role("group", name="Строка 1")
    title = fields.catalogue(connected.bitrix24, connected.portal_id, "deal").fields["OPPORTUNITY"].title
    row.get_by_role("button", name=f"Поле CRM: {title}").click()
    name = fields.catalogue(connected.bitrix24, connected.portal_id, "contact").fields["NAME"].title
    row.get_by_label("Найти").fill("CONTACT.NAME")
    row.get_by_role("option", name=f"Контакт · {name}").first.click()
    chosen = [{"variable": "sum", "field": "CONTACT.NAME"}]
    wait_until(lambda: stored(connected, page)[1].get("mapping") == chosen, within_s=20, what="the field")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_of_a_card_can_be_used_by_everybody_at_every_width(shop: Site, scheme: str) -> None:
    page = begin(shop, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page.get_by_test_id("block-start").locator(".block-title").click()
    page.locator("#inspector").get_by_label("Стадия", exact=True).wait_for()
    found = [*violations(page)]
    for width in (360, 700, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{width}: {one}" for one in cut_off(page)]
    assert found == []


def test_chips_and_blocks_name_the_fields_of_cards_and_results_as_people_do_with_the_path_on_hover(
    shop: Site, connected: Connected
) -> None:
    titles = {
        entity: fields.catalogue(connected.bitrix24, connected.portal_id, entity) for entity in ("deal", "contact")
    }
    page = begin(shop, viewport={"width": 1280, "height": 900})
    page.get_by_test_id("block-message").locator(".block-title").click()
    field = page.locator("#inspector [data-path=text]")
    field.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("{{bitrix.deal.TITLE}} {{client_name}} {{const.address}}")
    deal = f"Сделка · {titles['deal'].fields['TITLE'].title}"
    client = f"Контакт · {titles['contact'].fields['NAME'].title}"
    expect(field.locator(".chip")).to_have_text([deal, client, "Константа · address"])
    assert field.locator(".chip").first.get_attribute("title") == "{{bitrix.deal.TITLE}}"
    expect(page.get_by_test_id("block-message").locator(".block-summary")).to_contain_text(f"‹{deal}› ‹{client}›")
