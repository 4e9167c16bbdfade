"""Everything that is kept of a portal as one file: a table of lines of JSON each, and a manifest; no secrets."""

import base64
import hashlib
import zipfile
from pathlib import Path
from typing import Any

from hub.clock import now_us, rfc3339
from hub.core import Hub
from hub.upkeep import belongings
from hub.values import Value, dumps


def export(hub: Hub, portal_id: int, file: Path) -> dict[str, int]:
    """Write the archive, readable by its owner only; gives the number of rows by table. Raises OSError."""
    counts: dict[str, int] = {}
    digests: dict[str, Value] = {}
    file.touch(mode=0o600, exist_ok=False)
    with hub.db.sql() as sql, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for belonging in belongings.everything():
            if belonging.name == belongings.PROOF:
                continue
            digest, count = hashlib.sha256(), 0
            with archive.open(f"{belonging.name}.ndjson", "w") as part:
                for names, row in belonging.rows(sql, portal_id):
                    line = dumps(dict(zip(names, map(_plain, row), strict=True))).encode() + b"\n"
                    part.write(line)
                    digest.update(line)
                    count += 1
            counts[belonging.name] = count
            digests[belonging.name] = {"rows": count, "sha256": digest.hexdigest()}
        manifest: dict[str, Value] = {"format": 1, "exported_at": rfc3339(now_us()), "tables": digests}
        archive.writestr("manifest.json", dumps(manifest))
    return counts


def _plain(value: Any) -> Value:
    """A column as JSON has it: bytes as text where they are that, else in base64."""
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return "base64:" + base64.b64encode(raw).decode()
    return value
