"""Binding events, and trying out whether the portal can reach the application."""

from typing import Any
from urllib.parse import urlsplit

from hub.sandbox.bitrix24.calls import Call, registry
from hub.sandbox.bitrix24.events import Hit, available_events
from hub.sandbox.bitrix24.model import Handler
from hub.sandbox.bitrix24.refusals import Refusal, access_denied


def checked_url(value: Any) -> str:
    """An address that the portal would post to. Raises Refusal."""
    url = str(value)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise Refusal("ERROR_UNSUPPORTED_PROTOCOL", "Unsupported event handler protocol")
    if "." not in (parts.hostname or "") or len(url) > 2048:
        raise Refusal("ERROR_WRONG_HANDLER_URL", "Wrong handler URL")
    return url


@registry.add("event.bind", app_only=True)
def bind(call: Call) -> bool:
    """Bind a handler to an event."""
    event = str(call.need("event")).upper()
    offline = _is_offline(call)
    if event not in available_events(call.portal, call.scope):
        raise Refusal("ERROR_EVENT_NOT_FOUND", "Event not found")
    auth_type = int(call.arg("auth_type") or 0)
    if not call.user.admin and offline:
        raise access_denied("Offline events are available to administrators only")
    if not call.user.admin and auth_type not in (0, call.user.id):
        raise access_denied("Only administrators may set AUTH_TYPE")
    if auth_type and auth_type not in call.portal.users:
        raise Refusal("ERROR_ARGUMENT", "Unknown user", argument="AUTH_TYPE")
    if not call.user.admin:
        auth_type = call.user.id
    connector = str(call.arg("auth_connector") or "") if offline else ""
    if connector and "rest_auth_connector" not in call.portal.features:
        raise Refusal("WRONG_LICENSE", "The feature is not available on this plan", 403)
    url = "" if offline else checked_url(call.need("handler"))
    for known in call.app.handlers:
        if (known.event, known.handler, known.auth_type, known.connector) == (event, url, auth_type, connector):
            raise Refusal("ERROR_CORE", "Unable to set event handler: Handler already binded")
    options = call.table("options")
    call.app.handlers.append(
        Handler(
            id=call.portal.crm.number("handler", 57),
            event=event,
            handler=url,
            auth_type=auth_type,
            offline=offline,
            connector=connector,
            min_timeout_s=int(options.get("minTimeout") or 1),
        )
    )
    return True


@registry.add("event.get", app_only=True)
def get(call: Call) -> list[dict[str, Any]]:
    """What this application has bound."""
    shown: list[dict[str, Any]] = []
    for handler in call.app.handlers:
        if handler.offline:
            shown.append({"event": handler.event, "connector_id": handler.connector, "offline": 1})
        else:
            shown.append(
                {
                    "event": handler.event,
                    "handler": handler.handler,
                    "auth_type": str(handler.auth_type),
                    "offline": 0,
                }
            )
    return shown


@registry.add("event.unbind", app_only=True)
def unbind(call: Call) -> dict[str, int]:
    """Unbind; tells how many bindings went."""
    event, offline = str(call.need("event")).upper(), _is_offline(call)
    if not call.user.admin and offline:
        raise access_denied("Offline events are available to administrators only")
    auth_type, connector = call.arg("auth_type"), call.arg("auth_connector")
    url = "" if offline else str(call.need("handler"))
    keep: list[Handler] = []
    for handler in call.app.handlers:
        same = (handler.event, handler.handler, handler.offline) == (event, url, offline)
        if same and auth_type is not None:
            same = handler.auth_type == int(auth_type or 0)
        if same and connector is not None:
            same = handler.connector == str(connector)
        if not same:
            keep.append(handler)
    count = len(call.app.handlers) - len(keep)
    call.app.handlers[:] = keep
    return {"count": count}


@registry.add("events")
def events(call: Call) -> list[str]:
    """The events there are for the scopes of the token, or for one of them."""
    wanted = call.arg("scope")
    scope = call.scope if wanted is None else [str(wanted)]
    if call.arg("full"):
        scope = ["crm", "imconnector"]
    return available_events(call.portal, scope)


@registry.add("event.test", app_only=True)
def test(call: Call) -> int:
    """Post ONAPPTEST with the parameters to its handlers."""
    query = {key: value for key, value in call.params.items() if key != "auth"}
    hit = Hit(call.cloud, call.portal, call.user)
    hit.tell_one(call.app, call.app.handlers, "ONAPPTEST", {"QUERY": query, "LANGUAGE_ID": call.portal.lang})
    return 1


def _is_offline(call: Call) -> bool:
    kind = str(call.arg("event_type") or "online").lower()
    if kind not in ("online", "offline"):
        raise Refusal("ERROR_ARGUMENT", "Wrong event type", argument="EVENT_TYPE")
    return kind == "offline"
