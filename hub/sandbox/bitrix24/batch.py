"""`batch`: up to fifty commands in one request, where a later one may use the results of earlier ones."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from hub.sandbox.bitrix24 import php
from hub.sandbox.bitrix24.calls import Call, Method, registry
from hub.sandbox.bitrix24.refusals import Refusal

LONGEST = 50
_reference = re.compile(r"\$result((?:\[[^\]]*\])+)")

Perform = Callable[[tuple[Method, Call]], dict[str, Any]]


def run(call: Call, perform: Perform) -> dict[str, Any]:
    """The body of the answer, without its time. Empty maps are lists, as PHP writes them. Raises Refusal."""
    commands = call.params.get("cmd")
    if isinstance(commands, list):
        commands = {str(place): command for place, command in enumerate(commands)}
    if not isinstance(commands, dict) or not commands:
        raise Refusal("ERROR_ARGUMENT", "Argument 'cmd' is null or empty", argument="cmd")
    if len(commands) > LONGEST:
        raise Refusal("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
    halt = str(call.params.get("halt", "")).lower() in ("1", "true", "y")
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    totals: dict[str, Any] = {}
    nexts: dict[str, Any] = {}
    times: dict[str, Any] = {}
    for key, command in commands.items():
        try:
            body = perform(_command(call, str(command), results))
        except Refusal as refusal:
            errors[key] = refusal.body()
            if halt:
                break
            continue
        results[key], times[key] = body["result"], body["time"]
        if "total" in body:
            totals[key] = body["total"]
        if "next" in body:
            nexts[key] = body["next"]
    parts = {
        "result": results,
        "result_error": errors,
        "result_total": totals,
        "result_next": nexts,
        "result_time": times,
    }
    return {"result": {name: _php_map(part) for name, part in parts.items()}}


def _command(call: Call, command: str, results: dict[str, Any]) -> tuple[Method, Call]:
    name, _, query = command.partition("?")
    name = name.strip().strip("/").removesuffix(".json")
    if name.lower() == "batch":
        raise Refusal("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", 405)
    method = registry.find(name)
    pairs = parse_qsl(query, keep_blank_values=True)
    params = php.decode((key, _filled(value, results)) for key, value in pairs)
    connector = call.hit.connector
    inner = Call(call.cloud, call.portal, call.user, call.scope, call.hit, params, call.installation, call.token)
    inner.hit.connector = str(params.get("auth_connector") or connector)
    return method, inner


def _filled(value: str, results: dict[str, Any]) -> str:
    """A value with its references replaced; one that leads nowhere becomes empty."""

    def replace(match: re.Match[str]) -> str:
        found: Any = results
        for key in match[1][1:-1].split("]["):
            if isinstance(found, dict):
                found = found.get(key)
            elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            else:
                return ""
        return "" if found is None or isinstance(found, dict | list) else str(found)

    return _reference.sub(replace, value)


def _php_map(part: dict[str, Any]) -> Any:
    if list(part) == [str(place) for place in range(len(part))]:
        return list(part.values())
    return part
