"""Making the calls that blocks ask for."""

from collections.abc import Mapping

from connectors.errors import Temporary
from connectors.http import Http
from hub.scenarios.runner import Caller, Performer
from hub.values import Number, Value, as_number


def http_performer(http: Http) -> Performer:
    """Makes the calls of `http_request`. `retries` repeats only what surely was not sent."""

    def perform(spec: Mapping[str, Value], _caller: Caller) -> Mapping[str, Value]:
        headers = {str(name): str(value) for name, value in (spec.get("headers") or {}).items()}
        body = spec.get("body")
        if body is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = str(spec.get("content_type") or "application/json")
        tries = 1 + int(as_number(spec.get("retries")) or 0)
        while True:
            tries -= 1
            try:
                response = http.call(
                    str(spec["method"]),
                    str(spec["url"]),
                    headers=headers,
                    params=spec.get("params") or None,
                    data=None if body is None else str(body).encode(),
                    total_s=float(as_number(spec.get("timeout_s")) or 15),
                    service="http_request",
                )
                break
            except Temporary:
                if tries <= 0:
                    raise
        return {
            "status": Number(str(response.status)),
            "headers": {name.lower(): value for name, value in response.headers.items()},
            "body": response.text(),
            "ms": Number(str(response.ms)),
        }

    return perform
