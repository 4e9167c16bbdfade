"""Vectors 1 to 15, 25 and 29 of the specification: what a request brings and what the message then says."""

from typing import Any

import pytest
import requests

from tests.endpoints.test_parse_json import flat_sample, list_sample, nested_sample
from tests.journeys.installation import Installation, Scenario, codes, new_chat, repairs, send

FLAT = {
    "Email1": "…@gmail.com",
    "name_client": "test",
    "chat_id": "89999999999",
    "tranid": "test",
    "formid": "formtest",
    "utm_source": "google",
    "utm_medium": "cpc",
    "utm_campaign": "promo",
}
THREE = "{{Email1}} {{name_client}} {{utm_source}}"
PEOPLE = {"payment": [{"name": "Вася", "email1": "v@mail.ru"}, {"name": "Петя", "email1": "p@yandex.ru"}]}


class Said:
    """A scenario that sends one text to a chat of its own, and what came of requests to it."""

    def __init__(self, product: Installation, text: str) -> None:
        self.product = product
        self.chat = new_chat()
        self.scenario: Scenario = product.scenario(send(text, self.chat))
        self._count = 0

    def after(self, accepted: requests.Response) -> tuple[str, dict[str, Any]]:
        """The text the messenger took and the run that sent it."""
        run = self.product.run(accepted)
        assert run["status"] == "completed", run["error"]
        self._count += 1
        return self.product.received(self.chat, self._count)[-1], run


def test_v01_parameters_of_the_link_fill_the_text(installation: Installation) -> None:
    said = Said(installation, "{{chat_id}}/{{id}}")
    link = said.scenario.link.replace("chat_id=&id=", "chat_id=79990000001&id=5")
    assert said.after(installation.get(link))[0] == "79990000001/5"


def test_v02_an_undeclared_parameter_fills_nothing_and_is_shown_with_the_request(installation: Installation) -> None:
    said = Said(installation, "[{{foo}}]")
    text, run = said.after(installation.get(said.scenario.short + "&chat_id=79990000001&id=5&foo=x"))
    assert text == "[]"
    assert codes(run) == ["missing_value"]
    (kept,) = installation.requests_of(said.scenario)
    assert kept["undeclared"] == ["foo"]
    assert kept["query"]["foo"] == "x"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_v03_every_key_of_a_json_body_can_be_used(installation: Installation, method: str) -> None:
    said = Said(installation, THREE)
    text, run = said.after(installation.post(said.scenario.short, FLAT, method=method))
    assert text == "…@gmail.com test google"
    assert run["warnings"] == []


def test_v04_typographic_quotes_are_read_byte_for_byte(installation: Installation) -> None:
    said = Said(installation, THREE)
    text, run = said.after(installation.post(said.scenario.short, flat_sample))
    assert text == "…@gmail.com test google"
    assert repairs(run) == {"R1", "R2"}


def test_v05_the_body_wins_over_the_link(installation: Installation) -> None:
    said = Said(installation, "{{chat_id}}")
    link = said.scenario.link.replace("chat_id=", "chat_id=1")
    assert said.after(installation.post(link, {"chat_id": "2"}))[0] == "2"


def test_v06_an_empty_value_in_the_body_hides_the_link_and_an_empty_recipient_fails(installation: Installation) -> None:
    chat = new_chat()
    scenario = installation.scenario(send("[{{chat_id}}]", chat), send("to nobody", "{{chat_id}}", "second"))
    run = installation.run(installation.post(scenario.short + "&chat_id=1", {"chat_id": ""}))
    assert installation.received(chat, 1) == ["[]"]
    assert "empty_hides_link" in codes(run)
    assert run["status"] == "failed"
    assert (run["error"]["code"], run["error"]["block"]) == ("chat_id_empty", "second")


def test_v07_link_and_body_are_used_together(installation: Installation) -> None:
    said = Said(installation, "{{chat_id}}/{{id}}")
    assert said.after(installation.post(said.scenario.short + "&id=7", {"chat_id": "79990000001"}))[0] == (
        "79990000001/7"
    )


def test_v08_a_trailing_comma_and_a_missing_one_are_repaired(installation: Installation) -> None:
    said = Said(installation, "{{payment.name}}")
    text, run = said.after(
        installation.post(said.scenario.short, '{"payment":{"name":"Вася","Email1":"a@gmail.com",}}')
    )
    assert (text, repairs(run)) == ("Вася", {"R3"})
    text, run = said.after(installation.post(said.scenario.short, nested_sample))
    assert (text, repairs(run)) == ("Вася", {"R1", "R2", "R3", "R4"})


@pytest.mark.parametrize("body", ["{a:1}", '{"a":1'])
@pytest.mark.parametrize("link", ["short", "result"])
def test_v08b_what_cannot_be_repaired_is_refused_with_its_place_and_kept(
    installation: Installation, body: str, link: str
) -> None:
    said = Said(installation, "-")
    refused = installation.post(getattr(said.scenario, link), body)
    assert refused.status_code == 400
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    told = refused.json()
    assert told["code"] == "invalid_json"
    assert told["type"] == "/problems/invalid-json"
    assert told["line"] == 1
    assert told["column"] >= 1
    (kept,) = installation.requests_of(said.scenario)
    assert (kept["id"], kept["outcome"], kept["raw"]) == (told["request"], "refused", body)
    assert kept["error"]["code"] == "invalid_json"
    assert installation.runs_of(said.scenario) == []


def test_v09_items_of_a_list_are_counted_from_zero(installation: Installation) -> None:
    said = Said(installation, "{{payment[0].name}},{{payment[1].name}}")
    assert said.after(installation.post(said.scenario.short, PEOPLE))[0] == "Вася,Петя"
    text, run = said.after(installation.post(said.scenario.short, list_sample))
    assert (text, repairs(run)) == ("Вася,Петя", {"R1", "R2", "R4", "R5"})


def test_v10_paths_that_lead_nowhere_are_empty_and_bare_paths_stay_text(installation: Installation) -> None:
    said = Said(installation, "{{payment[2].name}}|{{payment.name}}|payment[0].name")
    text, run = said.after(installation.post(said.scenario.short, PEOPLE))
    assert text == "||payment[0].name"
    hints = {warning["path"]: warning["message"] for warning in run["warnings"]}
    assert codes(run) == ["missing_value", "missing_value"]
    assert "2 items" in hints["payment[2].name"]
    assert "payment[0]" in hints["payment.name"]


def test_v11_a_system_name_in_the_body_is_read_by_its_prefix(installation: Installation) -> None:
    said = Said(installation, "[{{email}}] [{{body.email}}]")
    text, run = said.after(installation.post(said.scenario.short, {"email": "a@b.c"}))
    assert text == "[] [a@b.c]"
    assert ("reserved_name", "email") in [(warning["code"], warning["path"]) for warning in run["warnings"]]


def test_v12_another_case_is_another_name_and_the_near_one_is_hinted(installation: Installation) -> None:
    said = Said(installation, "({{email1}})")
    text, run = said.after(installation.post(said.scenario.short, {"Email1": "x"}))
    assert text == "()"
    (warning,) = run["warnings"]
    assert "Email1" in warning["message"]


def test_v13_a_value_is_never_taken_for_a_template(installation: Installation) -> None:
    said = Said(installation, "{{x}}")
    assert said.after(installation.post(said.scenario.short, {"x": "{{chat_id}}"}))[0] == "{{chat_id}}"


def test_v14_brackets_of_a_form_nest(installation: Installation) -> None:
    said = Said(installation, "{{data.FIELDS.ID}}")
    form = "data[FIELDS][ID]=456&event=ONCRMDEALUPDATE"
    sent = installation.post(said.scenario.short, form, kind="application/x-www-form-urlencoded")
    assert said.after(sent)[0] == "456"


def test_v15_a_form_builders_check_starts_nothing(installation: Installation) -> None:
    said = Said(installation, "-")
    for link in (said.scenario.short, said.scenario.link, said.scenario.bare_result):
        checked = installation.post(link, "test=test", kind="application/x-www-form-urlencoded")
        assert (checked.status_code, checked.json()["status"]) == (200, "ok")
    assert [kept["outcome"] for kept in installation.requests_of(said.scenario)] == ["check"] * 3
    assert installation.runs_of(said.scenario) == []


def test_v25_values_are_shown_with_the_literals_they_came_with(installation: Installation) -> None:
    said = Said(installation, "{{n}};{{b}};{{z}};{{o}}")
    sent = installation.post(said.scenario.short, '{"n":150000.00,"b":true,"z":null,"o":{"a":1}}')
    assert said.after(sent)[0] == '150000.00;true;;{"a":1}'


def test_v29_the_long_link_gives_what_the_short_one_gives(installation: Installation) -> None:
    said = Said(installation, THREE + " {{chat_id}}")
    short, run = said.after(installation.post(said.scenario.short, FLAT))
    long, other = said.after(installation.post(said.scenario.link, FLAT))
    assert short == long == "…@gmail.com test google 89999999999"
    assert run["warnings"] == other["warnings"] == []
