"""Regular expressions that people write. RE2 runs them in linear time, so none can hold a worker."""

from functools import lru_cache
from typing import Any

import re2

from hub.language.errors import TemplateFailure

MAX_PATTERN = 512
MAX_INPUT = 16 * 1024


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Any:
    """A compiled pattern, for the check and for `matches`. Raises TemplateFailure with code `bad_pattern`."""
    if len(pattern) > MAX_PATTERN:
        raise TemplateFailure("bad_pattern", f"A pattern holds at most {MAX_PATTERN} characters.")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError) as error:
        reason = error.args[0] if error.args and not isinstance(error, UnicodeError) else "unreadable letters"
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise TemplateFailure("bad_pattern", f"The pattern cannot be used: {reason}.") from None


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern occurs anywhere in the text; `^` and `$` tie it to the ends.

    Raises TemplateFailure for a bad pattern or a text of more than 16 KiB.
    """
    compiled = compile_pattern(pattern)
    data = text.encode("utf-8", "replace")
    if len(data) > MAX_INPUT:
        raise TemplateFailure("template_error", f"A text to match holds at most {MAX_INPUT} bytes.")
    return compiled.search(data.decode()) is not None
