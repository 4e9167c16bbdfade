"""The parts that execute runs, wired together for one process: web and worker use the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import structlog

from connectors.registry import channels
from hub.bitrix24.call_desk import CallDesk
from hub.bitrix24.change_desk import ChangeDesk
from hub.bitrix24.changes import Executing
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.desk import CheckDesk
from hub.bitrix24.performer import bitrix24_performer
from hub.bitrix24.registration_desk import RegistrationDesk
from hub.bitrix24.robot_desk import RobotDesk
from hub.bitrix24.sweep_desk import SweepDesk
from hub.bitrix24.telling_desk import TellingDesk
from hub.clock import now_us
from hub.core import Hub
from hub.delivery.postman import Postman
from hub.endpoints import records
from hub.endpoints.beginning import inputs_of, variables_of
from hub.endpoints.intake import Intake
from hub.endpoints.parse import Refused
from hub.scenarios import store
from hub.scenarios.library import Library
from hub.scenarios.outgoing import http_performer
from hub.scenarios.runner import RunInputs, Runner
from hub.sql import Sql

log = structlog.get_logger(__name__)


class Desk(Protocol):
    """Work of the worker that is neither a message nor a run. `hands`: how much of it may be under way at once."""

    name: str
    hands: int

    def hand_out(self, free: int) -> Sequence[Callable[[], None]]:
        """At most `free` pieces of work that are due, claimed in one commit for this process. Called in the worker's
        loop, so it neither waits nor calls anybody. Raises StorageUnavailable."""

    def free_dead(self, sql: Sql, dead: Sequence[str]) -> int:
        """Inside a job: give back what these dead processes had claimed; the number of claims."""


@dataclass
class Runtime:
    """Everything that takes requests, executes runs and sends messages."""

    hub: Hub
    library: Library
    runner: Runner
    intake: Intake
    postman: Postman
    bitrix24: Bitrix24
    desks: list[Desk] = field(default_factory=list)

    def recover(self, *, older_than_s: float = 0.0) -> None:
        """Store outcomes that could not be stored when they came, and go on with whatever is this process's by the
        database while nobody here works on it: a commit's answer was lost, or what followed it failed.

        `older_than_s`: as in `Postman.recover`. Raises StorageUnavailable.
        """
        hub, found = self.hub, self.postman.store_unsaved() + self.postman.recover(older_than_s=older_than_s)
        in_hand = self.runner.in_hand
        with hub.db.sql() as sql:
            owned = store.owned(sql, owner=hub.owner)
        in_hand |= self.runner.in_hand
        for run in owned:
            if run.id not in in_hand:
                found += 1
                hub.db.writer.run(partial(store.release, run=run, owner=hub.owner, wake_at=now_us()))
                log.warning("run_recovered", run_id=run.id)
        if found:
            hub.ring()


def make_runtime(hub: Hub) -> Runtime:
    """Wire a process's parts."""
    recipients: Mapping[str, tuple[str, bool, bool]] = {
        kind: (channel.carries.recipients, channel.carries.receipts, channel.carries.templates)
        for kind, channel in channels().items()
    }
    library = Library(hub.db, recipients)

    def inputs(request_id: str) -> RunInputs:
        with hub.db.sql(patient=True) as sql:
            stored = records.load(sql, request_id)
        if stored is None:
            return RunInputs()
        try:
            read = inputs_of(stored, None)
        except Refused:
            # It was read once; only a rule that changed since can refuse it now. The run goes on without it.
            return RunInputs()
        return RunInputs(read.body, read.query, variables_of(stored), read.bitrix, read.empty)

    bitrix24 = Bitrix24(hub)
    runner = Runner(
        writer=hub.db.writer,
        library=library,
        owner=hub.owner,
        inputs=inputs,
        performers={"http": http_performer(hub.http), "bitrix24": bitrix24_performer(bitrix24)},
        message_ttl_s=hub.settings.message_ttl_s,
    )
    desks: list[Desk] = [
        CheckDesk(bitrix24),
        CallDesk(bitrix24),
        RegistrationDesk(bitrix24),
        RobotDesk(bitrix24, library),
        TellingDesk(bitrix24),
        ChangeDesk(Executing(bitrix24, library, runner)),
        SweepDesk(bitrix24, library),
    ]
    return Runtime(hub, library, runner, Intake(hub, library, runner), Postman(hub), bitrix24, desks)
