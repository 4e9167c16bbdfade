"""The first page: numbers of today, what is out of order, and the last runs in words."""

import re
from typing import Any

import pytest

from hub.core import Hub
from hub.portals.models import Portal
from tests.conftest import Api
from tests.web.documents import LINE, document
from tests.web.people import sign_in


@pytest.fixture
def reader(hub: Hub, portal: Portal, client: Any) -> Any:
    """Somebody who may look and not change, signed in."""
    return sign_in(hub, portal, client, "viewer")


def test_the_overview_of_a_new_installation_names_the_one_next_step(reader: Any, api: Api) -> None:
    assert "Подключите первую линию" in reader.get("/?lang=ru").text
    assert api.post("/lines", LINE).status_code == 201
    assert "Create the first scenario" in reader.get("/?lang=en").text
    assert api.post("/scenarios", document()).status_code == 201
    assert "Ещё ничего не запускалось" in reader.get("/?lang=ru").text


def test_runs_that_need_no_line_are_shown_beside_the_next_step(reader: Any, api: Api, client: Any) -> None:
    drawn = document()
    drawn["blocks"][1] = {"id": "greet", "type": "return_result", "config": {"values": {"id": "{{id}}"}}}
    made = api.post("/scenarios", drawn).json
    client.post(made["links"]["token_only"].removeprefix("https://hub.test"), json={"chat_id": "7", "id": "1"})
    page = reader.get("/?lang=ru").text
    assert "Подключите первую линию" in page
    assert "Последние запуски" in page


def test_each_number_of_the_overview_leads_to_the_rows_that_it_counts(reader: Any, api: Api, client: Any) -> None:
    api.post("/lines", LINE)
    link = api.post("/scenarios", document()).json["links"]["token_only"].removeprefix("https://hub.test")
    for number in range(3):
        assert client.post(link, json={"chat_id": "79991234567", "id": number}).status_code == 200
    tiles = re.findall(r'class="tile" href="([^"]+)"><span class="tile-number">(\d+)<', reader.get("/?lang=ru").text)
    assert [int(count) for _, count in tiles] == [3, 0, 3, 0]
    for address, count in tiles:
        assert reader.get(address.replace("&amp;", "&")).text.count("row-link") == int(count), address


def test_the_last_runs_say_to_whom_they_write_and_why_one_failed(reader: Any, api: Api, client: Any) -> None:
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).json
    link = made["links"]["token_only"].removeprefix("https://hub.test")
    assert client.post(link, json={"chat_id": "79991234567", "id": "1042"}).status_code == 200
    assert client.post(link, json={"id": "1043"}).status_code == 200
    page = reader.get("/?lang=ru").text
    assert "79991234567" in page
    assert "ChatID пустой." in page
    assert page.index("ChatID пустой.") < page.index("79991234567")
