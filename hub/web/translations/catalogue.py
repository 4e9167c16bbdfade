"""The Russian catalogue: parts by subject, put together and compiled."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from hub.web.translations.collect import Msgid, everything, scripted

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE / "ru" / "LC_MESSAGES" / "messages.mo"
WORDS = HERE.parent / "static" / "words" / "ru.json"
"""What scripts and the editor say: `{msgid: text}`, a list of forms where it is counted."""
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
"""The same parts give the same bytes, whenever they are put together."""


def merged() -> Catalog:
    """All parts as one catalogue. Raises ValueError when two parts translate one text differently."""
    whole = Catalog(locale="ru", project="Hubline", fuzzy=False, creation_date=_NO_DATE, revision_date=_NO_DATE)
    for file in sorted((HERE / "ru").glob("*.po")):
        with file.open("rb") as source:
            part = read_po(source, locale="ru")
        for message in part:
            if not message.id:
                continue
            known = whole.get(message.id[0] if isinstance(message.id, tuple | list) else message.id)
            if known is not None and known.string != message.string:
                raise ValueError(f"{file.name}: {message.id!r} has another translation elsewhere")
            whole.add(message.id, message.string)
    return whole


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as gettext reads it."""
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def words(catalogue: Catalog) -> str:
    """The part of the catalogue that scripts need, as JSON."""
    found: dict[str, str | list[str]] = {}
    for msgid in scripted():
        one = msgid[0] if isinstance(msgid, tuple) else msgid
        message = catalogue.get(one)
        if message is not None and message.string:
            found[one] = message.string if isinstance(message.string, str) else list(message.string)
    return json.dumps(found, ensure_ascii=False, indent=0, sort_keys=True) + "\n"


def missing(catalogue: Catalog) -> list[Msgid]:
    """Texts without Russian."""
    lacking: list[Msgid] = []
    for msgid in everything():
        message = catalogue.get(msgid[0] if isinstance(msgid, tuple) else msgid)
        strings = (message.string if message is not None else None) or ()
        forms = (strings,) if isinstance(strings, str) else tuple(strings)
        wanted = catalogue.num_plurals if isinstance(msgid, tuple) else 1
        if len(forms) != wanted or not all(forms):
            lacking.append(msgid)
    return lacking
