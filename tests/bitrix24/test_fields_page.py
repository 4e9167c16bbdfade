"""The page “CRM fields”: rows change one at a time, and what cannot be kept is told at once."""

from typing import Any

import pytest

from hub.accounts import users
from hub.bitrix24 import mappings
from hub.bitrix24.field_values import variable_for
from hub.scenarios.mapping_row import MappingRow
from tests.bitrix24.conftest import Connected, Simulator, control

PASSWORD = "correct horse"
OWN = {"Sec-Fetch-Site": "same-origin"}


def sign_in(client: Any, connected: Connected, role: str) -> Any:
    with connected.hub.db.write() as session:
        email = f"{role}@shop.test"
        users.create_user(session, connected.portal_id, email=email, password=PASSWORD, role=role)
    assert client.post("/login", data={"email": email, "password": PASSWORD}, headers=OWN).status_code == 303
    return client


@pytest.fixture
def olga(client: Any, connected: Connected) -> Any:
    """A browser of an editor of the portal."""
    return sign_in(client, connected, "editor")


def rows(connected: Connected, entity: str = "deal") -> dict[str, MappingRow]:
    with connected.hub.db.sql() as sql:
        return {row.variable: row for row in mappings.rows_of(sql, connected.portal_id, entity)}


def test_a_variable_takes_another_name_form_and_choice(olga: Any, connected: Connected) -> None:
    wanted = {"variable": "телефон", "format": "text", "pick": "mobile", "default": "нет"}
    answer = olga.post("/fields/deal/variables/phone", data=wanted, headers=OWN)
    assert answer.status_code == 303
    assert "phone" not in rows(connected)
    assert rows(connected)["телефон"].model_dump() == wanted | {"field": "CONTACT.PHONE"}
    assert "+7 (999) 123-45-67" in olga.get("/fields/deal").get_data(as_text=True)


@pytest.mark.parametrize("name", ["sum", "1st", "a b", "request"])
def test_a_name_that_is_taken_or_cannot_be_changes_nothing(olga: Any, connected: Connected, name: str) -> None:
    before = rows(connected)
    answer = olga.post("/fields/deal/variables/phone", data={"variable": name}, headers=OWN)
    assert answer.status_code == 422
    assert rows(connected) == before


def test_values_are_shown_as_a_person_reads_them_and_as_the_portal_has_them_in_the_tooltip(
    olga: Any, connected: Connected, simulator: Simulator
) -> None:
    control(simulator, "user", id=7, name="Пётр", last_name="Орлов")
    control(simulator, "card", do="update", entityTypeId=2, id=1, fields={"TITLE": "Заказ"}, user=7)
    shown = olga.get("/fields/deal?lang=ru").get_data(as_text=True).replace("\xa0", " ").replace("\u202f", " ")
    for raw, said in [
        ("12500.00", "12 500 ₽"),
        ("7", "Пётр Орлов"),
        ("1", "Мебель и уют"),
        ("N", "нет"),
        ("P", "в работе"),
    ]:
        assert f'title="{raw}">{said}</span>' in shown, said


def test_a_sum_that_is_clicked_is_written_as_one(olga: Any, connected: Connected) -> None:
    olga.post("/fields/deal/variables/sum/remove", headers=OWN)
    olga.post("/fields/deal/add", data={"field": "OPPORTUNITY", "title": "Сумма"}, headers=OWN)
    assert rows(connected)["sum"].format == "money"


def test_the_usual_variables_come_back(olga: Any, connected: Connected) -> None:
    usual = rows(connected)
    olga.post("/fields/deal/variables/phone/remove", headers=OWN)
    assert "phone" not in rows(connected)
    olga.post("/fields/deal/reset", headers=OWN)
    assert rows(connected) == usual


def test_a_portal_that_does_not_answer_still_shows_its_variables(olga: Any, connected: Connected) -> None:
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_token SET broken = 'invalid_grant'"))
    shown = olga.get("/fields/deal")
    assert shown.status_code == 200
    assert "client_name" in shown.get_data(as_text=True)


def test_a_viewer_reads_and_changes_nothing(client: Any, connected: Connected) -> None:
    viewer = sign_in(client, connected, "viewer")
    assert "/fields/deal/add" not in viewer.get("/fields/deal").get_data(as_text=True)
    assert viewer.post("/fields/deal/add", data={"field": "TITLE"}, headers=OWN).status_code == 403
    assert viewer.get("/fields/nonsense").status_code == 404


def test_a_variable_is_called_as_usual_or_by_the_title_of_its_field_and_never_twice_the_same() -> None:
    assert variable_for("CONTACT.NAME", "Имя", "deal", []) == "client_name"
    assert variable_for("UF_CRM_ADDRESS", "Адрес доставки (дом)", "deal", []) == "адрес_доставки_дом"
    assert variable_for("UF_CRM_ADDRESS", "Адрес", "deal", ["адрес", "адрес_2"]) == "адрес_3"
    assert variable_for("UF_CRM_1", "1-й этаж", "deal", []) == "uf_crm_1"
