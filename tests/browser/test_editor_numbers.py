"""Numbers in the editor: they are kept as they were written, in documents and in examples, typed or pasted."""

from typing import Any

import pytest
import requests

from tests.browser.site import Site
from tests.browser.test_editor import drawn, saved, show
from tests.journeys.installation import LINE, Scenario
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
__all__ = ["drawn"]

DOCUMENT = """{"format": 1, "name": "Цены", "blocks": [
  {"id": "start", "type": "incoming_webhook", "config": {"fields": ["price"]}},
  {"id": "prices", "type": "set_variable",
   "config": {"variables": [{"name": "all", "value": {"sum": 1.10, "n": 1e5}}]}},
  {"id": "greet", "type": "send_message",
   "config": {"chat_id": "7", "line": "%s", "text": "{{price}} из {{all.sum}}, {{all.id}}"}}],
 "links": [{"from": "start", "port": "next", "to": "prices"}, {"from": "prices", "port": "next", "to": "greet"}]}"""


def raw(site: Site, scenario: Scenario, form: str) -> str:
    """The newest version as its text, `json` or `yaml`."""
    address = f"{site.url}/api/v1/scenarios/{scenario.id}/document?format={form}"
    return requests.get(address, headers={"Authorization": site.at.key}, timeout=10).text


def test_numbers_that_are_typed_or_passed_on_are_saved_exported_and_tried_as_they_were_written(
    site: Site, drawn: Scenario, page: Any
) -> None:
    headers = {"Authorization": site.at.key, "Content-Type": "application/json"}
    address = f"{site.url}/api/v1/scenarios/{drawn.id}"
    assert requests.put(address, (DOCUMENT % LINE).encode(), headers=headers, timeout=10).status_code == 200
    show(page, drawn)
    page.get_by_test_id("block-prices").locator(".block-title").click()
    value = page.locator("#inspector textarea[data-path='variables[0].value']")
    assert value.input_value().split() == ["{", '"sum":', "1.10,", '"n":', "1e5", "}"]
    value.fill('{"sum": 2.50, "n": 1e5, "id": 12345678901234567890}')
    wait_until(lambda: "12345678901234567890" in raw(site, drawn, "json"), within_s=20, what="the saved draft")
    saved(page)
    for form in ("json", "yaml"):
        kept = raw(site, drawn, form).replace('"', "").replace(" ", "")
        assert [part in kept for part in ("sum:2.50", "n:1e5", "id:12345678901234567890")] == [True] * 3, kept

    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    page.get_by_label("Написать пример вручную").check()
    page.get_by_label("Пример в JSON").fill('{"price": 150000.00}')
    page.locator(".side-pane").get_by_role("button", name="Проверить").click()
    page.get_by_test_id("trace").get_by_text("150000.00 из 2.50, 12345678901234567890").first.wait_for()
