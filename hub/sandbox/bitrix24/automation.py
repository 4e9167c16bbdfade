"""Robots of a portal: the ones that stand on stages, the processes they run in, and the answers they wait for."""

import hashlib
import secrets
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from hub.sandbox.bitrix24 import messages
from hub.sandbox.bitrix24.crm import views
from hub.sandbox.bitrix24.events import Hit, auth_block
from hub.sandbox.bitrix24.model import Activity, Installation, Portal
from hub.sandbox.bitrix24.processes import Process, Step, filled_in, property_rows
from hub.sandbox.bitrix24.refusals import Refusal, access_denied

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

PROCESSES_KEPT = 1000


class Automation:
    """The robots and processes of all portals. Its thread only ends waits that are over."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._changed = threading.Condition(cloud.lock)
        self._stages: dict[tuple[str, int, str], list[Step]] = {}
        self._secret = secrets.token_hex(16)
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.processes: deque[Process] = deque(maxlen=PROCESSES_KEPT)

    def place(self, portal: Portal, entity_type: int, stage: str, steps: list[Step]) -> None:
        """Put robots on a stage, in place of those that stood there."""
        with self._cloud.lock:
            self._stages[portal.member_id, entity_type, stage] = steps

    def on_stage(self, portal: Portal, entity_type: int, stage: str) -> list[Step]:
        """The robots of a stage."""
        with self._cloud.lock:
            return list(self._stages.get((portal.member_id, entity_type, stage), []))

    def stages(self, portal: Portal) -> dict[tuple[int, str], list[Step]]:
        """All robots of a portal by kind of card and stage."""
        with self._cloud.lock:
            mine = [key for key in self._stages if key[0] == portal.member_id]
            return {(kind, stage): self._stages[member, kind, stage] for member, kind, stage in mine}

    def start(self, portal: Portal, entity_type: int, item_id: int, stage: str) -> Process | None:
        """Run the robots of a stage over a card; None where there are none."""
        steps = self.on_stage(portal, entity_type, stage)
        return self.run(portal, entity_type, item_id, steps) if steps else None

    def run(self, portal: Portal, entity_type: int, item_id: int, steps: list[Step]) -> Process:
        """Run robots over a card."""
        with self._changed:
            number = f"{secrets.token_hex(7)}.{secrets.randbelow(10**8):08d}"
            process = Process(number, portal.member_id, entity_type, item_id, list(steps))
            self.processes.append(process)
            self._go_on(portal, process)
        return process

    def answer(self, portal: Portal, event_token: str, values: Any, words: str, *, ends: bool) -> None:
        """Take what an application sends to a waiting robot; only the first answer counts. Raises Refusal."""
        with self._changed:
            number, _, rest = event_token.partition("|")
            name, _, signature = rest.partition("|")
            if not signature.endswith(f".{self._sign(number, name, signature.partition('.')[0])}"):
                raise access_denied()
            process = self._find(portal, number)
            if process is None:
                raise access_denied()
            if words:
                process.log.append(words)
            if not ends:
                return
            if process.state != "waiting" or process.event_token != event_token:
                process.ignored += 1
                return
            process.results[process.place] = self._declared(portal, process, values)
            self._advance(portal, process)

    def set_properties(self, portal: Portal, options: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
        """Save what the application's own settings page chose for the robots of its code."""
        with self._changed:
            for steps in self.stages(portal).values():
                for step in steps:
                    if step.code == options.get("code"):
                        step.properties |= properties
        return properties

    def terminate(self, portal: Portal, number: str) -> None:
        """Stop a process. Raises Refusal."""
        with self._changed:
            process = self._find(portal, number)
            if process is None:
                raise Refusal("ERROR_WRONG_WORKFLOW_ID", "Workflow not found")
            process.state = "terminated"

    def forget(self, portal: Portal, client_id: str) -> None:
        """Nothing stops when an application goes: its robots stay in the templates, blocked, and waits stay waits."""
        with self._changed:
            for process in self.processes:
                if process.member_id == portal.member_id and process.state == "waiting":
                    process.log.append(f"the application {client_id} was removed while the process may wait for it")

    def clear(self) -> None:
        """Drop all robots and processes."""
        with self._changed:
            self._stages.clear()
            self.processes.clear()

    def wake(self) -> None:
        """Look at the clock again."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(5)

    def _find(self, portal: Portal, number: str) -> Process | None:
        return next((one for one in self.processes if (one.id, one.member_id) == (number, portal.member_id)), None)

    def _go_on(self, portal: Portal, process: Process) -> None:
        while process.state == "running":
            if process.place >= len(process.steps):
                process.state = "completed"
            elif self._do(portal, process, process.steps[process.place]):
                process.state = "waiting"
            else:
                process.place += 1

    def _advance(self, portal: Portal, process: Process) -> None:
        process.state, process.event_token, process.deadline = "running", "", 0.0
        process.place += 1
        self._go_on(portal, process)

    def _do(self, portal: Portal, process: Process, step: Step) -> bool:
        """Carry a step out; True when it waits for an answer."""
        kind = portal.crm.kinds[process.entity_type]
        document = [*kind.document[:2], f"{kind.document[2]}_{process.item_id}"]
        card = portal.crm.items[kind.id].get(process.item_id)
        if card is None:
            process.state = "terminated"
            process.log.append("the card is gone")
            return False
        shown = views.legacy_card(portal.crm, kind, card)
        filled = {name: filled_in(value, shown, process) for name, value in step.properties.items()}
        if step.kind == "update":
            hit = Hit(self._cloud, portal, None)
            portal.crm.update(hit, kind, process.item_id, filled)
            hit.flush()
            return False
        if step.kind == "webhook":
            auth = {
                "domain": portal.domain,
                "client_endpoint": portal.client_endpoint,
                "server_endpoint": self._cloud.server_endpoint,
                "member_id": portal.member_id,
            }
            url = filled_in(step.url, shown, process, escape=True)
            self._cloud.queue.put(
                "webhook", "webhook", url, portal.member_id, lambda: {"document_id": document, "auth": auth}
            )
            return False
        installation = portal.installations.get(step.client_id)
        if step.kind == "sms" and installation is not None and step.code in installation.senders:
            to, body = str(filled.get("message_to", "")), str(filled.get("message_body", ""))
            place = {"workflow_id": process.id, "document_id": document, "document_type": list(kind.document)}
            messages.send(self._cloud, portal, installation, step.code, to, body, None, place)
            return False
        activity = None if installation is None else installation.activities.get(("robot", step.code))
        if installation is None or activity is None:
            process.log.append(f"the robot {step.code} is blocked: it is not registered")
            return False
        return self._ask(portal, process, step, installation, activity, document, filled)

    def _ask(
        self,
        portal: Portal,
        process: Process,
        step: Step,
        installation: Installation,
        activity: Activity,
        document: list[str],
        properties: dict[str, Any],
    ) -> bool:
        kind = portal.crm.kinds[process.entity_type]
        waits = str(activity.fields.get("USE_SUBSCRIPTION") or ("Y" if step.wait else "N")).upper() == "Y"
        chosen = activity.fields.get("USE_SUBSCRIPTION")
        name = "_".join(f"A{secrets.randbelow(90000) + 10000}" for _ in range(4))
        random = secrets.token_urlsafe(24).replace("|", "").replace(".", "")
        token = f"{process.id}|{name}|{random}.{self._sign(process.id, name, random)}"
        user_id = int(activity.fields.get("AUTH_USER_ID") or 0) or None
        defaults = {key: row.get("Default") for key, row in property_rows(activity.fields.get("PROPERTIES")).items()}
        given = {key: properties.get(key, default) for key, default in defaults.items()}

        def build() -> dict[str, Any]:
            auth = auth_block(self._cloud, portal, installation, user_id, refresh=True)
            return {
                "workflow_id": process.id,
                "code": activity.code,
                "document_id": document,
                "document_type": list(kind.document),
                "event_token": token,
                "properties": {key: "" if value is None else value for key, value in given.items()},
                "use_subscription": chosen or ("Y" if step.wait else ""),
                "timeout_duration": step.timeout_s if waits else 0,
                "ts": int(self._cloud.now()),
                "auth": auth,
            }

        self._cloud.queue.put("robot", activity.code, activity.handler, portal.member_id, build)
        process.event_token = token
        if waits and step.timeout_s:
            process.deadline = self._cloud.now() + step.timeout_s
            self._watch()
        return waits

    def _declared(self, portal: Portal, process: Process, values: Any) -> dict[str, Any]:
        """The declared ones of the returned values, their names in any case."""
        step = process.steps[process.place]
        installation = portal.installations.get(step.client_id)
        activity = None if installation is None else installation.activities.get(("robot", step.code))
        known = property_rows(None if activity is None else activity.fields.get("RETURN_PROPERTIES"))
        names = {name.lower(): name for name in known}
        given = values if isinstance(values, dict) else {}
        return {names[key.lower()]: value for key, value in given.items() if key.lower() in names}

    def _sign(self, number: str, name: str, random: str) -> str:
        return hashlib.sha256(f"{number}|{name}|{random}|{self._secret}".encode()).hexdigest()

    def _watch(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._end_waits, name="bitrix24-waits", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _end_waits(self) -> None:
        with self._changed:
            while not self._stopping:
                now = self._cloud.now()
                waiting = [one for one in self.processes if one.state == "waiting" and one.deadline]
                for process in waiting:
                    if process.deadline <= now:
                        process.results[process.place] = {"IsTimeout": 1}
                        process.log.append("nobody answered in time")
                        self._advance(self._cloud.portals[process.member_id], process)
                left = [one.deadline - now for one in waiting if one.state == "waiting"]
                self._changed.wait(max(0.0, min(left)) if left else None)
