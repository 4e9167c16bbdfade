"""Where Bitrix24 does not do what one would expect: each surprise by its own test, through the product's public face.

One level lower, `tests/connectors/test_bitrix24_calls.py` and `test_bitrix24_errors.py` have the odd answers.
"""

import json
from typing import Any

import pytest

from connectors.bitrix24.errors import Disconnected, Missing
from hub.core import Hub
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from hub.sandbox.faults import Fault
from tests.bitrix24.conftest import Connected, Visitor, control, token_in
from tests.bitrix24.robots import Portal
from tests.bitrix24.scene import Scene


@pytest.fixture
def portal(visitor: Visitor, hub: Hub) -> Portal:
    return Portal(visitor, hub)


def addresses(app: Any) -> list[str]:
    """Every address under /bitrix24, with a token that nobody has where one belongs."""
    rules = [str(rule) for rule in app.url_map.iter_rules() if str(rule).startswith("/bitrix24/")]
    return sorted(rule.replace("<token>", "a-token-that-nobody-has") for rule in rules)


def event(portal: Portal, **flat: Any) -> dict[str, Any]:
    """The form of a deal's event as it is on the wire, with some keys changed or (None) left out."""
    control(portal.visitor.simulator, "card", do="add", entityTypeId=2, fields={"TITLE": "Order"})
    assert portal.cloud.queue.wait_idle(10)
    (posted,) = [row for row in portal.cloud.queue.deliveries() if row.name == "ONCRMDEALADD"][-1:]
    fields = {**posted.fields, **flat}
    return {"path": posted.url.partition("hub.test")[2], "fields": {k: v for k, v in fields.items() if v is not None}}


def watch(portal: Portal) -> None:
    """A scenario that deals start."""
    from hub.scenarios import versions
    from hub.scenarios.document import parse_document

    blocks = [
        {"id": "start", "type": "bitrix24_event", "config": {"entity": "deal", "on": "created", "merge_s": 0}},
        {"id": "give", "type": "return_result", "config": {"values": {"title": "{{order_title}}"}}},
    ]
    links = [{"from": "start", "port": "next", "to": "give"}]
    doc = parse_document({"format": 1, "name": "On a deal", "blocks": blocks, "links": links})
    with portal.hub.db.write() as session:
        saved = versions.save(session, portal.hub, portal.portal_id, doc)
        versions.set_enabled(session, portal.hub, saved.scenario, True)


# ---------------------------------------------------------------- addresses are probed with HEAD


def test_every_address_that_a_portal_is_given_answers_head_and_nothing_is_begun_by_it(portal: Portal) -> None:
    app = portal.visitor.app
    every = addresses(app)
    assert {"/bitrix24/install", "/bitrix24/app", "/bitrix24/sms/a-token-that-nobody-has"} <= set(every)
    given = {"/bitrix24/" + row.url.partition("/bitrix24/")[2] for row in portal.cloud.queue.deliveries()}
    before = len(portal.cloud.calls)
    for address in [*every, *given]:
        answer = portal.visitor.client.head(address, query_string={"DOMAIN": "evil.test"})
        assert (address, answer.status_code, answer.get_data()) == (address, 200, b"")
    assert len(portal.cloud.calls) == before


# ---------------------------------------------------------------- forms with brackets, and texts for everything


def test_an_event_is_a_form_whose_brackets_nest_and_whose_numbers_are_texts(portal: Portal) -> None:
    watch(portal)
    sent = event(portal)
    assert sent["fields"]["data[FIELDS][ID]"].isdecimal()
    assert portal.visitor.client.post(sent["path"], data=sent["fields"]).status_code == 200
    assert portal.column("SELECT entity_id FROM bitrix24_change") == [int(sent["fields"]["data[FIELDS][ID]"])]


def test_a_proxy_may_have_made_json_of_an_event(portal: Portal) -> None:
    watch(portal)
    sent = event(portal)
    nested: dict[str, Any] = {"auth": {}, "data": {"FIELDS": {}}}
    for name, value in sent["fields"].items():
        at, *inner = name.replace("]", "").split("[")
        here = nested
        for part in (at, *inner)[:-1]:
            here = here.setdefault(part, {})
        here[(at, *inner)[-1]] = value
    answer = portal.visitor.client.post(sent["path"], json=nested)
    assert (answer.status_code, portal.one("SELECT count(*) FROM bitrix24_change")) == (200, 1)


@pytest.mark.parametrize(
    "left_out",
    [
        ("event_handler_id",),
        ("ts",),
        ("auth[access_token]", "auth[expires]", "auth[expires_in]", "auth[user_id]"),
        ("auth[scope]", "auth[server_endpoint]", "auth[status]", "auth[client_endpoint]", "auth[domain]"),
    ],
)
def test_an_event_without_what_portals_may_leave_out_is_taken(portal: Portal, left_out: tuple[str, ...]) -> None:
    watch(portal)
    sent = event(portal, **dict.fromkeys(left_out))
    assert portal.visitor.client.post(sent["path"], data=sent["fields"]).status_code == 200
    portal.work()
    assert portal.column("SELECT status FROM run") == ["completed"]


def test_an_event_in_small_letters_is_the_same_event(portal: Portal) -> None:
    watch(portal)
    sent = event(portal, event="onCrmDealAdd")
    assert portal.visitor.client.post(sent["path"], data=sent["fields"]).status_code == 200
    assert portal.one("SELECT count(*) FROM bitrix24_change") == 1


def test_an_event_that_comes_twice_and_late_starts_one_run(portal: Portal) -> None:
    watch(portal)
    sent = event(portal)
    for _ in range(2):
        assert portal.visitor.client.post(sent["path"], data=sent["fields"]).status_code == 200
        portal.work()
    assert portal.column("SELECT status FROM run") == ["completed"]


def test_a_document_id_comes_as_a_list_or_as_an_object_with_numbers_for_keys(portal: Portal) -> None:
    portal.scenario()
    portal.work()
    portal.process({"kind": "robot", "code": f"hub_{portal.one('SELECT max(id) FROM scenario')}"})
    (posted,) = [row for row in portal.cloud.queue.deliveries() if row.kind == "robot"]
    flat = dict(posted.fields)
    names = [flat.pop(f"document_id[{place}]") for place in range(3)]
    pairs = [*flat.items(), *(("document_id[]", name) for name in names)]
    pairs = [(name, "another" if name == "event_token" else value) for name, value in pairs]
    from urllib.parse import urlencode

    path = posted.url.partition("hub.test")[2]
    answer = portal.visitor.client.post(path, data=urlencode(pairs), content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    cards = portal.column("SELECT entity_id FROM bitrix24_run")
    assert cards == [int(names[2].rpartition("_")[2])] * 2


def test_an_empty_map_cannot_be_written_as_a_form_and_a_robots_last_input_goes_all_the_same(portal: Portal) -> None:
    scenario = portal.scenario()
    portal.work()
    assert set(portal.installation.activities["robot", f"hub_{scenario}"].fields["PROPERTIES"]) == {"sum"}
    portal.scenario(inputs=[], scenario_id=scenario)
    portal.work()
    for kind, code in (("robot", f"hub_{scenario}"), ("activity", f"hub_{scenario}_bp")):
        assert portal.installation.activities[kind, code].fields["PROPERTIES"] == {}


# ---------------------------------------------------------------- answers


def test_an_error_that_comes_with_status_200_is_an_error(connected: Connected) -> None:
    fault = Fault("error", service="bitrix24", chat="profile", code="NOT_INSTALLED", status=200)
    connected.simulator.cloud.board.add(fault)
    with pytest.raises(Disconnected):
        connected.client.call("profile")
    assert connected.state() == "needs_reauth"


def test_a_refusal_with_an_empty_code_says_what_it_is_in_its_words(connected: Connected) -> None:
    with pytest.raises(Missing) as raised:
        connected.client.call("crm.deal.get", {"id": 999_999})
    (call,) = connected.calls("crm.deal.get")
    assert (raised.value.code, call.status) == ("", 400)


def test_an_unknown_application_is_told_with_status_200_and_needs_a_person(connected: Connected) -> None:
    connected.expire()
    connected.tokens_end()
    connected.hub.db.writer.run(
        lambda sql: sql.run("UPDATE bitrix24_connection SET client_id = 'local.00000000000000.00000000'")
    )
    with pytest.raises(Disconnected):
        connected.client.call("profile")


def test_a_deals_scalars_are_texts_and_compare_as_texts(scene: Scene) -> None:
    scene.scenario(on="field", fields=["OPPORTUNITY"])
    scene.tell(1)
    scene.work()
    raw = scene.connected.client.call("crm.deal.get", {"id": 1}).result
    assert {type(raw[name]) for name in ("ID", "CATEGORY_ID", "ASSIGNED_BY_ID", "OPPORTUNITY")} == {str}
    scene.change(number=1, OPPORTUNITY=raw["OPPORTUNITY"].partition(".")[0] + ".00")
    scene.tell(1)
    scene.work()
    assert scene.results() == []


# ---------------------------------------------------------------- tokens rotate


def test_a_refresh_token_that_was_used_is_dead_and_the_new_one_is_kept(connected: Connected) -> None:
    tokens = connected.simulator.cloud.tokens
    for count in (1, 2, 3):
        connected.expire()
        connected.tokens_end()
        assert connected.client.call("profile").result["ID"] == "1"
        assert tokens.refreshes == count
    assert connected.state() == "active"


# ---------------------------------------------------------------- frames


def test_a_frame_without_what_older_portals_lack_installs(visitor: Visitor, hub: Hub) -> None:
    frame = visitor.install()
    older = dict.fromkeys(("SERVER_ENDPOINT", "APPLICATION_TOKEN", "APPLICATION_SCOPE", "PLACEMENT_OPTIONS", "status"))
    assert token_in(visitor.open(frame, **older))
    with hub.db.sql() as sql:
        assert sql.one("SELECT client_id FROM bitrix24_connection") == (DEMO_CLIENT_ID,)


def test_the_context_of_a_placement_is_a_text_that_holds_json(portal: Portal) -> None:
    deal = portal.deal(CONTACT_ID=1)
    control(portal.visitor.simulator, "card", do="update", entityTypeId=2, id=deal, fields={"TITLE": "Shown"})
    frame = portal.visitor.frame(placement="CRM_DEAL_DETAIL_TAB", options={"ID": str(deal)})
    options = frame["fields"]["PLACEMENT_OPTIONS"]
    assert isinstance(options, str)
    assert json.loads(options)["ID"] == str(deal)
    for spelled in (options, options.replace('"', "&quot;")):
        page = portal.visitor.open(frame, PLACEMENT_OPTIONS=spelled)
        assert "/customer/" in page.get_data(as_text=True)
