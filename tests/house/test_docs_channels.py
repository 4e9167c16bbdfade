"""The page about channels: its table is what the channels declare, and its example really is a channel.

`UPDATE_DOCS=1 pytest tests/house/test_docs_channels.py` writes the table anew.
"""

import importlib.util
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from connectors.channel import Capabilities, Channel, OutgoingMessage
from connectors.egress import Egress
from connectors.errors import ConnectorError, LineDown, RateLimited, Rejected, Temporary, Unsupported
from connectors.http import Http
from connectors.registry import channels
from hub.sandbox.faults import Board, Fault
from hub.sandbox.server import Sandbox

PAGE = Path(__file__).parents[2] / "docs" / "channels.md"
TABLE = re.compile(r"(<!-- capabilities: begin[^\n]*-->\n)(.*?)(<!-- capabilities: end -->)", re.DOTALL)
UNITS = {"chars": "characters", "utf16": "UTF-16 units", "bytes": "bytes"}
TOKEN = "a-token-nobody-may-see"


def capabilities_table(kinds: Mapping[str, type[Channel]]) -> str:
    """A row of Markdown for each channel."""
    heads = (
        "channel",
        "kind",
        "recipient",
        "text",
        "buttons",
        "files",
        "templates",
        "receipts",
        "repeats",
        "rate",
        "rate per chat",
    )
    rows = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for kind, channel in sorted(kinds.items()):
        carries = channel.carries
        cells = (
            channel.title,
            f"`{kind}`",
            "phone number" if carries.recipients == "phone" else "chat id",
            f"{carries.text_chars} {UNITS.get(carries.text_unit, carries.text_unit)}",
            str(carries.buttons) if carries.buttons else "no",
            f"yes, caption up to {carries.caption_chars}" if carries.files else "no",
            "yes" if carries.templates else "no",
            "yes" if carries.receipts else "no",
            "recognised" if carries.idempotent else "sent again",
            _rate(carries.rate_per_s),
            _rate(carries.rate_per_chat_per_s),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _rate(per_s: float) -> str:
    return f"{per_s:g}/s" if per_s else "–"


def load(name: str, code: str, folder: Path) -> ModuleType:
    file = folder / f"{name}.py"
    file.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, ModuleType]:
    """The channel's module and the simulator's, from the page."""
    found = re.findall(r"^```python\n(.+?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) == 2
    folder = tmp_path_factory.mktemp("pigeon")
    return load("pigeon", found[0], folder), load("pigeon_simulator", found[1], folder)


@pytest.fixture
def provider(examples: tuple[ModuleType, ModuleType]) -> Iterator[tuple[str, Board]]:
    """The simulator's address and board, served as the sandbox would."""
    board = Board()
    blueprint = examples[1].blueprint(board)
    blueprint.url_prefix = "/pigeon"
    running = Sandbox(extra=[blueprint]).start()
    yield f"{running.url}/pigeon", board
    running.stop()


@pytest.fixture
def line(examples: tuple[ModuleType, ModuleType], provider: tuple[str, Board]) -> Iterator[Channel]:
    url = provider[0]
    http = Http(Egress(frozenset({url.removeprefix("http://").partition("/")[0]})))
    kind = examples[0].Pigeon
    yield kind(kind.Config(token=TOKEN, api_url=url), http)
    http.close()


def say(chat: str = "+7 999 123-45-67", text: str = "Привет") -> OutgoingMessage:
    return OutgoingMessage("m1", chat, text)


def test_the_table_on_the_page_is_what_the_channels_declare() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = capabilities_table(channels())
    if os.environ.get("UPDATE_DOCS"):
        page = TABLE.sub(lambda found: found[1] + table + found[3], page)
        PAGE.write_text(page, encoding="utf-8")
    shown = TABLE.search(page)
    assert shown
    assert shown[2] == table, "run: UPDATE_DOCS=1 .venv/bin/python -m pytest tests/house/test_docs_channels.py"


def test_the_table_notices_every_change_of_a_declaration() -> None:
    class Other(Channel):
        """Another."""

        title = "Other"
        carries = Capabilities(text_chars=7, buttons=3, receipts=True, recipients="phone", rate_per_s=0.5)

    assert "| Other | `other` | phone number | 7 characters | 3 | no | no | yes | sent again | 0.5/s | – |" in (
        capabilities_table({"other": Other})
    )


def test_a_message_through_the_example_arrives_once(line: Channel, provider: tuple[str, Board]) -> None:
    assert line.check().name == "Pigeon sandbox"
    assert line.send(say()).provider_ids == ("79991234567-1",)
    assert line.send(say()).provider_ids == ("79991234567-1",)
    assert [(entry.chat, entry.text) for entry in provider[1].entries() if entry.accepted] == [
        ("79991234567", "Привет")
    ]


def test_a_long_message_through_the_example_goes_in_parts(line: Channel, provider: tuple[str, Board]) -> None:
    assert len(line.send(say(text="слово " * 120)).provider_ids) == 2
    assert all(len(entry.text) <= 480 for entry in provider[1].entries())


@pytest.mark.parametrize(("status", "error"), [(401, LineDown), (429, RateLimited), (400, Rejected), (503, Temporary)])
def test_the_example_gives_every_refusal_its_class(
    line: Channel, provider: tuple[str, Board], status: int, error: type[ConnectorError]
) -> None:
    provider[1].add(Fault("status", status=status))
    with pytest.raises(error) as caught:
        line.send(say())
    assert TOKEN not in repr(caught.value) + caught.value.body


def test_the_example_refuses_what_it_cannot_carry(line: Channel) -> None:
    with pytest.raises(Unsupported):
        line.send(OutgoingMessage("m1", "79991234567", "x", file_url="https://example.org/a.pdf"))
