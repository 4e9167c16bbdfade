"""Regular expressions that every supported Python reads alike."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_pattern_has_a_possessive_quantifier_after_a_group() -> None:
    # Python 3.11 before 3.11.5 lets such a group match too much; Debian 12 ships 3.11.2.
    possessive = re.compile(r"\(\?:.*\)[*+?]\+")
    files = [*(ROOT / "hub").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]
    assert [str(path) for path in files if possessive.search(path.read_text())] == []
