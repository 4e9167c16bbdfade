"""People and notices to them."""

from typing import Any

from hub.sandbox.bitrix24.calls import Call, Page, registry
from hub.sandbox.bitrix24.crm import filters
from hub.sandbox.bitrix24.model import User
from hub.sandbox.bitrix24.refusals import Refusal

WIDE = ("user", "user_basic")
LONGEST_ATTACH = 60_000


def _shown(call: Call, user: User) -> dict[str, Any]:
    row: dict[str, Any] = {
        "ID": str(user.id),
        "ACTIVE": user.active,
        "NAME": user.name,
        "LAST_NAME": user.last_name,
        "SECOND_NAME": "",
        "WORK_POSITION": user.position,
        "UF_DEPARTMENT": [1],
        "USER_TYPE": "employee",
    }
    if set(WIDE) & set(call.scope):
        row |= {"EMAIL": user.email, "PERSONAL_MOBILE": "", "WORK_PHONE": ""}
    return row


@registry.add("user.get", "user", "user_basic", "user_brief")
def get(call: Call) -> Page:
    """People by a filter, which may stand at the top level too."""
    wanted = call.table("FILTER") or {key: value for key, value in call.params.items() if key in ("ID", "ACTIVE")}
    rows = [_shown(call, user) for user in call.portal.users.values()]
    sort, way = str(call.arg("SORT") or "ID"), str(call.arg("ORDER") or "ASC")
    found = filters.ordered(filters.matching(rows, wanted), {sort: way})
    shown, following, total = filters.page(found, call.arg("start"))
    return Page(shown, following, total)


@registry.add("user.current", "user", "user_basic", "user_brief")
def current(call: Call) -> dict[str, Any]:
    """The person whose token it is."""
    return _shown(call, call.user)


def _notify(call: Call, kind: str) -> int | bool:
    raw, text = call.arg("USER_ID") or call.arg("to"), str(call.arg("MESSAGE") or "")
    if not str(raw or "").isdigit():
        raise Refusal("USER_ID_EMPTY", "User ID can't be empty")
    if not text.strip():
        raise Refusal("MESSAGE_EMPTY", "Message can't be empty")
    if len(str(call.arg("ATTACH") or "")) > LONGEST_ATTACH:
        raise Refusal("ATTACH_OVERSIZE", "You have exceeded the maximum allowable size of attach")
    person = call.portal.users.get(int(raw))
    if person is None or not person.active:
        return False
    tag = str(call.arg("TAG") or "")
    if tag:
        call.cloud.notifications[:] = [
            row
            for row in call.cloud.notifications
            if (row["tag"], row["to"], row["member_id"]) != (tag, person.id, call.portal.member_id)
        ]
    number = call.portal.crm.number("notification", 101)
    call.cloud.notifications.append(
        {
            "id": number,
            "member_id": call.portal.member_id,
            "to": person.id,
            "from": call.user.id if kind == "personal" else 0,
            "text": text,
            "tag": tag,
            "kind": kind,
        }
    )
    return number


@registry.add("im.notify.system.add", "im")
def notify_system(call: Call) -> int | bool:
    """A notice of the application's."""
    return _notify(call, "system")


@registry.add("im.notify.personal.add", "im")
def notify_personal(call: Call) -> int | bool:
    """A notice from the person whose token it is."""
    return _notify(call, "personal")


@registry.add("im.notify", "im")
def notify(call: Call) -> int | bool:
    """The older form of both."""
    return _notify(call, "system" if str(call.arg("type") or "USER").upper() == "SYSTEM" else "personal")


@registry.add("im.message.add", "im")
def message(call: Call) -> int:
    """A message into a chat."""
    if not call.arg("DIALOG_ID"):
        raise Refusal("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
    if not str(call.arg("MESSAGE") or "").strip() and not call.arg("ATTACH"):
        raise Refusal("MESSAGE_EMPTY", "Message can't be empty")
    number = call.portal.crm.number("im", 5001)
    call.cloud.notifications.append(
        {
            "id": number,
            "member_id": call.portal.member_id,
            "to": str(call.arg("DIALOG_ID")),
            "from": call.user.id,
            "text": str(call.arg("MESSAGE") or ""),
            "tag": "",
            "kind": "chat",
        }
    )
    return number
