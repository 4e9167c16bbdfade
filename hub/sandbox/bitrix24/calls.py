"""What a REST method gets and how methods are registered. Each module of `methods` adds its own to `registry`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.sandbox.bitrix24.events import Hit
from hub.sandbox.bitrix24.model import Installation, Portal, User
from hub.sandbox.bitrix24.refusals import Refusal, access_denied, missing

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

CONTEXT = "Application context required"


@dataclass
class Page:
    """A result with the keys that stand beside it: where the next page begins and how many rows there are."""

    rows: Any
    following: int | None = None
    total: int | None = None


@dataclass
class Call:
    """One call. `installation` is None for an incoming webhook; `scope` is what the token or webhook may do."""

    cloud: "Cloud"
    portal: Portal
    user: User
    scope: list[str]
    hit: Hit
    params: dict[str, Any]
    installation: Installation | None = None
    token: str = ""

    @property
    def app(self) -> Installation:
        """The calling application. Raises Refusal for a webhook."""
        if self.installation is None:
            raise Refusal("WRONG_AUTH_TYPE", f"Current authorization type is denied for this method {CONTEXT}", 403)
        return self.installation

    def arg(self, name: str, default: Any = None) -> Any:
        """A parameter of one of the older methods, which take its name in either case."""
        for known in (name, name.lower(), name.upper()):
            if known in self.params:
                return self.params[known]
        return default

    def need(self, name: str) -> Any:
        """A parameter that must be there. Raises Refusal."""
        value = self.arg(name)
        if value in (None, "", [], {}):
            raise missing(name)
        return value

    def table(self, name: str) -> dict[str, Any]:
        """A parameter that is a map; an empty list counts as one."""
        value = self.arg(name)
        if isinstance(value, list):
            return {str(place): item for place, item in enumerate(value)}
        return value if isinstance(value, dict) else {}

    def need_admin(self) -> None:
        """Raises Refusal for anybody but an administrator."""
        if not self.user.admin:
            raise access_denied()


Run = Callable[[Call], Any]


@dataclass(frozen=True)
class Method:
    """A method: the scopes of which one is needed (none: basic), and who may call it.

    `context` is the error that a webhook meets at a method only for applications.
    """

    name: str
    run: Run
    scopes: tuple[str, ...] = ()
    app_only: bool = False
    admin: bool = False
    context: str = "WRONG_AUTH_TYPE"

    def check(self, call: Call) -> None:
        """Raises Refusal when the caller may not call it."""
        if self.scopes and not set(self.scopes) & set(call.scope):
            said = "The request requires higher privileges than provided by the access token"
            raise Refusal("insufficient_scope", said, 403)

    def check_caller(self, call: Call) -> None:
        """Raises Refusal for a webhook at a method of applications, and for people who are no administrators."""
        if self.app_only and call.installation is None:
            if self.context == "ACCESS_DENIED":
                raise access_denied(CONTEXT)
            call.app  # noqa: B018 - raises
        if self.admin:
            call.need_admin()


@dataclass
class Registry:
    """The methods by their lower-case names."""

    methods: dict[str, Method] = field(default_factory=dict)

    def add(self, name: str, *scopes: str, **more: Any) -> Callable[[Run], Run]:
        """Decorates the function behind a method."""

        def decorate(run: Run) -> Run:
            self.methods[name.lower()] = Method(name, run, scopes, **more)
            return run

        return decorate

    def find(self, name: str) -> Method:
        """A method by its name, in any case. Raises Refusal."""
        found = self.methods.get(name.lower())
        if found is None:
            raise Refusal("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
        return found


registry = Registry()
