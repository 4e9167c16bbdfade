"""A portal's REST methods: one call, or up to 50 in a batch. JSON bodies with the token in them, no redirects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.bitrix24.answers import check_taken, read
from connectors.bitrix24.errors import refusal
from connectors.bitrix24.php import as_map, encode
from connectors.errors import ConnectorError
from connectors.http import Http

BATCH_MOST = 50
PAGE = 50
CALL_S = 60.0


@dataclass(frozen=True)
class Answer:
    """`next` and `total` are there in lists only. `operating`: seconds this method has used up on the portal;
    `reset_at`: Unix time at which some of them are given back; None where the portal does not tell."""

    result: Any
    next: int | None = None
    total: int | None = None
    operating: float | None = None
    reset_at: float | None = None


@dataclass(frozen=True)
class BatchAnswer:
    """What each command gave, by its key: a result, or the error that it met. With `halt` the rest has neither."""

    results: Mapping[str, Any]
    errors: Mapping[str, ConnectorError] = field(default_factory=dict)
    next: Mapping[str, int] = field(default_factory=dict)
    total: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        """The result of a command. Raises the command's error, KeyError when it was not carried out."""
        if key in self.errors:
            raise self.errors[key]
        return self.results[key]


Command = tuple[str, Mapping[str, Any]]


class Rest:
    """Calls with whatever token is given. `endpoint` is the root of the methods, with a slash at its end."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def call(self, endpoint: str, token: str, method: str, params: Mapping[str, Any] | None = None) -> Answer:
        """One method. Raises ConnectorError, none of which holds the token."""
        try:
            body = read(
                self._http.call(
                    "POST",
                    f"{endpoint}{method}",
                    json={**(params or {}), "auth": token},
                    total_s=CALL_S,
                    service="the portal",
                )
            )
            if method.startswith("imconnector."):
                check_taken(body.get("result"))
        except ConnectorError as error:
            error.scrub([token])
            raise
        time = body.get("time") if isinstance(body.get("time"), Mapping) else {}
        assert isinstance(time, Mapping)
        return Answer(
            result=body.get("result"),
            next=_whole(body.get("next")),
            total=_whole(body.get("total")),
            operating=_number(time.get("operating")),
            reset_at=_number(time.get("operating_reset_at")),
        )

    def batch(self, endpoint: str, token: str, commands: Mapping[str, Command], *, halt: bool = False) -> BatchAnswer:
        """Up to 50 methods as one hit: `{"deal": ("crm.deal.get", {"id": 42})}`. `$result[deal][ID]` within a later
        command stands for an earlier result. With `halt` the first error ends it. Raises ConnectorError when the
        batch itself was refused; what a single command met is in the answer.
        """
        if not 0 < len(commands) <= BATCH_MOST:
            raise ValueError(f"a batch has 1 to {BATCH_MOST} commands, not {len(commands)}")
        spelled = {key: f"{method}?{encode(params)}" for key, (method, params) in commands.items()}
        body = as_map(self.call(endpoint, token, "batch", {"halt": int(halt), "cmd": spelled}).result)
        errors = as_map(body.get("result_error"))
        return BatchAnswer(
            results=as_map(body.get("result")),
            errors={key: refusal(as_map(error) or {"error": str(error)}, 200) for key, error in errors.items()},
            next=_numbers(body.get("result_next")),
            total=_numbers(body.get("result_total")),
        )


def _numbers(value: Any) -> dict[str, int]:
    found = {key: _whole(item) for key, item in as_map(value).items()}
    return {key: number for key, number in found.items() if number is not None}


def _whole(value: Any) -> int | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
