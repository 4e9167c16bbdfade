"""What states are called, and with which colour and sign they are shown."""

from dataclasses import dataclass

from flask import Flask
from flask_babel import gettext
from flask_babel import lazy_gettext as _

_WORDS = {
    "run": {
        "queued": (_("waits its turn"), "wait", "clock"),
        "running": (_("runs"), "info", "player-play"),
        "waiting": (_("waits"), "wait", "clock"),
        "completed": (_("done"), "ok", "check"),
        "partial": (_("partly done"), "wait", "alert-triangle"),
        "failed": (_("failed"), "bad", "circle-x"),
        "cancelled": (_("cancelled"), "off", "ban"),
        "expired": (_("too late"), "off", "clock-off"),
    },
    "message": {
        "queued": (_("waits"), "wait", "clock"),
        "sending": (_("is being sent"), "info", "send"),
        "sent": (_("sent"), "ok", "check"),
        "delivered": (_("delivered"), "ok", "checks"),
        "read": (_("read"), "ok", "eye-check"),
        "unconfirmed": (_("unknown"), "wait", "help"),
        "undelivered": (_("not delivered"), "bad", "circle-x"),
        "failed": (_("not sent"), "bad", "circle-x"),
        "expired": (_("too late"), "off", "clock-off"),
        "cancelled": (_("cancelled"), "off", "ban"),
    },
    "step": {
        "done": (_("done"), "ok", "check"),
        "failed": (_("failed"), "bad", "circle-x"),
        "skipped": (_("skipped"), "off", "ban"),
        "waiting": (_("waits"), "wait", "clock"),
    },
    "line": {
        "active": (_("works"), "ok", "check"),
        "paused": (_("paused"), "off", "player-pause"),
        "auth_failed": (_("refused"), "bad", "key-off"),
        "unreachable": (_("does not answer"), "bad", "plug-x"),
    },
    "request": {
        "run": (_("run"), "ok", "check"),
        "duplicate": (_("duplicate"), "off", "copy"),
        "check": (_("connection check"), "info", "plug"),
        "captured": (_("kept, nothing ran"), "wait", "clock"),
        "refused": (_("refused"), "bad", "circle-x"),
        "unchanged": (_("nothing watched has changed"), "off", "clock"),
        "ignored": (_("nothing to run with"), "off", "ban"),
    },
}


_SOURCES = {
    "body": _("from the body of the request"),
    "query": _("from the link"),
    "local": _("a variable"),
    "global": _("a global variable"),
    "const": _("a constant"),
    "system": _("known by itself"),
    "bitrix": _("from the card"),
    "blocks": _("result of a block"),
}


@dataclass(frozen=True)
class Shown:
    """A state in words, with its tone (ok, wait, bad, off, info) and the name of its sign."""

    text: str
    tone: str
    sign: str


def register(app: Flask) -> None:
    """Offer `state("run", run.status)` and `source(place.source)` to templates."""
    app.jinja_env.globals.update(state=state, source=source)


def states(kind: str) -> dict[str, Shown]:
    """How every state of a kind of thing is shown, by its name."""
    return {name: state(kind, name) for name in _WORDS[kind]}


def state(kind: str, name: str) -> Shown:
    """How a state of a run, step, message, line or request is shown; a new one is shown by its name."""
    text, tone, sign = _WORDS[kind].get(name, (gettext(name), "off", "help"))
    return Shown(str(text), tone, sign)


def source(name: str) -> str:
    """Where a filled place of a text came from; what needs no words is shown by its name."""
    return str(_SOURCES.get(name, name))
