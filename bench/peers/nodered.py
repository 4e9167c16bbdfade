"""Node-RED given the same work. It keeps nothing: what is under way when it dies is gone."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bench.peers.peer import Peer
from bench.processes import BenchError, Processes, free_port

VERSION = "4.1.15"
"""The newest line that runs on Node.js 20, which is what Debian and Ubuntu have."""
GOALS = {"A": 1.8, "B": 1.3, "C": 1.0}
_PREPARE = """const b = msg.payload;
msg.order = {name: b.payment[0].name, email: b.payment[1].email1};
const p = b.payment[0];
msg.text = `Hello ${b.customer.name}, payment ${p.name} is ${p.amount} ${p.currency} #${b.id}`;
msg.payload = {chat_id: b.chat_id, text: msg.text};
msg.headers = {'content-type': 'application/json'};
return msg;"""
_ACCEPTED = "msg.payload = {status: 'accepted'}; return msg;"
_SENT = """msg.payload = {status: 'done', data: {message_id: msg.payload.result.message_id}};
msg.headers = {};
return msg;"""
_ANSWER = """msg.payload = {status: 'done', data: {order: msg.order.name, text: msg.text}};
msg.headers = {};
return msg;"""


def install(folder: Path) -> Path:
    """Install it from npm into a folder, some 120 MB; where it is started. Raises BenchError when that fails."""
    if shutil.which("npm") is None:
        raise BenchError("npm is missing: apt-get install nodejs npm")
    folder.mkdir()
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", f"node-red@{VERSION}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"npm could not install Node-RED:\n{done.stderr}")
    return folder / "node_modules" / ".bin" / "node-red"


def start(processes: Processes, folder: Path, messenger_url: str) -> Peer:
    """Install and start it with its flows, ready."""
    program = install(folder / "nodered")
    home = folder / "nodered-home"
    home.mkdir()
    (home / "flows.json").write_text(json.dumps(flows(f"{messenger_url}/bot1:AAAA/sendMessage")))
    port = free_port()
    (home / "settings.js").write_text(
        "module.exports = {flowFile: 'flows.json', uiHost: '127.0.0.1', credentialSecret: false,"
        " logging: {console: {level: 'warn'}}};\n"
    )
    command = [str(program), "--userDir", str(home), "--port", str(port)]
    running = processes.start(command, environment={"NODE_ENV": "production"}, port=port)
    running.wait_ready("/healthz")
    links = {mark: f"{running.url}/{mark.lower()}" for mark in GOALS}
    return Peer(f"Node-RED {VERSION} (keeps nothing)", running, links, GOALS)


def flows(send_url: str) -> list[dict[str, Any]]:
    """The three kinds of work as Node-RED stores them."""
    found: list[dict[str, Any]] = [{"id": "tab", "type": "tab", "label": "bench"}]

    def node(name: str, kind: str, to: list[str], **more: Any) -> None:
        # Without a position Node-RED takes a node for a setting.
        place = {"x": 100 + 40 * len(found), "y": 100}
        found.append({"id": name, "type": kind, "z": "tab", "wires": [to] if to else [], **place, **more})

    def takes(name: str, to: list[str], method: str = "post") -> None:
        node(f"in-{name}", "http in", to, url=f"/{name}", method=method)

    def runs(name: str, code: str, to: str) -> None:
        node(name, "function", [to], func=code, outputs=1)

    def sends(name: str, to: list[str]) -> None:
        node(name, "http request", to, method="POST", ret="obj", paytoqs="ignore", url=send_url, persist=True)

    takes("healthz", ["out"], "get")
    takes("a", ["accepted", "prepare-a"])
    runs("accepted", _ACCEPTED, "out")
    runs("prepare-a", _PREPARE, "send-a")
    sends("send-a", [])
    takes("b", ["prepare-b"])
    runs("prepare-b", _PREPARE, "send-b")
    sends("send-b", ["sent-b"])
    runs("sent-b", _SENT, "out")
    takes("c", ["prepare-c"])
    runs("prepare-c", _PREPARE, "answer-c")
    runs("answer-c", _ANSWER, "out")
    node("out", "http response", [], statusCode="", headers={})
    return found
