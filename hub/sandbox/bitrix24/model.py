"""What a portal remembers: people, installed applications and what they registered."""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.crm.store import Crm

FEATURES = frozenset({"rest_offline_extended", "rest_auth_connector"})


@dataclass
class App:
    """An application as its vendor registered it. Without `install_url` it has no wizard; `api_only` has no page."""

    client_id: str
    client_secret: str
    app_url: str = ""
    install_url: str = ""
    title: str = "Hubline"
    scope: list[str] = field(default_factory=list)
    status: str = "L"
    version: int = 1
    api_only: bool = False


@dataclass
class User:
    """A person on a portal. Without `sees_all` only the cards they are responsible for are open to them."""

    id: int
    name: str
    last_name: str
    admin: bool = False
    active: bool = True
    email: str = ""
    position: str = ""
    sees_all: bool = True


@dataclass
class Handler:
    """A bound event: `auth_type` is the user whose token is sent, 0 the one who caused the event."""

    id: int
    event: str
    handler: str
    auth_type: int = 0
    offline: bool = False
    connector: str = ""
    min_timeout_s: int = 1
    told_at: float = 0.0


@dataclass
class Placement:
    """A bound place in the portal's pages."""

    placement: str
    handler: str
    title: str = ""
    description: str = ""
    lang_all: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    user_id: int = 0


@dataclass
class Activity:
    """A robot or a business-process action; `kind` is `robot` or `activity`, `fields` the parameters as given."""

    kind: str
    code: str
    handler: str
    fields: dict[str, Any]


@dataclass
class Sender:
    """A message provider."""

    code: str
    handler: str
    name: Any
    description: Any = ""


@dataclass
class Connector:
    """An open-channel connector and the lines it is active on."""

    id: str
    name: str
    placement_handler: str
    fields: dict[str, Any] = field(default_factory=dict)
    active: set[int] = field(default_factory=set)
    data: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class OfflineRow:
    """One row of an application's queue of offline events; `process_id` marks rows that are reserved."""

    id: int
    at: float
    event: str
    data: dict[str, Any]
    additional: dict[str, Any]
    message_id: str
    connector: str = ""
    process_id: str = ""
    error: bool = False


@dataclass
class Installation:
    """An application on a portal. `installed` stays False until the page of the wizard finishes it."""

    app: App
    number: int
    application_token: str
    installed_by: int
    installed: bool = False
    paid: bool = True
    scope: list[str] = field(default_factory=list)
    version: int = 1
    handlers: list[Handler] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    activities: dict[tuple[str, str], Activity] = field(default_factory=dict)
    senders: dict[str, Sender] = field(default_factory=dict)
    connectors: dict[str, Connector] = field(default_factory=dict)
    triggers: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    user_options: dict[int, dict[str, Any]] = field(default_factory=dict)
    offline: list[OfflineRow] = field(default_factory=list)
    barred: set[int] = field(default_factory=set)


@dataclass
class Webhook:
    """An incoming webhook: a code that acts as one user with the ticked scopes."""

    user_id: int
    code: str
    scope: list[str]


@dataclass
class Outgoing:
    """An outgoing webhook: an event posted to an address, with a token of the webhook's own and no other."""

    event: str
    url: str
    token: str


@dataclass
class Portal:
    """One portal. `domain` is what applications call it by; its earlier addresses answer 302. `moved_to` makes all of
    them answer 302 to a place of the test's choice.

    `modern` adds SERVER_ENDPOINT, APPLICATION_TOKEN and APPLICATION_SCOPE to frames and event_handler_id to events.
    `burst` and `rate` are the leaky bucket (requests, requests per second); burst 0 switches it off.
    """

    domain: str
    member_id: str
    crm: "Crm"
    title: str = "Учебный портал"
    lang: str = "ru"
    offset_h: int = 3
    plan: str = "pro"
    features: set[str] = field(default_factory=lambda: set(FEATURES))
    modern: bool = True
    moved_to: str = ""
    burst: int = 50
    rate: float = 2.0
    operating_limit_s: float = 480.0
    operating_cost_s: float = 0.0
    users: dict[int, User] = field(default_factory=dict)
    installations: dict[str, Installation] = field(default_factory=dict)
    # The stage that a trigger leads to, by the kind of card and the trigger's code.
    triggers: dict[tuple[int, str], str] = field(default_factory=dict)
    # The options that removed applications left behind: for all, and for each person.
    kept: dict[str, tuple[dict[str, Any], dict[int, dict[str, Any]]]] = field(default_factory=dict)
    webhooks: list[Webhook] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The portal's root."""
        return f"http://{self.domain}"

    @property
    def client_endpoint(self) -> str:
        """The root of its REST methods, with a slash at the end."""
        return f"{self.url}/rest/"

    def user(self, user_id: int) -> User:
        """A person by id. Raises KeyError."""
        return self.users[user_id]


def application_token(portal: Portal, app: App) -> str:
    """32 hex characters, the same for an application on a portal however often it is installed."""
    return hashlib.sha256(f"{portal.member_id}|{app.client_id}".encode()).hexdigest()[:32]
