"""Logs: one line an event, a constant name and fields; readable on a terminal, JSON elsewhere, never with a secret.

Standard logging and structlog both end here, so a line of a library is masked like our own.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "•••"
_SECRET_NAMES = re.compile(
    r"token|secret|passw|authorization|cookie|credential|api[_-]?key|encryption[_-]?key|\Aauth\Z", re.IGNORECASE
)
_PATTERNS = (
    # A parameter of an address or a form.
    (re.compile(r"(?i)([?&\s\"'](?:\w*token|auth|\w*secret|password|api_?key|code)=)[^&\s\"'#]+"), rf"\g<1>{MASK}"),
    # Telegram's token, in a path or alone.
    (re.compile(r"\bbot\d+:[\w-]+"), f"bot{MASK}"),
    (re.compile(r"\b\d{6,}:[\w-]{30,}"), MASK),
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic)\s+)?[^\s\"',}]+"), rf"\g<1>{MASK}"),
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}"), rf"\g<1>{MASK}"),
    # The addresses of ours that carry a token in their path.
    (re.compile(r"(/(?:channels|bitrix24/(?:event|robot|sms|openlines))/)[^/?\s\"']+"), rf"\g<1>{MASK}"),
    # A password inside a database's or a proxy's address.
    (re.compile(r"(\w://)[^/@\s\"']+@"), rf"\g<1>{MASK}@"),
)


def configure(log_format: Literal["", "console", "json"] = "", level: str = "info") -> None:
    """Send every log of this process to standard error. Empty format: console on a terminal, else JSON lines."""
    handler = _ToStandardError()
    handler.set_name("hub")
    handler.setFormatter(formatter(log_format))
    root = logging.getLogger()
    for old in [old for old in root.handlers if old.get_name() == "hub"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for noisy in ("urllib3", "werkzeug", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def formatter(log_format: Literal["", "console", "json"] = "") -> logging.Formatter:
    """The formatter of every handler, for logging set up elsewhere (gunicorn's) to use as well."""
    console = log_format == "console" or (not log_format and sys.stderr.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_event,
            renderer,
        ],
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, structlog.stdlib.ExtraAdder(), *_shared()],
    )


def mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide whatever looks like a secret, by the name of its field or by its own form."""
    return {key: MASK if _SECRET_NAMES.search(key) and value else masked(value) for key, value in event.items()}


def masked(value: Any) -> Any:
    """The value with secrets replaced, at any depth."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {key: MASK if _SECRET_NAMES.search(str(key)) and part else masked(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [masked(part) for part in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return mask_text(str(value))


def mask_text(text: str) -> str:
    """A text without the tokens, passwords and authorization headers inside it."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class _ToStandardError(logging.Handler):
    """Writes to whatever standard error is at that moment: it may be replaced while the process runs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError, TypeError, LookupError):
            self.handleError(record)


def _shared() -> list[Processor]:
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
