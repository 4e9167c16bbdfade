"""Scenarios, lines, constants and globals as a running process knows them: cached, and never stale.

A cached portal carries the stamp it was read at. Whoever commits something made with it calls `is_current` inside
that transaction, which costs no round trip of its own, and on False reloads and computes again. So a published
version, a new line or a changed constant counts for the very next request in every process.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hub.db import Database
from hub.quiet import QuietHours
from hub.scenarios.advance import Globals
from hub.scenarios.block import LineInfo
from hub.scenarios.check import Program, compile_document
from hub.scenarios.document import parse_document
from hub.sql import Sql, marks
from hub.values import Value, loads

CACHED_PROGRAMS = 500
CACHED_LINKS = 10_000
STALE_TRIES = 50
"""How often something is computed again because the settings it was made with have changed."""


@dataclass(frozen=True)
class PublishedScenario:
    """What a request needs to know of a scenario. `version_id` is None while nothing is published or it is off."""

    id: int
    portal_id: int
    name: str
    enabled: bool
    version_id: int | None
    version: int | None
    settings_version_id: int | None


@dataclass(frozen=True)
class PortalView:
    """A portal's settings as they were at `config` and `globals_stamp`."""

    id: int
    config: int
    globals_stamp: int
    active: bool
    zone: ZoneInfo
    quiet: QuietHours | None
    language: str
    lines: Mapping[str, LineInfo]
    constants: Mapping[str, Value]
    globals: Mapping[str, Value]
    scenarios: Mapping[int, PublishedScenario]

    def line(self, name: str) -> LineInfo | None:
        """A line by name, whatever its case."""
        return self.lines.get(name.strip().casefold())

    def published(self, scenario: int) -> int | None:
        """The version that runs, by its row id."""
        found = self.scenarios.get(scenario)
        return found.version_id if found is not None else None


@dataclass(frozen=True)
class LinkTarget:
    """Where a token leads."""

    scenario_id: int
    portal_id: int
    expires_at: int | None


class Library:
    """One per process."""

    def __init__(self, db: Database, recipients: Mapping[str, tuple[str, bool, bool]]) -> None:
        """`recipients`: for each channel, the kind of address it takes, whether it reports delivery, whether it knows
        templates."""
        self._db = db
        self._recipients = recipients
        self._portals: dict[int, PortalView] = {}
        self._programs: OrderedDict[int, Program] = OrderedDict()
        self._links: OrderedDict[str, LinkTarget] = OrderedDict()
        self._lock = threading.Lock()

    def portal(self, portal_id: int, *, fresh: bool = False) -> PortalView:
        """The portal's settings; `fresh` reads them anew. Raises KeyError for an unknown portal."""
        view = None if fresh else self._portals.get(portal_id)
        if view is None:
            with self._db.sql(patient=True) as sql:
                view = self._load(sql, portal_id)
            with self._lock:
                # A new one, not an emptied one: whoever is just reading a link puts it into the old one.
                self._links = OrderedDict()
                self._portals[portal_id] = view
        return view

    def program(self, version_id: int) -> Program:
        """The program of a version. Versions never change, so neither does this."""
        program = self._programs.get(version_id)
        if program is None:
            with self._db.sql(patient=True) as sql:
                row = sql.one("SELECT document FROM scenario_version WHERE id = ?", (version_id,))
            if row is None:
                raise KeyError(version_id)
            program = compile_document(parse_document(row[0], "application/json"))
            with self._lock:
                self._programs[version_id] = program
                while len(self._programs) > CACHED_PROGRAMS:
                    self._programs.popitem(last=False)
        return program

    def link(self, hashed: str) -> LinkTarget | None:
        """Where the token with this hash leads, None when nowhere. Only known tokens are remembered."""
        links = self._links
        target = links.get(hashed)
        if target is None:
            with self._db.sql(patient=True) as sql:
                row = sql.one(
                    "SELECT l.scenario_id, l.portal_id, l.expires_at FROM link l"
                    " JOIN scenario s ON s.id = l.scenario_id AND s.deleted_at IS NULL WHERE l.token_hash = ?",
                    (hashed,),
                )
            if row is None:
                return None
            target = LinkTarget(*row)
            with self._lock:
                links[hashed] = target
                while len(links) > CACHED_LINKS:
                    links.popitem(last=False)
        return target

    def _load(self, sql: Sql, portal_id: int) -> PortalView:
        # The stamp first: a change that comes between this and the rest makes the view look old, never new.
        stamp = sql.one("SELECT config, globals FROM stamp WHERE portal_id = ?", (portal_id,))
        portal = sql.one(
            "SELECT time_zone, language, state, quiet_from, quiet_to FROM portal WHERE id = ?", (portal_id,)
        )
        if stamp is None or portal is None:
            raise KeyError(portal_id)
        lines = {}
        for line_id, name, key, channel, state, settings in sql.all(
            "SELECT id, name, name_key, channel, state, settings FROM line WHERE portal_id = ? AND deleted_at IS NULL",
            (portal_id,),
        ):
            recipients, receipts, templates = self._recipients.get(channel, ("chat_id", False, False))
            lines[key] = LineInfo(
                id=line_id,
                name=name,
                channel=channel,
                state=state,
                country=loads(settings).get("country", "RU"),
                recipients="phone" if recipients == "phone" else "chat_id",
                receipts=receipts,
                templates=templates,
            )
        constants = sql.all("SELECT name, value FROM constant WHERE portal_id = ?", (portal_id,))
        variables = sql.all("SELECT name, value FROM global_variable WHERE portal_id = ?", (portal_id,))
        scenarios = {}
        for row in sql.all(
            "SELECT s.id, s.name, s.enabled, p.id, p.n, l.id FROM scenario s"
            " LEFT JOIN scenario_version p ON p.scenario_id = s.id AND p.n = s.published"
            " LEFT JOIN scenario_version l ON l.scenario_id = s.id AND l.n = s.latest"
            " WHERE s.portal_id = ? AND s.deleted_at IS NULL",
            (portal_id,),
        ):
            scenario_id, name, enabled, published_id, published_n, latest_id = row
            runs = bool(enabled) and published_id is not None
            scenarios[scenario_id] = PublishedScenario(
                id=scenario_id,
                portal_id=portal_id,
                name=name,
                enabled=bool(enabled),
                version_id=published_id if runs else None,
                version=published_n if runs else None,
                settings_version_id=published_id or latest_id,
            )
        return PortalView(
            id=portal_id,
            config=stamp[0],
            globals_stamp=stamp[1],
            active=portal[2] != "uninstalled",
            zone=ZoneInfo(portal[0]),
            quiet=QuietHours(portal[3], portal[4], ZoneInfo(portal[0])) if portal[3] else None,
            language=portal[1],
            lines=lines,
            constants={name: loads(value) for name, value in constants},
            globals={name: loads(value) for name, value in variables},
            scenarios=scenarios,
        )


def is_current(sql: Sql, view: PortalView, used: Globals | None = None) -> bool:
    """Whether a view is still what the database says; to be asked in the transaction that relies on it."""
    wants_globals = used is not None and used.touched
    # Whoever used globals holds the stamp until the end of the transaction: else two processes on PostgreSQL could
    # both find it unchanged, and one would overwrite what the other has set.
    lock = " FOR UPDATE" if wants_globals and sql.dialect == "postgresql" else ""
    row = sql.one(f"SELECT config, globals FROM stamp WHERE portal_id = ?{lock}", (view.id,))  # noqa: S608
    if row is None or row[0] != view.config:
        return False
    return used is None or not used.touched or row[1] == view.globals_stamp


def settings_stamps(sql: Sql, portal_ids: Iterable[int]) -> dict[int, int]:
    """The stamps of these portals' settings, for those who ask `is_current` for many at once and use no globals."""
    wanted = list(portal_ids)
    rows = sql.all(f"SELECT portal_id, config FROM stamp WHERE portal_id IN ({marks(len(wanted))})", wanted)  # noqa: S608
    return {row[0]: row[1] for row in rows}
