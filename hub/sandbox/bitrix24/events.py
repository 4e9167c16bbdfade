"""What one hit on a portal causes: events to handlers and rows for offline readers, each once, when the hit is over."""

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any

from hub.sandbox.bitrix24.model import Handler, Installation, OfflineRow, Outgoing, Portal, User
from hub.sandbox.bitrix24.tokens import Token

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

EVENT_BUDGET = 3
_entities = ("LEAD", "DEAL", "CONTACT", "COMPANY", "QUOTE")
LIFECYCLE = ("ONAPPINSTALL", "ONAPPUNINSTALL", "ONAPPUPDATE", "ONAPPPAYMENT", "ONAPPMETHODCONFIRM", "ONAPPTEST")
WITH_REFRESH = ("ONAPPINSTALL", "ONAPPUPDATE", "ONOFFLINEEVENT", "ONAPPTEST")
CRM_EVENTS = (
    *(f"ONCRM{entity}{what}" for entity in _entities for what in ("ADD", "UPDATE", "DELETE")),
    *(
        f"ONCRM{entity}USERFIELD{what}"
        for entity in _entities[:4]
        for what in ("ADD", "UPDATE", "DELETE", "SETENUMVALUES")
    ),
    "ONCRMDEALMOVETOCATEGORY",
    *(f"ONCRM{what}" for what in ("ACTIVITYADD", "ACTIVITYUPDATE", "ACTIVITYDELETE")),
    *(f"ONCRM{what}" for what in ("TIMELINECOMMENTADD", "TIMELINECOMMENTUPDATE", "TIMELINECOMMENTDELETE")),
    *(f"ONCRM{what}" for what in ("TYPEADD", "TYPEUPDATE", "TYPEDELETE")),
    *(f"ONCRMDYNAMICITEM{what}" for what in ("ADD", "UPDATE", "DELETE")),
)
CONNECTOR_EVENTS = (
    "ONIMCONNECTORMESSAGEADD",
    "ONIMCONNECTORMESSAGEUPDATE",
    "ONIMCONNECTORMESSAGEDELETE",
    "ONIMCONNECTORDIALOGSTART",
    "ONIMCONNECTORDIALOGFINISH",
    "ONIMCONNECTORSTATUSDELETE",
    "ONIMCONNECTORLINEDELETE",
)


def available_events(portal: Portal, scope: list[str]) -> list[str]:
    """The events an application with these scopes may bind, upper case."""
    names = [*LIFECYCLE, "ONOFFLINEEVENT"]
    if "crm" in scope:
        names += CRM_EVENTS
        changes = ("ADD", "UPDATE", "DELETE")
        names += [f"ONCRMDYNAMICITEM{what}_{kind}" for kind in portal.crm.dynamic_types for what in changes]
    if "imconnector" in scope:
        names += CONNECTOR_EVENTS
    return names


def auth_block(
    cloud: "Cloud",
    portal: Portal,
    installation: Installation,
    user_id: int | None,
    *,
    refresh: bool = False,
    budget: int | None = None,
) -> dict[str, Any]:
    """The `auth` of a POST: with a new pair of the user's tokens, or with the portal's keys alone without a user."""
    same = {
        "scope": ",".join(installation.scope),
        "domain": portal.domain,
        "server_endpoint": cloud.server_endpoint,
        "status": installation.app.status,
        "client_endpoint": portal.client_endpoint,
        "member_id": portal.member_id,
    }
    last = {"application_token": installation.application_token}
    if user_id is None:
        return same | last
    with cloud.lock:
        token = cloud.tokens.mint(installation.app.client_id, portal.member_id, user_id, cloud.now(), budget)
    own: dict[str, Any] = {
        "access_token": token.access,
        "expires": int(token.expires),
        "expires_in": round(token.expires - cloud.now()),
    }
    more = {"refresh_token": token.refresh} if refresh else {}
    return own | same | {"user_id": user_id} | more | last


class Hit:
    """One request, click or step of automation. `user` is None where no person stands behind it.

    Equal events of one hit are one event. The caller holds the cloud's lock.
    """

    def __init__(self, cloud: "Cloud", portal: Portal, user: User | None, token: Token | None = None) -> None:
        self.cloud, self.portal, self.user, self.token = cloud, portal, user, token
        self.connector = ""
        self._events: dict[str, tuple[str, dict[str, Any]]] = {}
        self._entered: list[tuple[int, int, str]] = []

    @property
    def user_id(self) -> int | None:
        """The person's id."""
        return None if self.user is None else self.user.id

    def fire(self, event: str, data: dict[str, Any]) -> None:
        """Cause an event, to be sent when the hit is over."""
        self._events.setdefault(event + json.dumps(data, sort_keys=True), (event, data))

    def entered(self, entity_type: int, item: int, stage: str) -> None:
        """Tell that a card came to a stage, where robots may stand."""
        self._entered.append((entity_type, item, stage))

    def flush(self) -> None:
        """Send what the hit caused."""
        events, self._events = list(self._events.values()), {}
        entered, self._entered = self._entered, []
        if self.token is not None and self.token.budget is not None and events:
            if self.token.budget <= 0:
                events = []
            else:
                self.token.budget -= 1
        for event, data in events:
            for hook in self.portal.outgoing:
                if hook.event == event and event != "ONCRMDEALMOVETOCATEGORY":
                    self._post_outgoing(hook, event, data)
            for installation in list(self.portal.installations.values()):
                if installation.installed:
                    self._tell(installation, event, data)
        for entity_type, item, stage in entered:
            self.cloud.automation.start(self.portal, entity_type, item, stage)

    def tell_one(self, installation: Installation, handlers: list[Handler], event: str, data: dict[str, Any]) -> None:
        """Send an event to these handlers, whether or not the application is installed."""
        for handler in handlers:
            if handler.event == event and not handler.offline:
                self._post(installation, handler, event, data)

    def _tell(self, installation: Installation, event: str, data: dict[str, Any]) -> None:
        names = {event, _with_type(event, data)}
        for handler in list(installation.handlers):
            if handler.event not in names:
                continue
            if handler.offline:
                self._keep(installation, handler, event, data)
            else:
                self._post(installation, handler, handler.event, data)

    def _post(self, installation: Installation, handler: Handler, event: str, data: dict[str, Any]) -> None:
        cloud, portal = self.cloud, self.portal
        user_id = handler.auth_type or self.user_id
        if event == "ONAPPUNINSTALL":
            user_id = None
        budget = EVENT_BUDGET if self.token is None or self.token.budget is None else self.token.budget
        refresh = event in WITH_REFRESH

        def build() -> dict[str, Any]:
            number = {"event_handler_id": handler.id} if portal.modern else {}
            auth = auth_block(cloud, portal, installation, user_id, refresh=refresh, budget=None if refresh else budget)
            if event == "ONAPPUNINSTALL":
                auth = {key: value for key, value in auth.items() if key not in ("scope", "status")}
                number = {}
            return {"event": event, **number, "data": data, "ts": int(cloud.now()), "auth": auth}

        cloud.queue.put("event", event, handler.handler, portal.member_id, build)

    def _post_outgoing(self, hook: Outgoing, event: str, data: dict[str, Any]) -> None:
        auth = {
            "domain": self.portal.domain,
            "client_endpoint": self.portal.client_endpoint,
            "server_endpoint": self.cloud.server_endpoint,
            "member_id": self.portal.member_id,
            "application_token": hook.token,
        }

        def build() -> dict[str, Any]:
            return {"event": event, "data": data, "ts": int(self.cloud.now()), "auth": auth}

        self.cloud.queue.put("event", event, hook.url, self.portal.member_id, build)

    def _keep(self, installation: Installation, handler: Handler, event: str, data: dict[str, Any]) -> None:
        """Write an event into the queue for offline readers, which holds the last state of equal ones only."""
        if handler.connector and handler.connector == self.connector:
            return
        message_id = hashlib.md5(
            (event + handler.connector + json.dumps(data, sort_keys=True)).encode(), usedforsecurity=False
        ).hexdigest()
        rows = installation.offline
        rows[:] = [row for row in rows if row.message_id != message_id or row.process_id or row.error]
        number = 1 + max((row.id for row in rows), default=secrets.randbelow(900) + 100)
        additional = {} if self.user is None else {"user_id": self.user.id}
        rows.append(
            OfflineRow(number, self.cloud.now(), event, data, additional, message_id, connector=handler.connector)
        )
        for waiting in installation.handlers:
            due = waiting.told_at + waiting.min_timeout_s <= self.cloud.now()
            if waiting.event == "ONOFFLINEEVENT" and due:
                waiting.told_at = self.cloud.now()
                self._post(installation, waiting, "ONOFFLINEEVENT", {})


def _with_type(event: str, data: dict[str, Any]) -> str:
    kind = data.get("FIELDS", {}).get("ENTITY_TYPE_ID") if isinstance(data.get("FIELDS"), dict) else None
    return f"{event}_{kind}" if kind and event.startswith("ONCRMDYNAMICITEM") else event
