"""The product as it is measured: real processes on a new database, one line to the stub, scenarios by the API."""

import itertools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.messenger import Messenger
from bench.processes import BenchError, Processes, Running, free_port, wait_until
from hub.accounts.keys import create_key
from hub.core import Hub, make_hub
from hub.delivery import lines
from hub.delivery.lines import LineSettings
from hub.portals.service import local_portal
from hub.settings import Settings

LINE = "bench"
_TEXT = "Hello {{customer.name}}, payment {{payment[0].name}} is {{payment[0].amount}} {{payment[0].currency}} #{{id}}"
_VARIABLES = [
    {"name": "order_name", "value": "{{payment[0].name}}"},
    {"name": "order_email", "value": "{{payment[1].email1}}"},
]
_numbers = itertools.count(1)


class Site:
    """One installation: its database, its settings, its line. No rates are set, so nothing slows it by intention."""

    def __init__(self, processes: Processes, folder: Path, url: str, messenger: Messenger) -> None:
        self._processes = processes
        self.messenger = messenger
        self.port = free_port()
        self.settings = Settings(
            database_url=url,
            instance_dir=folder / f"instance-{next(_numbers)}",
            secret_key="a secret key for benchmarks only",
            encryption_keys=("an encryption key for benchmarks",),
            egress_allow=(f"127.0.0.1:{messenger.port}",),
            port=self.port,
        )
        self.hub: Hub = make_hub(self.settings)
        with self.hub.db.write() as session:
            portal = local_portal(session, self.settings)
            assert portal.id is not None
            self.portal_id = portal.id
            self._key = create_key(session, portal.id, "bench")
            config = {"token": "1:AAAA", "api_url": messenger.url}
            rates = LineSettings(rate_per_s=0, rate_per_chat_per_s=0)
            line = lines.create(
                session, self.hub, portal.id, name=LINE, channel="telegram", config=config, settings=rates
            )
            self.line = line.id

    def close(self) -> None:
        """Give the benchmark's own connection back; the processes are ended by their owner."""
        self.hub.close()

    def environment(self) -> dict[str, str]:
        """The settings as a process of the product gets them."""
        return {
            "HUB_DATABASE_URL": self.settings.database_url,
            "HUB_INSTANCE_DIR": str(self.settings.instance_dir),
            "HUB_SECRET_KEY": self.settings.secret_key,
            "HUB_ENCRYPTION_KEYS": ",".join(self.settings.encryption_keys),
            "HUB_EGRESS_ALLOW": ",".join(self.settings.egress_allow),
            "HUB_WEB_WORKERS": str(os.cpu_count() or 1),
            "HUB_LOG_FORMAT": "json",
            "PORT": str(self.port),
        }

    def serve(self) -> Running:
        """`hub serve`, ready."""
        return self._hub("serve", "--port", str(self.port)).wait_ready("/readyz")

    def web(self) -> Running:
        """The web processes alone, ready."""
        command = ["-m", "gunicorn", "--config", "hub/web/gunicorn_conf.py", "--bind", f"127.0.0.1:{self.port}"]
        environment = self.environment()
        running = self._processes.python([*command, "wsgi:app"], environment=environment, port=self.port)
        return running.wait_ready("/healthz")

    def wait_until_settled(self, within_s: float = 60) -> None:
        """Wait until no message is open any more, so that the end of one round is not part of the next."""

        def settled() -> bool:
            with self.hub.db.sql() as sql:
                return sql.one("SELECT 1 FROM message WHERE state IN ('queued', 'sending') LIMIT 1") is None

        wait_until(settled, within_s=within_s, what="the end of all messages")

    def worker(self, **more: str) -> Running:
        """`hub worker`, once it has entered the database."""
        before = self.workers()
        running = self._hub("worker", more=more)

        def entered() -> bool:
            if running.process.poll() is not None:
                raise BenchError(running.log.read_text(errors="replace"))
            return self.workers() > before

        wait_until(entered, within_s=30, what="the start of a worker")
        return running

    def workers(self) -> int:
        """How many workers are in the database."""
        with self.hub.db.sql() as sql:
            row = sql.one("SELECT count(*) FROM process WHERE kind = 'worker'")
        return row[0] if row else 0

    def _hub(self, *arguments: str, more: Mapping[str, str] | None = None) -> Running:
        environment = self.environment() | dict(more or {})
        return self._processes.python(["-m", "hub", *arguments], environment=environment, port=self.port)

    # ---------------------------------------------------------------- scenarios

    def message_link(self, *, wait: bool) -> str:
        """The link of a scenario that sends one message: the usual one, or, to wait, the one that answers its id.

        The latter has chats of its own: in a chat where others wait, a message cannot go at once.
        """
        chat = "9{{chat_id}}" if wait else "{{chat_id}}"
        send = {"chat_id": chat, "line": LINE, "messenger": "telegram", "text": _TEXT}
        blocks: list[dict[str, Any]] = [{"id": "send", "type": "send_message", "config": send}]
        if wait:
            send["wait_for"] = "sent"
            answer = {"message_id": "{{blocks.send.message_id}}"}
            blocks.append({"id": "answer", "type": "return_result", "config": {"values": answer}})
        return self._link(blocks, "result" if wait else "token_only")

    def answer_link(self) -> str:
        """The results link of a scenario that answers with two computed values and sends nothing."""
        values = {"order": "{{order_name}}", "text": _TEXT}
        return self._link([{"id": "answer", "type": "return_result", "config": {"values": values}}], "result")

    def _link(self, blocks: Sequence[dict[str, Any]], kind: str) -> str:
        chain = [
            {"id": "start", "type": "incoming_webhook", "config": {"fields": ["chat_id", "id"]}},
            {"id": "set", "type": "set_variable", "config": {"variables": _VARIABLES}},
            *blocks,
        ]
        document = {
            "format": 1,
            "name": f"bench {next(_numbers)}",
            "blocks": chain,
            "links": [{"from": a["id"], "port": "next", "to": b["id"]} for a, b in itertools.pairwise(chain)],
        }
        made = self.api("POST", "/scenarios", document)
        if not made["published"]:
            raise BenchError(f"the benchmark's own scenario was not published: {made['problems']}")
        link: str = made["links"][kind]
        return f"http://127.0.0.1:{self.port}{link[link.index('/', 8) :]}"

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the management API; it must succeed."""
        request = Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)
