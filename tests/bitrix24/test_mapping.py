"""From fields to variables: written for people, and with a reason wherever there is nothing to write."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from hub.bitrix24.card_values import differences, normal, same_value
from hub.bitrix24.entities import kind_of
from hub.bitrix24.fields import Catalogue, FieldInfo
from hub.bitrix24.mapping import Words, map_card
from hub.bitrix24.reading import Card
from hub.scenarios.mapping_row import MappingRow

INFOS = [
    FieldInfo("OPPORTUNITY", "Сумма", "double"),
    FieldInfo("STAGE_ID", "Стадия", "crm_status", status="DEAL_STAGE"),
    FieldInfo("CATEGORY_ID", "Воронка", "crm_category"),
    FieldInfo("CLOSEDATE", "Дата завершения", "date"),
    FieldInfo("DATE_CREATE", "Дата создания", "datetime"),
    FieldInfo("COMMENTS", "Комментарий", "string"),
    FieldInfo("CLOSED", "Закрыта", "char"),
    FieldInfo("CREATED_BY_ID", "Кем создана", "user"),
    FieldInfo("UF_LIST", "Лояльность", "enumeration", items={"79": "Золото", "80": "Серебро"}),
    FieldInfo("UF_MANY", "Интересы", "enumeration", True, items={"79": "Золото", "80": "Серебро"}),
    FieldInfo("UF_MONEY", "Предоплата", "money"),
    FieldInfo("UF_FILE", "Файл", "file"),
]
STAGES = {"C1:NEW": {"name": "Новая", "category": "1"}}
DEAL = Catalogue("deal", {info.code: info for info in INFOS}, {}, {"1": "Доставка"}, STAGES, 0)
FIELDS = {
    "OPPORTUNITY": "45000.00",
    "CURRENCY_ID": "RUB",
    "STAGE_ID": "C1:NEW",
    "CATEGORY_ID": "1",
    "CLOSEDATE": "2026-09-28T03:00:00+03:00",
    "DATE_CREATE": "2026-09-21T23:30:00+00:00",
    "COMMENTS": None,
    "CLOSED": "N",
    "CREATED_BY_ID": "7",
    "UF_LIST": "79",
    "UF_MANY": ["79", "80"],
    "UF_MONEY": "300|EUR",
    "UF_FILE": {"id": "1", "showUrl": "/show.php?fileId=1"},
}
PHONES = [
    {"ID": "1", "VALUE_TYPE": "WORK", "VALUE": "8 (495) 765-43-21"},
    {"ID": "2", "VALUE_TYPE": "MOBILE", "VALUE": "+7 999 123-45-67"},
]
WORDS = Words({"deal": DEAL}.get, ZoneInfo("Europe/Moscow"), origin="https://acme.test", users={"7": "Ольга Иванова"})


def mapped(field: str, *, card: Card | None = None, **row: Any) -> tuple[Any, str | None]:
    card = card or Card(kind_of("deal"), 42, FIELDS, {"NAME": "Анна", "PHONE": PHONES}, None, {"NAME": "Ольга"})
    found = map_card([MappingRow(variable="v", field=field, **row)], card, WORDS)
    return found.variables["v"], found.empty.get("v")


@pytest.mark.parametrize(
    ("field", "row", "text"),
    [
        ("OPPORTUNITY", {"format": "money"}, "45\xa0000\xa0₽"),
        ("OPPORTUNITY", {}, "45000.00"),
        ("UF_MONEY", {}, "300\xa0€"),
        ("STAGE_ID", {}, "Новая"),
        ("STAGE_ID", {"format": "id"}, "C1:NEW"),
        ("CATEGORY_ID", {}, "Доставка"),
        ("CLOSEDATE", {}, "28.09.2026"),
        ("DATE_CREATE", {}, "22.09.2026 02:30"),
        ("DATE_CREATE", {"format": "date"}, "22.09.2026"),
        ("CLOSED", {}, "нет"),
        ("CREATED_BY_ID", {}, "Ольга Иванова"),
        ("UF_LIST", {}, "Золото"),
        ("UF_MANY", {}, "Золото"),
        ("UF_MANY", {"pick": "all"}, "Золото, Серебро"),
        ("UF_MANY", {"format": "json"}, ["79", "80"]),
        ("UF_FILE", {}, "https://acme.test/show.php?fileId=1"),
        ("CONTACT.NAME", {}, "Анна"),
        ("CONTACT.PHONE", {"format": "phone"}, "+74957654321"),
        ("CONTACT.PHONE", {"format": "phone", "pick": "mobile"}, "+79991234567"),
        ("CONTACT.PHONE", {"format": "phone", "pick": "all"}, "+74957654321, +79991234567"),
        ("ASSIGNED_BY.NAME", {}, "Ольга"),
    ],
)
def test_a_field_reads_as_people_read_it(field: str, row: dict[str, Any], text: Any) -> None:
    assert mapped(field, **row) == (text, None)


@pytest.mark.parametrize(
    ("field", "row", "reason"),
    [
        ("COMMENTS", {}, "The field “Комментарий” is empty."),
        ("UF_GONE", {}, "There is no field UF_GONE in the portal."),
        ("COMPANY.TITLE", {}, "The card has no company."),
        ("CONTACT.EMAIL", {}, "There is no field CONTACT.EMAIL in the portal."),
    ],
)
def test_whatever_stays_empty_has_a_reason(field: str, row: dict[str, Any], reason: str) -> None:
    assert mapped(field, **row) == ("", reason)
    assert mapped(field, default="friend") == ("friend", None)


def test_a_phone_of_the_wanted_kind_that_is_not_there_is_said() -> None:
    contact = {"PHONE": [{"ID": "1", "VALUE_TYPE": "WORK", "VALUE": "84957654321"}]}
    value, reason = mapped("CONTACT.PHONE", card=Card(kind_of("deal"), 1, FIELDS, contact), pick="mobile")
    assert (value, reason) == ("", "The field “PHONE” has no value of the kind mobile.")


@pytest.mark.parametrize("name", ["message", "token", "not a name", "", "x" * 65])
def test_a_row_fills_no_variable_that_is_taken(name: str) -> None:
    with pytest.raises(ValidationError):
        MappingRow(variable=name, field="TITLE")


def test_a_currency_is_data_and_never_part_of_a_template() -> None:
    card = Card(kind_of("deal"), 1, {"OPPORTUNITY": "5", "CURRENCY_ID": '" }}{{const.secret}}'})
    assert mapped("OPPORTUNITY", card=card, format="money") == ("5", None)


def test_tokens_in_addresses_of_files_are_left_behind() -> None:
    files = {"downloadUrl": "/show_file.php?auth=SECRET&ownerId=42", "urlMachine": "https://a/?token=SECRET"}
    assert normal({"UF_FILE": files}) == {"UF_FILE": {"downloadUrl": "/show_file.php?ownerId=42"}}


def test_what_the_portal_writes_in_two_ways_is_no_difference() -> None:
    old = {"A": None, "B": [], "PHONE": PHONES, "C": "1"}
    new = {"A": "", "B": False, "PHONE": PHONES[::-1], "C": "2"}
    assert differences(old, new) == {"C"}
    assert same_value("500", "500.00")
    assert not same_value("500", "501")
