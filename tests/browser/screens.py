"""Every screen of the product, for tests that walk them all and for the pictures that `make pictures` takes."""

from collections.abc import Callable

from tests.journeys.installation import Installation


def _first(path: str) -> Callable[[Installation], str]:
    return lambda at: str(at.read(path)["items"][0]["id"])


class Screen:
    """A page: its name in file names, and its address; `{id}` in it is found by `chosen`."""

    def __init__(self, name: str, address: str, chosen: Callable[[Installation], str] | None = None) -> None:
        self.name, self._address, self._chosen = name, address, chosen

    @property
    def needs_content(self) -> bool:
        """Whether it exists only when there is something to show."""
        return self._chosen is not None

    def address(self, at: Installation) -> str:
        """Where it is in this product."""
        return self._address if self._chosen is None else self._address.format(id=self._chosen(at))


SCREENS = (
    Screen("overview", "/"),
    Screen("scenarios", "/scenarios"),
    Screen("editor", "/scenarios/{id}", lambda at: _scenario(at, "Заказ готов")),
    Screen("editor-with-problems", "/scenarios/{id}", lambda at: _scenario(at, "Заявка с сайта")),
    Screen("requests", "/journal"),
    Screen("request", "/journal/requests/{id}", _first("/requests")),
    Screen("runs", "/journal/runs"),
    Screen("run", "/journal/runs/{id}", _first("/runs?status=completed")),
    Screen("run-failed", "/journal/runs/{id}", _first("/runs?status=failed")),
    Screen("messages", "/journal/messages"),
    Screen("message", "/journal/messages/{id}", _first("/messages?state=failed")),
    Screen("undelivered", "/undelivered"),
    Screen("lines", "/lines"),
    Screen("line-new", "/lines/new"),
    Screen("line", "/lines/{id}", lambda at: at.line),
    Screen("line-refused", "/lines/{id}", lambda at: _line(at, "Склад")),
    Screen("fields", "/fields"),
    Screen("settings", "/settings"),
    Screen("settings-people", "/settings/people"),
    Screen("settings-keys", "/settings/keys"),
    Screen("settings-values", "/settings/values"),
    Screen("settings-bitrix24", "/settings/bitrix24"),
    Screen("health", "/health"),
    Screen("notices", "/notices"),
    Screen("search", "/search?q=0404"),
    Screen("import", "/scenarios/import"),
    Screen("nothing-here", "/no-such-page"),
)


def _scenario(at: Installation, name: str) -> str:
    return str(next(one["id"] for one in at.read("/scenarios")["items"] if one["name"] == name))


def _line(at: Installation, name: str) -> str:
    return str(next(one["id"] for one in at.read("/lines")["items"] if one["name"] == name))
