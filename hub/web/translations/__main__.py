"""`python -m hub.web.translations`: build the catalogue; 1 when a text has no Russian, each named."""

import sys

from hub.web.translations.catalogue import CATALOGUE, WORDS, compiled, merged, missing, words


def main() -> int:
    """Write the compiled catalogue and report what is missing."""
    catalogue = merged()
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    CATALOGUE.write_bytes(compiled(catalogue))
    WORDS.parent.mkdir(parents=True, exist_ok=True)
    WORDS.write_text(words(catalogue))
    lacking = missing(catalogue)
    for msgid in sorted(lacking, key=str):
        print(msgid if isinstance(msgid, str) else " / ".join(msgid))  # noqa: T201
    print(f"{len(catalogue)} texts, {len(lacking)} without Russian.", file=sys.stderr)  # noqa: T201
    return 1 if lacking else 0


sys.exit(main())
