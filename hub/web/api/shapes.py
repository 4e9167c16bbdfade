"""The answers of the management API as JSON Schemas, for openapi.json. Every member named here is always there."""

from typing import Any

Schema = dict[str, Any]

_words: dict[str, Schema] = {
    "text": {"type": "string"},
    "text?": {"type": ["string", "null"]},
    "whole": {"type": "integer"},
    "whole?": {"type": ["integer", "null"]},
    "bool": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "time?": {"type": ["string", "null"], "format": "date-time"},
    "object": {"type": "object"},
    "object?": {"type": ["object", "null"]},
    "list": {"type": "array"},
    "any": {},
}


def _shape(**members: str | Schema) -> Schema:
    named = {name: _words[kind] if isinstance(kind, str) else kind for name, kind in members.items()}
    return {"type": "object", "properties": named, "required": list(named), "additionalProperties": False}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _list(item: str | Schema) -> Schema:
    return {"type": "array", "items": _words[item] if isinstance(item, str) else item}


def _and(shape: Schema, more: Schema) -> Schema:
    return {
        **shape,
        "properties": shape["properties"] | more["properties"],
        "required": [*shape["required"], *more["required"]],
    }


_problem = _shape(code="text", message="text", block="text?", field="text?", severity=_one_of("error", "warning"))
_warning: Schema = {"type": "object", "required": ["code", "message"]}
_links: Schema = _shape(**dict.fromkeys(("request", "token_only", "result"), "text")) | {"type": ["object", "null"]}
_scenario = _shape(
    id="whole",
    name="text",
    enabled="bool",
    version="whole",
    revision="text",
    published="bool",
    published_version="whole?",
    problems=_list(_problem),
    links=_links,
    created_at="time",
    updated_at="time",
)
# After a rotation it is also said how long the old link lives on.
_scenario["properties"]["old_link_expires_at"] = _words["time?"]
_attempt = _shape(n="whole", at="time", outcome="text?", http_status="whole?", code="text", message="text", ms="whole?")
_step = _shape(
    block="text",
    type="text",
    status=_one_of("done", "failed", "skipped", "waiting"),
    port="text?",
    input="any",
    output="any",
    error="object?",
    started_at="time",
    ms="whole",
)
_run = _shape(
    id="text",
    scenario="whole",
    version="whole",
    request="text?",
    status=_one_of("queued", "running", "waiting", "completed", "partial", "failed", "cancelled", "expired"),
    dry="bool",
    warnings=_list(_warning),
    error="object?",
    created_at="time",
    ended_at="time?",
)
_request = _shape(
    id="text",
    scenario="whole",
    outcome=_one_of("run", "duplicate", "check", "captured", "refused", "unchanged", "ignored"),
    run="text?",
    error="object?",
    source="text",
    method="text",
    content_type="text",
    received_at="time",
    size="whole",
    warnings=_list(_warning),
    sender="object?",
    card="object?",
)

_diff: dict[str, str | Schema] = {"from": "whole", "to": "whole", "changes": _list("text")}

SHAPES: dict[str, Schema] = {
    "Block": _shape(
        type="text",
        version="whole",
        title="text",
        about="text",
        group=_one_of("start", "message", "logic", "data", "bitrix24", "answer"),
        icon="text",
        trigger="bool",
        schema="object",
        default="object",
        ports=_list("object"),
        outputs=_list("object"),
    ),
    "Checked": _shape(problems=_list("object"), blocks="object", variables=_list("object")),
    "Example": _shape(
        id="text",
        kind=_one_of("request", "card"),
        outcome="text?",
        title="text",
        at="time?",
        value="object",
        event="object?",
        warnings=_list("object"),
    ),
    "Live": _shape(
        version="whole",
        revision="text",
        published="whole?",
        enabled="bool",
        problems="whole",
        accepted_24h="whole",
        failed_24h="whole",
        last_request="object?",
        editors=_list("text"),
    ),
    "Frequency": _shape(count="whole", days="whole"),
    "Preview": _shape(fields="object"),
    "SentToMe": _shape(
        items=_list(_shape(block="text", line="text", chat_id="text?", message="text?", error="text?")),
        status="text",
        error="object?",
    ),
    "Compared": _shape(count="whole", changed="whole", items=_list("object")),
    "Channel": _shape(kind="text", title="text", config="object", capabilities="object"),
    "Line": _shape(
        id="text",
        name="text",
        channel="text",
        state=_one_of("active", "paused", "auth_failed", "unreachable"),
        state_reason="text",
        state_code="text",
        state_since="time?",
        config="object",
        settings="object",
        queue="whole",
        webhook_url="text",
        created_at="time",
    ),
    "LineCheck": {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}, "identity": {"type": "object"}, "error": {"type": "object"}},
        "required": ["ok"],
    },
    "Scenario": _scenario,
    "Version": _shape(
        version="whole",
        created_at="time",
        published="bool",
        clean="bool",
        note="text",
        by="text",
        draft="bool",
        problems=_list(_problem),
    ),
    "Diff": _shape(**_diff),
    "Variable": _shape(name="text", value="any", updated_at="time"),
    "RequestSummary": _request,
    "Request": _and(_request, _shape(query="object", undeclared=_list("text"), body="any", raw="text")),
    "RunSummary": _run,
    "Run": _and(_run, _shape(steps=_list(_step), messages=_list("text"), result="any")),
    "DryRun": {"type": "object", "required": ["status", "dry", "warnings", "steps", "planned", "result"]},
    "Replayed": {"type": "object", "required": ["would_repeat"]},
    "Message": _shape(
        id="text",
        run="text?",
        block="text",
        line="text",
        channel="text?",
        messenger="text",
        chat_id="text",
        chat_id_raw="text",
        text="text",
        state="text",
        provider_id="text?",
        error="object?",
        created_at="time",
        due_at="time",
        expires_at="time",
        sent_at="time?",
        attempts=_list(_attempt),
    ),
    "Redelivery": _shape(count="whole", groups=_list(_shape(reason="text", count="whole", oldest_at="time"))),
    "Bitrix24App": _shape(  # its secret is shown as dots
        client_id="text",
        client_secret="text",  # noqa: S106
        title="text",
        portal="text?",
        created_at="time",
    ),
    "Portal": _shape(
        member_id="text",
        domain="text?",
        state=_one_of("active", "needs_reauth", "suspended", "uninstalled"),
        installed_at="time",
        scopes=_list("text"),
        time_zone="text",
        language="text",
        retention_days="whole?",
        quiet_hours="object?",
        notice_line="text?",
        notice_chat="text?",
        own_numbers=_list("text"),
    ),
    "Mapping": _shape(
        entity="text",
        rows=_list(_shape(variable="text", field="text", format="text?", default="text", pick="text")),
        default="bool",
        used_by=_list(_shape(id="whole", name="text")),
    ),
    "CardFields": _shape(
        entity="text",
        fields=_list(_shape(code="text", title="text", type="text", multiple="bool", values=_list("object"))),
        categories=_list(_shape(id="text", title="text")),
        stages=_list(_shape(id="text", title="text", category="text")),
        read_at="time?",
    ),
    "CardExample": _shape(id="whole", title="text", event="object"),
    "Notice": _shape(
        id="text",
        cause="text",
        line="text?",
        everybody="bool",
        params="object",
        message="text",
        count="whole",
        opened_at="time",
        last_at="time",
        closed_at="time?",
    ),
    "Health": _shape(
        ok="bool",
        checks=_list({"type": "object", "required": ["name", "ok", "state", "detail", "action"]}),
        notices=_list("object"),
    ),
    "Problem": {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string"},
            "code": {"type": "string"},
            "trace_id": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail", "code", "trace_id"],
    },
}
