"""A body that does not come whole is refused and starts nothing."""

import io
from typing import Any

import pytest
from gunicorn.http.errors import InvalidChunkSize, NoMoreData

from tests.web.test_links import link_of


class Breaking(io.BytesIO):
    """A stream of the web server that finds the body broken."""

    def __init__(self, error: Exception) -> None:
        super().__init__(b"x=1")
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        raise self._error


def sent(client: Any, path: str, stream: Any, **environ: Any) -> Any:
    return client.post(
        path,
        input_stream=stream,
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True, **environ},
    )


def test_a_body_shorter_than_announced_is_refused_and_starts_nothing(api: Any, client: Any) -> None:
    link = link_of(api)
    answer = sent(client, link, io.BytesIO(b"sum=1&phone=7999"), CONTENT_LENGTH="500")
    assert (answer.status_code, answer.json["code"]) == (400, "incomplete_body")
    assert api.get("/requests").json["items"] == []


@pytest.mark.parametrize("error", [InvalidChunkSize(b"zz"), NoMoreData(b""), ConnectionResetError()])
def test_a_body_that_breaks_off_while_it_is_read_is_refused(api: Any, client: Any, error: Exception) -> None:
    answer = sent(client, link_of(api), Breaking(error))
    assert (answer.status_code, answer.json["code"]) == (400, "incomplete_body")
    assert api.get("/requests").json["items"] == []
