"""A document from a file: its blocks are taken, the scenario's name stays."""

from typing import Any

import pytest

from tests.browser.site import Site
from tests.browser.test_editor import drawn, saved, show, stored, text_of
from tests.journeys.installation import LINE, Scenario
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
__all__ = ["drawn"]

FILE = f"""# written by hand
blocks:
- {{id: start, type: incoming_webhook}}
- id: greet
  type: send_message
  config:
    chat_id: "7"
    line: {LINE}
    text: |-
      Кто:
      name: {{{{name}}}}
links: [{{from: start, port: next, to: greet}}]
"name": >-
  Совсем
  другой
format: 1
"""


def test_a_file_brings_its_blocks_and_leaves_the_name_however_it_is_written(
    site: Site, drawn: Scenario, page: Any
) -> None:
    show(page, drawn)
    page.get_by_role("button", name="Ещё", exact=True).click()
    file = {"name": "order.yaml", "mimeType": "application/yaml", "buffer": FILE.encode()}
    page.locator(".more-list input[type=file]").set_input_files([file])
    page.get_by_text("Загружено из файла").wait_for()
    saved(page)
    kept = stored(site, drawn)
    assert (kept["name"], text_of(kept)) == ("Заказ", "Кто:\nname: {{name}}")
    page.locator(".editor-head").get_by_role("button", name="Отменить", exact=True).click()
    wait_until(lambda: text_of(stored(site, drawn)) == "Заказ готов ", within_s=20, what="what was drawn before")
