"""Cards in the older methods and in the universal ones: shapes, lists, relations, stages."""

import pytest

from tests.sandbox.conftest import Portal


def test_a_deal_shows_scalars_as_texts_and_no_multifields(installed: Portal) -> None:
    deal = installed.result("crm.deal.get", id=1)
    assert (deal["ID"], deal["OPPORTUNITY"], deal["CATEGORY_ID"], deal["STAGE_ID"]) == ("1", "12500.00", "0", "NEW")
    assert (deal["UF_CRM_1747309727"], deal["UF_CRM_1747309879"], deal["LEAD_ID"]) == ("79", [], None)
    assert deal["DATE_CREATE"].endswith("+03:00")
    assert not {"CONTACT_IDS", "FM", "PHONE"} & set(deal)


def test_a_contact_has_its_phones_and_lacks_the_keys_of_what_it_has_none_of(installed: Portal) -> None:
    person = installed.result("crm.contact.get", id=1)
    assert [(row["VALUE"], row["VALUE_TYPE"], row["TYPE_ID"]) for row in person["PHONE"]] == [
        ("+7 (999) 123-45-67", "MOBILE", "PHONE"),
        ("+74957654321", "WORK", "PHONE"),
    ]
    assert person["HAS_PHONE"] == "Y"
    bare = installed.result("crm.contact.get", id=2)
    assert not {"PHONE", "EMAIL", "IM"} & set(bare)


@pytest.mark.parametrize(
    ("params", "said"),
    [({"id": 99}, "Not found"), ({}, "ID is not defined or invalid."), ({"id": "x"}, "ID is not defined or invalid.")],
)
def test_older_methods_refuse_with_an_empty_code(installed: Portal, params: dict[str, object], said: str) -> None:
    answer = installed.call("crm.deal.get", **params)
    assert (answer.status_code, answer.json()) == (400, {"error": "", "error_description": said})


def test_an_update_drops_unknown_fields_and_cannot_change_the_funnel(installed: Portal) -> None:
    given = {"TITLE": "Новое", "PIGEON": "x", "ID": 7, "CATEGORY_ID": 1, "OPPORTUNITY": 99.5}
    assert installed.result("crm.deal.update", id=1, fields=given) is True
    deal = installed.result("crm.deal.get", id=1)
    assert (deal["TITLE"], deal["OPPORTUNITY"], deal["CATEGORY_ID"]) == ("Новое", "99.50", "0")
    assert "PIGEON" not in deal


def test_a_stage_has_to_belong_to_the_funnel_and_closes_the_deal_at_its_end(installed: Portal) -> None:
    refused = installed.call("crm.deal.update", id=1, fields={"STAGE_ID": "C1:WON"})
    assert (refused.status_code, refused.json()["error"]) == (400, "")
    installed.result("crm.deal.update", id=1, fields={"STAGE_ID": "WON"})
    deal = installed.result("crm.deal.get", id=1)
    assert (deal["STAGE_SEMANTIC_ID"], deal["CLOSED"], deal["IS_NEW"]) == ("S", "Y", "N")


def test_wrong_values_are_refused(installed: Portal) -> None:
    for fields in ({"OPPORTUNITY": "much"}, {"UF_CRM_1747309921": "tomorrow"}, {"CONTACT_ID": "Ann"}):
        assert installed.refused("crm.deal.update", id=1, fields=fields) == (400, "")


def test_lists_come_in_pages_of_fifty(installed: Portal) -> None:
    commands = [f"crm.contact.add?fields[NAME]=N{number}" for number in range(50)]
    for _ in range(2):
        installed.result("batch", cmd=commands)
    first = installed.call("crm.contact.list").json()
    assert (len(first["result"]), first["next"], first["total"]) == (50, 50, 102)
    last = installed.call("crm.contact.list", start=100).json()
    assert (len(last["result"]), "next" in last, last["total"]) == (2, False, 102)
    uncounted = installed.call("crm.contact.list", start=-1, order={"ID": "ASC"}, filter={">ID": 90}).json()
    assert (len(uncounted["result"]), "next" in uncounted, "total" in uncounted) == (12, False, False)
    assert uncounted["result"][0]["ID"] == "91"


def test_a_list_leaves_out_user_fields_and_phones_unless_they_are_selected(installed: Portal) -> None:
    (plain,) = installed.result("crm.deal.list")
    assert not [name for name in plain if name.startswith("UF_")]
    (full,) = installed.result("crm.deal.list", select=["*", "UF_*"])
    assert full["UF_CRM_1747309727"] == "79"
    people = installed.result("crm.contact.list", select=["ID", "PHONE"], order={"ID": "DESC"})
    assert [set(row) for row in people] == [{"ID"}, {"ID", "PHONE"}]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"ID": [1, 2]}, ["1", "2"]),
        ({"@ID": [2]}, ["2"]),
        ({"!ID": 1}, ["2"]),
        ({"%NAME": "нна"}, ["1"]),
        ({">=DATE_CREATE": "2020-01-01T00:00:00+03:00"}, ["1", "2"]),
        ({"<DATE_CREATE": "2020-01-01"}, []),
        ({"PIGEON": "x"}, ["1", "2"]),
    ],
)
def test_filters_know_their_prefixes_and_ignore_unknown_fields(
    installed: Portal, condition: dict[str, object], found: list[str]
) -> None:
    rows = installed.result("crm.contact.list", filter=condition, order={"ID": "ASC"})
    assert [row["ID"] for row in rows] == found


def test_phones_are_added_changed_and_removed_by_their_ids(installed: Portal) -> None:
    number = installed.result("crm.contact.add", fields={"NAME": "А", "PHONE": [{"VALUE": "+1"}, {"VALUE": "+2"}]})
    first, second = installed.result("crm.contact.get", id=number)["PHONE"]
    changes = [{"ID": first["ID"], "VALUE": "+11"}, {"ID": second["ID"], "DELETE": "Y"}, {"VALUE": "+3"}]
    installed.result("crm.contact.update", id=number, fields={"PHONE": changes})
    rows = installed.result("crm.contact.get", id=number)["PHONE"]
    assert [row["VALUE"] for row in rows] == ["+11", "+3"]
    assert rows[0]["ID"] == first["ID"]


def test_relations_name_the_primary_one(installed: Portal) -> None:
    installed.result(
        "crm.deal.contact.items.set", id=1, items=[{"CONTACT_ID": 2}, {"CONTACT_ID": 1, "IS_PRIMARY": "Y"}]
    )
    assert installed.result("crm.deal.contact.items.get", id=1) == [
        {"CONTACT_ID": 1, "SORT": 10, "ROLE_ID": 0, "IS_PRIMARY": "Y"},
        {"CONTACT_ID": 2, "SORT": 20, "ROLE_ID": 0, "IS_PRIMARY": "N"},
    ]
    assert installed.result("crm.contact.company.items.get", id=1)[0]["COMPANY_ID"] == 1
    assert installed.result("crm.company.contact.items.get", id=1)[0]["CONTACT_ID"] == 1


def test_fields_describe_themselves(installed: Portal) -> None:
    fields = installed.result("crm.deal.fields")
    assert fields["STAGE_ID"]["statusType"] == "DEAL_STAGE"
    assert fields["CATEGORY_ID"]["isImmutable"] is True
    loyalty = fields["UF_CRM_1747309727"]
    assert (loyalty["title"], loyalty["formLabel"]) == ("UF_CRM_1747309727", "Лояльность")
    assert loyalty["items"] == [{"ID": "79", "VALUE": "Золото"}, {"ID": "80", "VALUE": "Серебро"}]
    listed = installed.result("crm.deal.userfield.list", filter={"FIELD_NAME": "UF_CRM_1747309727"})
    assert listed[0]["LIST"][0]["VALUE"] == "Золото"


def test_a_new_user_field_is_told_and_can_be_used(installed: Portal) -> None:
    installed.result("event.bind", event="ONCRMDEALUSERFIELDADD", handler=f"{installed.application.url}/event")
    number = installed.result("crm.deal.userfield.add", fields={"FIELD_NAME": "SIZE", "USER_TYPE_ID": "string"})
    data = installed.application.got("event")[0]["data"]["FIELDS"]
    assert data == {"ID": str(number), "ENTITY_ID": "CRM_DEAL", "FIELD_NAME": "UF_CRM_SIZE"}
    installed.result("crm.deal.update", id=1, fields={"UF_CRM_SIZE": "XL"})
    assert installed.result("crm.deal.get", id=1)["UF_CRM_SIZE"] == "XL"


def test_the_universal_methods_show_typed_values(installed: Portal) -> None:
    item = installed.result("crm.item.get", entityTypeId=2, id=1)["item"]
    assert (item["id"], item["opportunity"], item["contactIds"], item["stageId"]) == (1, 12500, [1], "NEW")
    assert (item["ufCrm_1747309727"], item["createdTime"][:2], item["entityTypeId"]) == (79, "20", 2)
    original = installed.result("crm.item.get", entityTypeId=2, id=1, useOriginalUfNames="Y")["item"]
    assert original["UF_CRM_1747309727"] == 79
    fields = installed.result("crm.item.fields", entityTypeId=147)["fields"]
    assert fields["ufCrm3Digit"]["upperName"] == "UF_CRM_3_DIGIT"
    assert fields["ufCrm3_1747309727"]["upperName"] == "UF_CRM_3_1747309727"
    assert installed.result("crm.item.get", entityTypeId=3, id=1)["item"]["fm"][0]["typeId"] == "PHONE"


def test_the_universal_methods_refuse_unknown_filters_and_things(installed: Portal) -> None:
    assert installed.refused("crm.item.list", entityTypeId=2, filter={"pigeon": 1}) == (400, "INVALID_ARG_VALUE")
    assert installed.refused("crm.item.get", entityTypeId=2, id=99) == (400, "NOT_FOUND")
    assert installed.refused("crm.item.get", entityTypeId=999, id=1) == (400, "NOT_FOUND")
    assert installed.refused("crm.item.get", entityTypeId=2) == (400, "100")
    assert installed.refused("crm.item.get", ENTITYTYPEID=2, id=1) == (400, "100"), "the case of names matters"
    wrong = {"stageId": "C1:WON"}
    refusal = (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")
    assert installed.refused("crm.item.update", entityTypeId=2, id=1, fields=wrong) == refusal
    found = installed.call("crm.item.list", entityTypeId=2, filter={">=opportunity": 12500}, select=["id"]).json()
    assert (found["result"], found["total"]) == ({"items": [{"id": 1}]}, 1)


def test_the_universal_update_moves_a_deal_to_another_funnel(installed: Portal) -> None:
    moved = {"categoryId": 1, "stageId": "C1:PREPARATION"}
    item = installed.result("crm.item.update", entityTypeId=2, id=1, fields=moved)["item"]
    assert (item["categoryId"], item["stageId"]) == (1, "C1:PREPARATION")


def test_the_universal_update_changes_phones_by_their_keys(installed: Portal) -> None:
    rows = installed.result("crm.item.get", entityTypeId=3, id=1)["item"]["fm"]
    changes = {
        "n0": {"typeId": "PHONE", "valueType": "HOME", "value": "+9"},
        str(rows[0]["id"]): {**rows[0], "value": ""},
    }
    item = installed.result("crm.item.update", entityTypeId=3, id=1, fields={"fm": changes})["item"]
    assert [row["value"] for row in item["fm"] if row["typeId"] == "PHONE"] == ["+74957654321", "+9"]


def test_a_smart_process_tells_its_changes_under_both_names(installed: Portal) -> None:
    for event, path in (("ONCRMDYNAMICITEMUPDATE", "all"), ("ONCRMDYNAMICITEMUPDATE_147", "one")):
        installed.result("event.bind", event=event, handler=f"{installed.application.url}/{path}")
    stage = {"stageId": "DT147_14:PREPARATION"}
    category = installed.result("crm.category.list", entityTypeId=147)["categories"][0]["id"]
    stage = {"stageId": f"DT147_{category}:PREPARATION"}
    item = installed.result("crm.item.update", entityTypeId=147, id=1, fields=stage)["item"]
    assert item["previousStageId"] == f"DT147_{category}:NEW"
    for path in ("all", "one"):
        assert installed.application.got(path)[0]["data"]["FIELDS"] == {"ID": "1", "ENTITY_TYPE_ID": "147"}


def test_dictionaries_and_funnels(installed: Portal) -> None:
    stages = installed.result("crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE_1"})
    assert [row["STATUS_ID"] for row in stages] == ["C1:NEW", "C1:PREPARATION", "C1:EXECUTING", "C1:WON", "C1:LOSE"]
    assert stages[3]["EXTRA"]["SEMANTICS"] == "success"
    funnels = installed.result("crm.category.list", entityTypeId=2)["categories"]
    assert [(row["id"], row["isDefault"]) for row in funnels] == [(0, "Y"), (1, "N")]
    assert installed.result("crm.type.list")["types"][0]["entityTypeId"] == 147
    member = installed.control("mint", user=2)["access"]
    assert installed.refused("crm.type.list", token=member) == (400, "ACCESS_DENIED")


def test_cards_are_found_by_phone_however_it_is_written(installed: Portal) -> None:
    find = {"type": "PHONE", "values": ["89991234567"]}
    assert installed.result("crm.duplicate.findbycomm", **find) == {"CONTACT": [1]}
    assert installed.result("crm.duplicate.findbycomm", type="EMAIL", values=["no@example.com"]) == []
    refused = installed.refused("crm.duplicate.findbycomm", type="PHONE")
    assert refused == (400, "Communication values is not defined")


def test_comments_want_lower_case_fields_and_an_owner(installed: Portal) -> None:
    fields = {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "[b]Hub[/b]"}
    number = installed.result("crm.timeline.comment.add", fields=fields)
    assert installed.result("crm.timeline.comment.get", id=number)["COMMENT"] == "[b]Hub[/b]"
    assert installed.refused("crm.timeline.comment.add", FIELDS=fields) == (400, "100")
    for change, error in (({"ENTITY_ID": 9}, "OWNER_NOT_FOUND"), ({"COMMENT": " "}, "INVALID_ARG_VALUE")):
        assert installed.refused("crm.timeline.comment.add", fields=fields | change) == (400, error)
    log = {"entityTypeId": 2, "entityId": 1, "title": "Сценарий", "text": "завершён", "iconCode": "info"}
    assert installed.result("crm.timeline.logmessage.add", fields=log)["logMessage"]["authorId"] == 1
    shown = installed.read("card/2/1")
    assert (len(shown["comments"]), len(shown["log_messages"])) == (1, 1)


def test_activities_of_three_kinds_are_kept_with_the_card(installed: Portal) -> None:
    todo = installed.result("crm.activity.todo.add", ownerTypeId=2, ownerId=1, deadline="2026-09-22T10:00:00+00:00")
    assert todo["id"] >= 321
    layout = {"header": {"title": "x"}, "body": {"blocks": {}}}
    made = installed.result("crm.activity.configurable.add", ownerTypeId=2, ownerId=1, fields={}, layout=layout)
    assert made["activity"]["id"] > todo["id"]
    older = {"OWNER_TYPE_ID": 2, "OWNER_ID": 1, "TYPE_ID": 2, "SUBJECT": "Звонок", "COMMUNICATIONS": [{"VALUE": "+1"}]}
    assert installed.result("crm.activity.add", fields=older) > made["activity"]["id"]
    assert len(installed.read("card/2/1")["activities"]) == 3
    assert installed.refused("crm.activity.todo.add", ownerTypeId=2, ownerId=77, deadline="x")[1] == "OWNER_NOT_FOUND"


def test_people_show_their_addresses_only_to_wider_scopes(portal: Portal) -> None:
    portal.install()
    assert "EMAIL" not in portal.result("user.get", FILTER={"ID": 1})[0]
    portal.control("uninstall")
    portal.control("app", client_id=portal.bitrix.app.client_id, scope=["user"])
    portal.install()
    (row,) = portal.result("user.get", FILTER={"ID": 1})
    assert (row["ID"], row["ACTIVE"], row["EMAIL"]) == ("1", True, "ann@example.com")


def test_people_who_do_not_see_all_see_their_own_cards(installed: Portal) -> None:
    installed.control("user", id=2, sees_all=False)
    token = installed.control("mint", user=2)["access"]
    refused = installed.call("crm.deal.get", token=token, id=1)
    assert (refused.status_code, refused.json()["error_description"]) == (400, "Access denied")
    assert installed.refused("crm.item.get", token=token, entityTypeId=2, id=1) == (400, "ACCESS_DENIED")
    assert installed.result("crm.deal.list", token=token) == []
    installed.result("crm.deal.update", id=1, fields={"ASSIGNED_BY_ID": 2})
    assert installed.result("crm.deal.get", token=token, id=1)["ASSIGNED_BY_ID"] == "2"


def test_notices_replace_earlier_ones_of_their_tag(installed: Portal) -> None:
    first = installed.result("im.notify.system.add", USER_ID=1, MESSAGE="a", TAG="t")
    second = installed.result("im.notify.system.add", USER_ID=1, MESSAGE="b", TAG="t")
    assert second > first
    assert [row["text"] for row in installed.read("state")["notifications"]] == ["b"]
    assert installed.result("im.notify.system.add", USER_ID=99, MESSAGE="x") is False
    assert installed.refused("im.notify.system.add", MESSAGE="x") == (400, "USER_ID_EMPTY")
    assert installed.refused("im.notify.personal.add", USER_ID=1, MESSAGE="") == (400, "MESSAGE_EMPTY")
