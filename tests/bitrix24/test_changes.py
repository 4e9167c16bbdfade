"""Changes of cards and the runs they start: the right ones, once each, whatever happens between."""

from typing import Any

from hub.bitrix24 import reading
from hub.sandbox.faults import Fault
from hub.values import loads
from tests.bitrix24.scene import CONTACT, SMART, Scene

STAGE = "PREPARATION"


def test_a_deal_that_comes_to_a_stage_starts_the_scenario_with_readable_values(scene: Scene) -> None:
    values = {"text": "{{client_name}} {{phone}}: {{order_title}}, {{sum}}, {{stage}}, {{manager}}"}
    scene.scenario(on="stage", stage=STAGE, values=values)
    scene.change(number=1, OPPORTUNITY="45000", STAGE_ID=STAGE)
    assert scene.tell(1) == "kept"
    scene.work()
    (result,) = scene.results()
    stage = next(
        row["NAME"] for row in scene.connected.portal.crm.dictionaries.stages(2, 0) if row["STATUS_ID"] == STAGE
    )
    manager = scene.connected.portal.users[1].name
    assert result["text"].replace("\xa0", " ") == f"Анна +79991234567: Заказ 1001, 45 000 ₽, {stage}, {manager}"
    assert scene.requests() == [("run", [])]
    assert scene.waiting() == 0


def test_two_updates_in_a_second_whose_stage_ends_where_it_began_start_nothing(scene: Scene) -> None:
    """V-30."""
    scene.scenario(on="stage", stage=STAGE)
    scene.tell(1)
    scene.work()
    scene.change(number=1, STAGE_ID=STAGE)
    scene.tell(1)
    scene.change(number=1, STAGE_ID="NEW")
    scene.tell(1)
    scene.work()
    assert scene.results() == []
    assert scene.requests()[1:] == [("unchanged", ["unchanged"])]


def test_a_changed_field_is_passed_on_with_its_old_and_its_new_value(scene: Scene) -> None:
    values = {"old": "{{bitrix.old.OPPORTUNITY}}", "new": "{{blocks.start.new.OPPORTUNITY}}"}
    scene.scenario(on="field", fields=["OPPORTUNITY"], values=values)
    scene.tell(1)
    scene.work()
    assert scene.requests() == [("unchanged", ["first_look"])]
    scene.change(number=1, TITLE="Another title")
    scene.tell(1)
    scene.work()
    assert scene.results() == []
    scene.change(number=1, OPPORTUNITY="700")
    scene.tell(1)
    scene.work()
    assert scene.results() == [{"old": "12500.00", "new": "700.00"}]


def test_a_creation_starts_a_scenario_once_however_often_it_is_told(scene: Scene) -> None:
    scene.scenario(on="created")
    number = scene.deal(TITLE="New one", CONTACT_ID=1)
    for _ in range(3):
        scene.tell(number, "ADD")
        scene.work()
    assert len(scene.results()) == 1
    assert [outcome for outcome, _ in scene.requests()] == ["run", "unchanged", "unchanged"]


def test_any_change_starts_a_scenario_that_waits_for_updates_and_a_mere_touch_does_not(scene: Scene) -> None:
    scene.scenario(on="updated", entity="contact", values={"name": "{{client_name}}"})
    scene.tell(1, kind=CONTACT)
    scene.work()
    assert len(scene.results()) == 1
    scene.change(kind=CONTACT, number=1)
    scene.tell(1, kind=CONTACT)
    scene.work()
    assert len(scene.results()) == 1
    scene.change(kind=CONTACT, number=1, NAME="Мария")
    scene.tell(1, kind=CONTACT)
    scene.work()
    assert scene.results()[1] == {"name": "Мария"}


def test_a_card_of_another_funnel_and_one_that_the_filter_refuses_start_nothing(scene: Scene) -> None:
    scene.scenario(on="updated", category=1, name="Delivery")
    rich = {"all": [{"left": "{{bitrix.deal.OPPORTUNITY}}", "op": "gt", "right": "20000"}]}
    scene.scenario(on="updated", filter=rich, name="Rich", values={"sum": "{{bitrix.deal.OPPORTUNITY}}"})
    scene.tell(1)
    scene.work()
    assert scene.requests() == [("unchanged", ["filtered"])]
    scene.change(number=1, OPPORTUNITY="30000")
    scene.tell(1)
    scene.work()
    assert scene.results() == [{"sum": "30000.00"}]


def test_every_scenario_that_waits_for_a_change_gets_a_run_and_a_request_of_its_own(scene: Scene) -> None:
    for name in ("One", "Two"):
        scene.scenario(on="updated", name=name)
    scene.tell(1)
    scene.work()
    assert len(scene.results()) == 2
    assert scene.requests() == [("run", []), ("run", [])]


def test_a_card_that_was_deleted_meanwhile_starts_nothing_and_is_told(scene: Scene) -> None:
    scene.scenario(on="updated")
    number = scene.deal()
    scene.tell(number)
    scene.change("delete", number=number)
    scene.work()
    assert (scene.results(), scene.requests()) == ([], [("ignored", ["gone"])])
    assert scene.waiting() == 0


def test_a_change_waits_while_the_portal_is_away_or_busy(scene: Scene) -> None:
    scene.scenario(on="updated")
    scene.connected.simulator.board.add(Fault("status", status=502, service="bitrix24", chat="batch"))
    scene.tell(1)
    scene.work()
    (waiting,) = scene.rows("SELECT owner, attempts, error FROM bitrix24_change")
    assert (waiting[0], waiting[1]) == (None, 1)
    assert waiting[2]
    scene.work(later=True)
    assert len(scene.results()) == 1


def test_a_change_waits_until_somebody_opens_the_application_again(scene: Scene) -> None:
    scene.scenario(on="updated")
    scene.connected.expire()
    scene.connected.expire(refresh=True)
    scene.tell(1)
    scene.work()
    assert scene.connected.state() == "needs_reauth"
    assert scene.work(later=True) == 0
    assert scene.waiting() == 1
    scene.connected.give_tokens()
    scene.hub.db.writer.run(lambda sql: sql.run("UPDATE portal SET state = 'active'"))
    scene.work(later=True)
    assert (len(scene.results()), scene.waiting()) == (1, 0)


def test_a_change_during_the_look_is_looked_at_again(scene: Scene, monkeypatch: Any) -> None:
    scene.scenario(on="stage", stage=STAGE)
    scene.tell(1)
    scene.work()
    real, told = reading.read, []

    def read(*arguments: Any) -> Any:
        found = real(*arguments)
        if not told:
            told.append(scene.change(number=1, STAGE_ID=STAGE))
            scene.tell(1)
        return found

    monkeypatch.setattr(reading, "read", read)
    scene.change(number=1, TITLE="Touched")
    scene.tell(1)
    scene.work()
    assert scene.results() == []
    assert scene.waiting() == 1
    scene.work(later=True)
    assert len(scene.results()) == 1


def test_events_of_automation_have_no_person_and_start_runs_like_others(scene: Scene) -> None:
    scene.scenario(on="updated")
    scene.tell(1, user="")
    scene.work()
    assert len(scene.results()) == 1


def test_a_smart_process_starts_a_scenario_by_its_codes_in_capitals(scene: Scene) -> None:
    values = {"title": "{{bitrix.item.TITLE}}", "frame": "{{bitrix.new.UF_CRM_3_DIGIT}}", "name": "{{client_name}}"}
    scene.scenario(on="field", entity=f"dynamic:{SMART}", fields=["UF_CRM_3_DIGIT"], values=values)
    scene.tell(1, kind=SMART)
    scene.work()
    scene.change(kind=SMART, number=1, UF_CRM_3_DIGIT="A-17")
    scene.tell(1, kind=SMART)
    scene.work()
    assert scene.results() == [{"title": "Велосипед 5", "frame": "A-17", "name": "Анна"}]


def test_a_mass_change_is_read_fifty_cards_to_a_hit(scene: Scene) -> None:
    scene.scenario(on="field", fields=["TITLE"])
    numbers = [scene.deal(TITLE=f"Deal {number}") for number in range(120)]
    for number in numbers:
        scene.tell(number)
    before = len(scene.connected.calls("batch"))
    scene.work()
    assert len(scene.connected.calls("batch")) - before == 3
    assert scene.waiting() == 0
    assert len(scene.rows("SELECT 1 FROM bitrix24_snapshot")) == 120


def test_what_is_kept_of_an_event_holds_no_token_and_all_that_a_replay_needs(scene: Scene) -> None:
    scene.scenario(on="updated")
    scene.tell(1)
    scene.work()
    ((raw, source, method, query),) = scene.rows("SELECT raw, source, method, query FROM request")
    kept = loads(bytes(raw))
    assert (source, method, query) == ("bitrix24", "EVENT", "entity=deal&id=1&recovered=0")
    assert kept["variables"]["client_name"] == "Анна"
    assert kept["bitrix"]["deal"]["TITLE"] == "Заказ 1001"
    with_token = [pair.access for pair in scene.connected.simulator.cloud.tokens.by_access.values()]
    assert with_token
    assert not any(token in bytes(raw).decode() for token in with_token)


def test_a_version_that_cannot_run_any_more_stops_no_event_of_the_others(scene: Scene) -> None:
    broken = scene.scenario(on="updated", name="Broken")
    works = scene.scenario(on="updated", name="Works")
    scene.hub.db.writer.run(
        lambda sql: sql.run(
            "UPDATE scenario_version SET document = replace(document, 'return_result', 'no_such_block')"
            " WHERE scenario_id = ?",
            (broken,),
        )
    )
    assert scene.tell(1) == "kept"
    scene.work()
    assert scene.rows("SELECT scenario_id FROM run") == [(works,)]
