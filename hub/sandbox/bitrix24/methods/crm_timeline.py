"""What is written beside a card: comments, log messages, activities. Their parameters have to be in exact case."""

from typing import Any

from hub.sandbox.bitrix24.calls import Call, Page, registry
from hub.sandbox.bitrix24.crm import filters
from hub.sandbox.bitrix24.crm.kinds import Kind
from hub.sandbox.bitrix24.methods.crm_item import whole
from hub.sandbox.bitrix24.refusals import Refusal, wrong_value

ICONS = ("info", "check-black", "attention", "camera", "comment", "mail-outcome", "sms-outcome", "arrow-up")


def _owner(call: Call, kind_number: Any, item: Any) -> tuple[Kind, int]:
    kind = call.portal.crm.kinds.get(int(kind_number)) if str(kind_number).isdigit() else None
    number = int(item) if str(item).isdigit() else 0
    if kind is None or number not in call.portal.crm.items[kind.id]:
        raise Refusal("OWNER_NOT_FOUND", "Owner not found")
    return kind, number


def _fields(call: Call) -> dict[str, Any]:
    fields = call.params.get("fields")
    if not isinstance(fields, dict):
        raise Refusal("100", "Could not find value for parameter {fields}")
    return fields


@registry.add("crm.timeline.comment.add", "crm")
def comment_add(call: Call) -> int:
    """A comment on a card; `fields` only in lower case."""
    fields = _fields(call)
    name = str(fields.get("ENTITY_TYPE") or "").lower()
    number = next((kind.id for kind in call.portal.crm.kinds.values() if kind.code == name), 0)
    kind, item = _owner(call, number, fields.get("ENTITY_ID"))
    text = str(fields.get("COMMENT") or "")
    if not text.strip():
        raise wrong_value("Comment is empty")
    comment: dict[str, Any] = {
        "id": call.portal.crm.number("timeline", 999),
        "kind": kind.id,
        "item": item,
        "text": text,
        "author": call.user.id,
        "created": call.cloud.stamp(call.portal),
        "files": [row[0] for row in fields.get("FILES") or [] if isinstance(row, list) and row],
    }
    call.portal.crm.comments[comment["id"]] = comment
    call.portal.crm.touch(kind, item, call.user.id)
    call.hit.fire("ONCRMTIMELINECOMMENTADD", {"ID": comment["id"], "FIELDS": {"ID": comment["id"]}})
    return int(comment["id"])


def _comment(call: Call) -> dict[str, Any]:
    found = call.portal.crm.comments.get(whole(call, "id"))
    if found is None:
        raise Refusal("NOT_FOUND", "Not found")
    return found


def _comment_shown(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    kind = call.portal.crm.kinds[row["kind"]]
    return {
        "ID": str(row["id"]),
        "CREATED": row["created"],
        "AUTHOR_ID": str(row["author"]),
        "COMMENT": row["text"],
        "ENTITY_ID": str(row["item"]),
        "ENTITY_TYPE": kind.code,
    }


@registry.add("crm.timeline.comment.get", "crm")
def comment_get(call: Call) -> dict[str, Any]:
    """One comment."""
    return _comment_shown(call, _comment(call))


@registry.add("crm.timeline.comment.list", "crm")
def comment_list(call: Call) -> Page:
    """The comments of a card, which the filter has to name."""
    wanted = call.params.get("filter")
    if not isinstance(wanted, dict) or not wanted.get("ENTITY_ID") or not wanted.get("ENTITY_TYPE"):
        raise wrong_value("Entity ID and type are required in the filter")
    rows = [_comment_shown(call, row) for row in call.portal.crm.comments.values()]
    found = filters.ordered(filters.matching(rows, wanted), call.params.get("order"))
    shown, following, total = filters.page(found, call.params.get("start"))
    return Page(shown, following, total)


@registry.add("crm.timeline.comment.update", "crm")
def comment_update(call: Call) -> bool:
    """Change a comment."""
    row, text = _comment(call), str(_fields(call).get("COMMENT") or "")
    if not text.strip():
        raise wrong_value("Comment is empty")
    row["text"] = text
    call.hit.fire("ONCRMTIMELINECOMMENTUPDATE", {"ID": row["id"], "FIELDS": {"ID": row["id"]}})
    return True


@registry.add("crm.timeline.comment.delete", "crm")
def comment_delete(call: Call) -> bool:
    """Remove a comment."""
    row = _comment(call)
    del call.portal.crm.comments[row["id"]]
    call.hit.fire("ONCRMTIMELINECOMMENTDELETE", {"ID": row["id"], "FIELDS": {"ID": row["id"]}})
    return True


@registry.add("crm.timeline.logmessage.add", "crm", app_only=True)
def log_add(call: Call) -> dict[str, Any]:
    """A line in a card's history."""
    fields = _fields(call)
    for name in ("entityTypeId", "entityId", "title", "text", "iconCode"):
        if not fields.get(name):
            raise Refusal("100", f"Could not find value for parameter {{{name}}}")
    kind, item = _owner(call, fields["entityTypeId"], fields["entityId"])
    if fields["iconCode"] not in ICONS:
        raise wrong_value("Unknown iconCode")
    shown = {
        "id": call.portal.crm.number("timeline", 999),
        "created": call.cloud.stamp(call.portal),
        "authorId": call.user.id,
        "title": str(fields["title"]),
        "text": str(fields["text"]),
        "iconCode": fields["iconCode"],
    }
    call.portal.crm.log_messages[shown["id"]] = {**shown, "kind": kind.id, "item": item}
    return {"logMessage": shown}


@registry.add("crm.timeline.icon.list", "crm")
def icons(call: Call) -> dict[str, Any]:
    """The pictures a log message may have."""
    return {"icons": [{"code": code, "isSystem": True, "fileUri": f"/icons/{code}.svg"} for code in ICONS]}


@registry.add("crm.activity.todo.add", "crm")
def todo_add(call: Call) -> dict[str, int]:
    """A plan on a card."""
    kind, item = _owner(call, whole(call, "ownerTypeId"), whole(call, "ownerId"))
    if not call.params.get("deadline"):
        raise Refusal("100", "Could not find value for parameter {deadline}")
    return {"id": _activity(call, kind, item, "todo", dict(call.params))}


@registry.add("crm.activity.configurable.add", "crm", app_only=True)
def configurable_add(call: Call) -> dict[str, Any]:
    """An activity with a layout of the application's own."""
    kind, item = _owner(call, whole(call, "ownerTypeId"), whole(call, "ownerId"))
    layout = call.params.get("layout")
    if not isinstance(layout, dict) or not isinstance(layout.get("body"), dict):
        raise Refusal("100", "Could not find value for parameter {layout}")
    return {"activity": {"id": _activity(call, kind, item, "configurable", dict(call.params))}}


@registry.add("crm.activity.configurable.update", "crm", app_only=True)
def configurable_update(call: Call) -> dict[str, Any]:
    """Change such an activity."""
    row = call.portal.crm.activities.get(whole(call, "id"))
    if row is None or row["type"] != "configurable":
        raise Refusal("NOT_FOUND", "Not found")
    row["params"] |= {name: value for name, value in call.params.items() if name in ("fields", "layout")}
    call.hit.fire("ONCRMACTIVITYUPDATE", {"FIELDS": {"ID": row["id"]}})
    return {"activity": {"id": row["id"]}}


@registry.add("crm.activity.add", "crm")
def activity_add(call: Call) -> int:
    """An activity of the older kind."""
    fields = call.table("fields")
    kind, item = _owner(call, fields.get("OWNER_TYPE_ID"), fields.get("OWNER_ID"))
    if not fields.get("SUBJECT"):
        raise Refusal("", "The field SUBJECT is required.")
    if str(fields.get("TYPE_ID")) not in ("1", "2", "4", "6"):
        raise Refusal("", "The field TYPE_ID is not defined or invalid.")
    if not fields.get("COMMUNICATIONS") and str(fields.get("TYPE_ID")) != "6":
        raise Refusal("", "The field COMMUNICATIONS is not defined or invalid.")
    return _activity(call, kind, item, "activity", dict(fields))


@registry.add("crm.activity.get", "crm")
def activity_get(call: Call) -> dict[str, Any]:
    """One activity, its parameters as given."""
    raw = call.arg("id")
    row = call.portal.crm.activities.get(int(raw)) if str(raw or "").isdigit() else None
    if row is None:
        raise Refusal("", "Activity is not found")
    owner = {"OWNER_TYPE_ID": str(row["kind"]), "OWNER_ID": str(row["item"])}
    return {"ID": str(row["id"]), **owner, "PROVIDER_ID": row["type"].upper(), **row["params"]}


def _activity(call: Call, kind: Kind, item: int, type_name: str, params: dict[str, Any]) -> int:
    number = call.portal.crm.number("activity", 321)
    call.portal.crm.activities[number] = {
        "id": number,
        "kind": kind.id,
        "item": item,
        "type": type_name,
        "author": call.user.id,
        "created": call.cloud.stamp(call.portal),
        "params": params,
    }
    call.portal.crm.touch(kind, item, call.user.id)
    call.hit.fire("ONCRMACTIVITYADD", {"FIELDS": {"ID": number}})
    return number
