"""Places in the portal's pages where an application may stand."""

import re
from typing import Any

from hub.sandbox.bitrix24.calls import Call, registry
from hub.sandbox.bitrix24.methods.event import checked_url
from hub.sandbox.bitrix24.model import Placement
from hub.sandbox.bitrix24.refusals import Refusal, missing

_card = r"(?:LEAD|DEAL|CONTACT|COMPANY|QUOTE|SMART_INVOICE|ORDER|DYNAMIC_[0-9]+)"
_where = r"(?:DETAIL_TAB|DETAIL_TOOLBAR|DETAIL_ACTIVITY|LIST_MENU|LIST_TOOLBAR|ACTIVITY_TIMELINE_MENU)"
_crm = re.compile(
    rf"CRM_{_card}_{_where}|CRM_{_card}_(?:DOCUMENTGENERATOR_BUTTON|ROBOT_DESIGNER_TOOLBAR)"
    r"|CRM_ANALYTICS_MENU|CRM_ANALYTICS_TOOLBAR|CRM_FUNNELS_TOOLBAR|CRM_DETAIL_SEARCH"
)
OTHERS = {
    "LEFT_MENU": "",
    "IM_TEXTAREA": "im",
    "IM_SIDEBAR": "im",
    "IM_CONTEXT_MENU": "im",
    "IM_NAVIGATION": "im",
    "IMMOBILE_CONTEXT_MENU": "im",
    "CONTACT_CENTER": "contact_center",
    "CALL_CARD": "telephony",
    "TELEPHONY_ANALYTICS_MENU": "telephony",
    "TASK_VIEW_TAB": "task",
    "TASK_VIEW_SIDEBAR": "task",
    "TASK_VIEW_TOP_PANEL": "task",
    "TASK_LIST_CONTEXT_MENU": "task",
    "USER_PROFILE_MENU": "",
    "USER_PROFILE_TOOLBAR": "",
    "CALENDAR_GRIDVIEW": "calendar",
    "PAGE_BACKGROUND_WORKER": "",
    "REST_APP_URI": "",
    "SETTING_CONNECTOR": "imconnector",
}
ONCE = ("REST_APP_URI", "PAGE_BACKGROUND_WORKER")
RULES: dict[str, Any] = {"app_only": True, "admin": True}
LISTED = ("TAB", "TOOLBAR", "ACTIVITY")


def _known(call: Call, code: str) -> bool:
    scope = "crm" if _crm.fullmatch(code) else OTHERS.get(code)
    return scope is not None and (scope == "" or scope in call.scope)


@registry.add("placement.bind", "placement", **RULES)
def bind(call: Call) -> bool:
    """Take a place."""
    code = str(call.arg("PLACEMENT") or "")
    if not code:
        raise missing("PLACEMENT")
    if not call.arg("HANDLER"):
        raise missing("HANDLER")
    if not _known(call, code):
        raise Refusal("ERROR_PLACEMENT_NOT_FOUND", "Placement not found")
    url = checked_url(call.arg("HANDLER"))
    if any((row.placement, row.handler) == (code, url) for row in call.app.placements):
        raise Refusal("ERROR_CORE", "Unable to set placement handler: Handler already binded")
    if code in ONCE and any(row.placement == code for row in call.app.placements):
        raise Refusal("ERROR_PLACEMENT_MAX_COUNT", "Placement max count")
    user_id = int(call.arg("USER_ID") or 0)
    if user_id and code not in ONCE:
        raise Refusal("ERROR_PLACEMENT_USER_MODE", "User mode is not available for this placement")
    titles = call.table("LANG_ALL")
    own = titles.get(call.portal.lang) or {}
    call.app.placements.append(
        Placement(
            placement=code,
            handler=url,
            title=str(own.get("TITLE") or call.arg("TITLE") or ""),
            description=str(own.get("DESCRIPTION") or call.arg("DESCRIPTION") or ""),
            lang_all=titles,
            options={} if code == "LEFT_MENU" else call.table("OPTIONS"),
            user_id=user_id,
        )
    )
    return True


@registry.add("placement.get", "placement", **RULES)
def get(call: Call) -> list[dict[str, Any]]:
    """The places this application has."""
    return [
        {
            "placement": row.placement,
            "userId": row.user_id,
            "handler": row.handler,
            "options": row.options or [],
            "title": row.title,
            "description": row.description,
            "langAll": row.lang_all or [],
        }
        for row in call.app.placements
    ]


@registry.add("placement.list", "placement", app_only=True)
def list_(call: Call) -> list[str]:
    """The places there are for the token's scopes."""
    names = ("LEAD", "DEAL", "CONTACT", "COMPANY", *(f"DYNAMIC_{number}" for number in call.portal.crm.dynamic_types))
    codes = [f"CRM_{name}_DETAIL_{where}" for name in names for where in LISTED]
    codes += [f"CRM_{name}_LIST_MENU" for name in names]
    return [code for code in [*codes, *OTHERS] if _known(call, code)]


@registry.add("placement.unbind", "placement", **RULES)
def unbind(call: Call) -> dict[str, int]:
    """Leave a place; the count is double, as with the real one."""
    code, url = str(call.need("PLACEMENT")), call.arg("HANDLER")
    keep = [row for row in call.app.placements if row.placement != code or (url and row.handler != str(url))]
    count = len(call.app.placements) - len(keep)
    call.app.placements[:] = keep
    return {"count": 2 * count}
