"""Methods that need no scope: who am I, which application is this, what may it do."""

from typing import Any

from hub.sandbox.bitrix24.calls import Call, registry
from hub.sandbox.bitrix24.refusals import Refusal

PLANS = {"pro": "pro100", "basic": "basic", "std": "std", "enterprise": "ent250", "free": "project"}


@registry.add("profile")
def profile(call: Call) -> dict[str, Any]:
    """The person whose token it is."""
    return {
        "ID": str(call.user.id),
        "ADMIN": call.user.admin,
        "NAME": call.user.name,
        "LAST_NAME": call.user.last_name,
        "PERSONAL_GENDER": "",
        "TIME_ZONE": "",
        "TIME_ZONE_OFFSET": call.portal.offset_h * 3600,
    }


@registry.add("user.admin")
def user_admin(call: Call) -> bool:
    """Whether that person is an administrator."""
    return call.user.admin


@registry.add("app.info")
def app_info(call: Call) -> dict[str, Any]:
    """The application as the portal knows it; the plan alone for a webhook."""
    kind = PLANS.get(call.portal.plan, call.portal.plan)
    plan = {"LICENSE": f"{call.portal.lang}_{kind}", "LICENSE_TYPE": kind, "LICENSE_FAMILY": call.portal.plan}
    installation = call.installation
    if installation is None:
        return {"SCOPE": list(call.scope), **plan}
    return {
        "ID": installation.number,
        "CODE": installation.app.client_id,
        "VERSION": installation.version,
        "STATUS": installation.app.status,
        "INSTALLED": installation.installed,
        "PAYMENT_EXPIRED": "N" if installation.paid else "Y",
        "DAYS": None,
        "LANGUAGE_ID": call.portal.lang,
        **plan,
    }


@registry.add("scope")
def scope(call: Call) -> list[str]:
    """What the token may do; all there is with `full`."""
    if call.arg("full"):
        return sorted({name for method in registry.methods.values() for name in method.scopes})
    return list(call.scope)


@registry.add("methods")
def methods(call: Call) -> list[str]:
    """The methods open to the token; all there are with `full`."""
    every = call.arg("full")
    return [
        method.name
        for method in registry.methods.values()
        if every or not method.scopes or set(method.scopes) & set(call.scope)
    ]


@registry.add("method.get")
def method_get(call: Call) -> dict[str, bool]:
    """Whether a method is there, and open to the token."""
    known = registry.methods.get(str(call.need("name")).lower())
    open_to = known is not None and (not known.scopes or bool(set(known.scopes) & set(call.scope)))
    return {"isExisting": known is not None, "isAvailable": open_to}


@registry.add("server.time")
def server_time(call: Call) -> str:
    """The portal's clock."""
    return call.cloud.stamp(call.portal)


@registry.add("feature.get")
def feature_get(call: Call) -> dict[str, str]:
    """Whether the plan has a feature."""
    code = str(call.need("CODE"))
    if code not in ("rest_offline_extended", "rest_auth_connector"):
        raise Refusal("ERROR_ARGUMENT", "Unknown feature", argument="CODE")
    return {"value": "Y" if code in call.portal.features else "N"}


@registry.add("access.name")
def access_name(call: Call) -> dict[str, Any]:
    """The names behind access codes such as U1."""
    codes = call.arg("ACCESS") or []
    shown: dict[str, Any] = {}
    for code in codes if isinstance(codes, list) else [codes]:
        person = call.portal.users.get(int(str(code)[1:])) if str(code)[1:].isdigit() else None
        if person is not None:
            shown[str(code)] = {"provider_id": "user", "name": f"{person.name} {person.last_name}"}
    return shown
