"""Data that databases, parsers and languages choke on: whatever comes, it is kept or refused, and nothing breaks."""

import asyncio
import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes, urlsplit

import pytest

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.journeys.installation import answer, assign, new_chat, send
from tests.journeys.plant import Plant, standing

pytestmark = pytest.mark.xdist_group("storage")
JSON, FORM, TEXT = b"application/json", b"application/x-www-form-urlencoded", b"text/plain"
MULTIPART = b"multipart/form-data; boundary=x"
TEXTS = {
    "NUL": b"\x00",
    "a lone surrogate": b"\xed\xa0\x80",
    "no UTF-8": b"\xff\xfe\xc0\xaf",
    "no characters": "\uffff\ufffe\ufdd0".encode(),
    "directions and marks": ("\u202e\u2066\u200b" + "e" + "\u0301" * 500).encode(),
    "families": "👩‍👩‍👧‍👦🏳️‍🌈".encode() * 50,
    "controls": bytes(range(1, 32)) + b"\x7f\xc2\x85",
    "a template": b"{{ 9**9 }}{% x %}${7*7}{{body.body}}{{",
    "SQL": b"'; DROP TABLE message; -- \\' \" ? %s $1 :x",
    "a page": b"<script>alert(1)</script>&amp;\"'>",
    "much": b"x" * 250_000,
}
VALUES = {
    "an escaped NUL": rb'"\u0000"',
    "an escaped lone surrogate": rb'"\ud800x\udfff"',
    "five thousand digits": b"7" * 5000,
    "a hundred digits": b"9" * 100,
    "too large": b"1e400",
    "too small": b"-1e-400",
    "an exponent of nine digits": b"1e999999999",
    "just above what fits 64 bits": b"9223372036854775808",
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "lists in lists": b"[" * 10_000 + b"]" * 10_000,
    "lists without end": b"[" * 100_000,
    "objects in objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "the deepest that is taken": b"[" * 31 + b"]" * 31,
    "half a word": b"tru",
    "nothing": b"",
    "an empty object": b"{}",
    "many keys": b"{" + b",".join(b'"k%d":1' % n for n in range(20_000)) + b"}",
    "many values": b"[" + b"1," * 200_000 + b"1]",
    "names of Python": b'{"__class__":1,"__proto__":{"x":1},"constructor":null,"":"","self":1}',
}
Exchange = tuple[str, bytes, bytes]
"""What it is, the path with its query, and the rest of the request: method first, then headers and body."""


def request(name: str, target: bytes, kind: bytes, body: bytes, *headers: bytes, method: bytes = b"POST") -> Exchange:
    """A request with a body."""
    head = [b"Content-Type: " + kind, b"Content-Length: %d" % len(body), *headers]
    return name, target, method + b"\0" + b"\r\n".join(head) + b"\r\n\r\n" + body


def at_link(link: bytes) -> Iterator[Exchange]:
    """Everything at a link: in a body of every kind, as a value and as a key; in headers; in the query and the path."""
    for name, value in VALUES.items():
        yield request(name, link, JSON, b'{"id":' + value + b"}")
        yield request(name, link, JSON, value)
        yield request(name, link, TEXT, value)
    for name, text in TEXTS.items():
        escaped = quote_from_bytes(text).encode()
        quoted = b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        yield request(name, link, JSON, b'{"id":' + quoted + b"}")
        yield request(name, link, JSON, b"{" + quoted + b":1}")
        yield request(name, link, TEXT, text)
        yield request(name, link, b"application/octet-stream", text)
        yield request(name, link, FORM, b"id=" + escaped)
        yield request(name, link, FORM, b"id=" + text)
        yield request(name, link, FORM, escaped[:4000] + b"=1&a[" + escaped[:2000] + b"][]=2")
        part = b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n--x--\r\n'
        yield request(name, link, MULTIPART, part % (b"id", text))
        yield request(name, link, MULTIPART, part % (text[:1000], b"1"))
        short, inside = text[:200], escaped[:2000]
        for header in (b"Idempotency-Key", b"webhook-id", b"User-Agent", b"Cookie", b"X-Forwarded-For", b"X-" + short):
            yield request(name, link, JSON, b"{}", header + b": " + short)
        yield request(name, link, short, b"{}")
        yield request(name, link, JSON, b"{}", b"Content-Encoding: " + short)
        yield request(name, link + b"&id=" + inside + b"&" + inside + b"=1&x[" + inside[:500] + b"]=1", JSON, b"{}")
        yield request(name, link + b"&id=" + short.replace(b" ", b"+"), JSON, b"{}")
        yield request(name, b"/get/?token=" + inside, JSON, b"{}")
        yield request(name, link + b"&template_id=" + inside, JSON, b"{}")
        yield request(name, b"/api/request/" + inside + b"?token=1", JSON, b"{}")
        yield request(name, b"/api/request/result/" + inside + b"?token=" + inside, JSON, b"", method=b"GET")
        yield request(name, b"/channels/" + inside, JSON, b"{}")
    yield request("brackets in brackets", link, FORM, b"a" + b"[b]" * 1000 + b"=1")
    yield request("an index of many digits", link, FORM, b"a[99999999999999999999]=1&a[-1]=2")
    yield request("many fields", link, FORM, b"&".join(b"f%d=1" % n for n in range(100_000)))
    yield request("half an escape", link, FORM, b"id=%&%e=%zz&=&&%00=%00")
    yield request("a bomb", link, JSON, gzip.compress(b"0" * 10_000_000), b"Content-Encoding: gzip")
    yield request("UTF-16", link, b"application/json; charset=utf-16", '{"id":1}'.encode("utf-16"))
    yield request("an unknown alphabet", link, b"application/json; charset=%00", b'{"id":"\xe9"}')
    yield request("no boundary", link, b"multipart/form-data", b"--x\r\n")
    yield request("a boundary of NUL", link, b"multipart/form-data; boundary=\x00", b"--\x00\r\n")
    yield request("too large", link, JSON, b'"' + b"x" * (1 << 20) + b'"')
    yield "a length of minus one", link, b"POST\0Content-Length: -1\r\n\r\n{}"
    yield "a length of many digits", link, b"POST\0Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}"
    yield "two lengths", link, b"POST\0Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
    yield "a length and chunks", link, b"POST\0Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    yield "chunks of no size", link, b"POST\0Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"
    yield "a header without end", link, b"POST\0X: " + b"x" * 100_000 + b"\r\n\r\n"
    yield "a path without end", link + b"&x=" + b"x" * 100_000, b"POST\0Content-Length: 0\r\n\r\n"


def at_api(key: bytes) -> Iterator[Exchange]:
    """The same in places of the management API: paths, filters, bodies."""
    numbers = (b"9" * 30, b"-1", b"1e9", b"%00", b"0x1", "٣".encode())
    places = [
        b"/requests?scenario=%b", b"/runs?scenario=%b", b"/messages?scenario=%b&limit=1", b"/messages?limit=%b",
        b"/scenarios/%b", b"/scenarios/%b/versions/%b", b"/runs?before=%b",
    ]  # fmt: skip
    for number in numbers:
        for place in places:
            target = place.replace(b"%b", number)
            yield request(repr(number), b"/api/v1" + target, JSON, b"", key, method=b"GET")
    places = [
        b"/messages/%b", b"/runs/%b", b"/requests/%b", b"/lines/%b", b"/variables/%b", b"/constants/%b",
        b"/messages?chat=%b", b"/messages?reason=%b", b"/messages?line=%b", b"/messages?cursor=%b", b"/runs?status=%b",
        b"/messages?state=%b", b"/runs?cursor=%b", b"/requests?outcome=%b", b"/%b", b"/openapi.json?%b=1",
    ]  # fmt: skip
    for name, text in TEXTS.items():
        escaped = quote_from_bytes(text, safe="").encode()[:600].rpartition(b"%")[0] or b"%78"
        for place in places:
            yield request(name, b"/api/v1" + place.replace(b"%b", escaped), JSON, b"", key, method=b"GET")
        yield request(name, b"/api/v1/runs", JSON, b"", b"Authorization: Bearer " + text[:100], method=b"GET")
    bodies = [*VALUES.items(), *((name, b'"' + text[:1000] + b'"') for name, text in TEXTS.items())]
    for name, value in bodies:
        yield request(name, b"/api/v1/variables/x", JSON, b'{"value":' + value + b"}", key, method=b"PUT")
        yield request(name, b"/api/v1/constants/x", JSON, b'{"value":' + value + b"}", key, method=b"PUT")
        yield request(name, b"/api/v1/variables/x", JSON, value, key, method=b"PUT")
        yield request(name, b"/api/v1/scenarios", JSON, b'{"name":' + value + b',"blocks":' + value + b"}", key)
        yield request(name, b"/api/v1/scenarios", b"application/yaml", b"name: " + value, key)
        yield request(name, b"/api/v1/messages/redeliver", JSON, b'{"filter":{"chat":' + value + b"}}", key)
        yield request(name, b"/api/v1/lines", JSON, b'{"name":' + value + b',"channel":"telegram","config":{}}', key)


async def told(port: int, exchange: Exchange) -> int:
    """The status of the answer, 0 when there is none."""
    _, target, rest = exchange
    method, _, more = rest.partition(b"\0")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + more)
        async with asyncio.timeout(30):
            line = await reader.readline()
    except ConnectionError:
        return 0
    finally:
        writer.close()
    return int(line.split()[1]) if line else 0


async def statuses(port: int, exchanges: Iterable[Exchange]) -> list[tuple[int, Exchange]]:
    """What each exchange was answered, by eight callers at once."""
    waiting = iter(exchanges)

    async def work() -> list[tuple[int, Exchange]]:
        return [(await told(port, exchange), exchange) for exchange in waiting]

    return [one for part in await asyncio.gather(*(work() for _ in range(8))) for one in part]


@pytest.fixture
def plant(settings: Settings, tmp_path: Path, sandbox: Sandbox) -> Iterator[Plant]:
    """One web process and a worker."""
    with standing(settings, tmp_path, sandbox) as made:
        made.product.worker()
        yield made


def broken(answers: Iterable[tuple[int, Exchange]]) -> list[tuple[int, str, bytes, bytes]]:
    """Those that were answered by an error of ours, or not at all."""
    return [(code, name, target[:90], rest[:90]) for code, (name, target, rest) in answers if not 200 <= code < 500]


def target_of(link: str) -> bytes:
    """What stands in a request's first line."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}".encode()


def reading(plant: Plant) -> Iterator[Exchange]:
    """A look at each of the newest requests, with its run."""
    key = f"Authorization: {plant.at.key}".encode()
    for item in plant.at.read("/requests?limit=200")["items"]:
        for path in [f"/requests/{item['id']}"] + [f"/runs/{item['run']}"] * bool(item["run"]):
            yield request(item["id"], f"/api/v1{path}".encode(), JSON, b"", key, method=b"GET")


def test_f22_data_that_databases_choke_on_is_kept_or_refused_wherever_it_stands(plant: Plant) -> None:
    seen, chat = assign("note", seen="{{id}} {{body}} {{query}}"), new_chat()
    sends = plant.at.scenario(seen, send("{{id}}!", chat), event_key="id")
    answers = plant.at.scenario(seen, answer(id="{{id}}", body="{{body}}", seen="{{seen}}"))
    for link in (sends.short, answers.bare_result):
        found = asyncio.run(statuses(plant.web.port, at_link(target_of(link))))
        assert broken(found) == []
        assert sum(status == 200 for status, _ in found) > 100
        assert {status for status, _ in asyncio.run(statuses(plant.web.port, reading(plant)))} == {200}
    assert '"level": "error"' not in plant.web.output()


def test_f22_the_management_api_takes_such_data_or_refuses_it(plant: Plant) -> None:
    found = asyncio.run(statuses(plant.web.port, at_api(f"Authorization: {plant.at.key}".encode())))
    assert broken(found) == []
    assert sum(status == 200 for status, _ in found) > 40
    assert '"level": "error"' not in plant.web.output()
