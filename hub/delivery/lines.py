"""Lines: the configured accounts of messengers. What may be set, how it is kept sealed, and what holds them."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from connectors.channel import Channel, secret_fields
from connectors.registry import channels
from hub.clock import now_us, rfc3339
from hub.core import Hub
from hub.delivery.models import OPEN_STATES, Line, Message
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import new_id, new_token, token_hash
from hub.portals.service import bump
from hub.validation import clean_name, errors_of, name_taken
from hub.values import dumps, loads

HIDDEN = "•••"
OUT_OF_ORDER = ("auth_failed", "unreachable")
ANSWERS = "answers"
"""The code of a line that was refused and works again: it is paused until somebody has chosen what still goes out."""
UNUSABLE = {"code": "line_unusable", "message": "The config of this line cannot be read; enter it anew."}


class LineSettings(BaseModel):
    """How a line sends. Rates are messages a second; None means the channel's own, 0 means no limit.
    `bitrix24_sender`: a portal's people may choose the line to send texts from a card; None is yes for a line that
    takes phone numbers. `open_line`: the number of the portal's open line that what customers write is shown in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str = Field("RU", pattern=r"^[A-Z]{2}$")
    on_unconfirmed: Literal["hold", "resend"] = "hold"
    rate_per_s: float | None = Field(None, ge=0, le=10_000, allow_inf_nan=False)
    rate_per_chat_per_s: float | None = Field(None, ge=0, le=10_000, allow_inf_nan=False)
    bitrix24_sender: bool | None = None
    open_line: int | None = Field(None, ge=1, le=2_147_483_647)


def settings_of(line: Line) -> LineSettings:
    """The settings of a stored line."""
    return LineSettings.model_validate_json(line.settings)


# ---------------------------------------------------------------- finding


def all_of(session: Session, portal_id: int) -> list[Line]:
    """Every line of a portal, by name."""
    query = select(Line).where(Line.portal_id == portal_id, col(Line.deleted_at).is_(None))
    return list(session.exec(query.order_by(col(Line.name_key))))


def get(session: Session, portal_id: int, line_id: str) -> Line:
    """One line of a portal. Raises NotFound, also for another portal's line."""
    line = session.get(Line, line_id)
    if line is None or line.portal_id != portal_id or line.deleted_at is not None:
        raise NotFound("There is no such line.")
    return line


def by_name(session: Session, portal_id: int, name: str) -> Line | None:
    """The line that a scenario means by a name; letter case and outer spaces do not count."""
    query = select(Line).where(Line.portal_id == portal_id, Line.name_key == name.strip().casefold())
    return session.exec(query.where(col(Line.deleted_at).is_(None))).one_or_none()


def queues(session: Session, portal_id: int) -> dict[str, int]:
    """How many messages wait on each line of a portal; lines without any are left out."""
    query = select(Message.line_id, func.count()).where(
        Message.portal_id == portal_id, col(Message.state).in_(OPEN_STATES)
    )
    return dict(session.exec(query.group_by(Message.line_id)).all())


# ---------------------------------------------------------------- changing


def create(
    session: Session,
    hub: Hub,
    portal_id: int,
    *,
    name: str,
    channel: str,
    config: Mapping[str, Any],
    settings: LineSettings | None = None,
) -> Line:
    """Add a line. Raises Invalid: unknown channel, bad config, `name_taken`."""
    name = _free_name(session, portal_id, name, None)
    if channel not in channels():
        message = f"There is no such channel; there are: {', '.join(sorted(channels()))}."
        raise Invalid(message, errors=[{"pointer": "/channel", "code": "unknown_channel", "message": message}])
    line_id, token = new_id(), new_token()
    line = Line(
        id=line_id,
        portal_id=portal_id,
        name=name,
        name_key=name.casefold(),
        channel=channel,
        config_sealed=_seal_config(hub, line_id, channel, config),
        settings=(settings or LineSettings()).model_dump_json(),
        token_hash=token_hash(token),
        token_sealed=hub.box.seal(token, table="line", column="token", row=line_id),
        created_at=now_us(),
    )
    _store(session, line)
    bump(session, portal_id, "config")
    return line


def update(
    session: Session,
    hub: Hub,
    line: Line,
    *,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    retry: bool = True,
) -> Line:
    """Change what is given; keys of `config` and `settings` that are left out stay, `null` goes back to the default.

    A secret that comes back as "•••" stays as it was. A line that was out of order for its config is tried again
    after a change of it, unless `retry` is False. Raises Invalid.
    """
    if name is not None:
        line.name = _free_name(session, line.portal_id, name, line.id)
        line.name_key = line.name.casefold()
    if config is not None:
        stored = open_config(hub, line)
        hidden = {key for key in secret_fields(channels()[line.channel].Config) if config.get(key) == HIDDEN}
        merged = stored | {key: value for key, value in config.items() if key not in hidden}
        line.config_sealed = _seal_config(hub, line.id, line.channel, merged)
        if retry and line.state in OUT_OF_ORDER:
            _activate(line)
    if settings is not None:
        merged = loads(line.settings) | settings
        line.settings = parse_settings(merged).model_dump_json()
    _store(session, line)
    bump(session, line.portal_id, "config")
    return line


def delete(session: Session, line: Line) -> None:
    """Take a line away together with its secrets. Raises Conflict while messages wait on it."""
    waiting = queues(session, line.portal_id).get(line.id, 0)
    if waiting:
        raise Conflict(
            "Messages still wait on this line; send, move or cancel them first.", code="line_in_use", queue=waiting
        )
    line.deleted_at = now_us()
    line.name_key = line.token_hash = f"deleted {line.id}"
    line.config_sealed = line.token_sealed = ""
    session.add(line)
    bump(session, line.portal_id, "config")


def asks(line: Line) -> bool:
    """Whether a line works again and stays paused until somebody has chosen what still goes out."""
    return line.state == "paused" and line.state_code == ANSWERS


def pause(session: Session, line: Line, *, code: str = "", until: int | None = None) -> None:
    """Hold every message of a line until `resume`. `until` (µs): when a line that `ANSWERS` goes on by itself."""
    _set_state(line, "paused")
    line.state_code, line.held_until = code, until
    session.add(line)
    bump(session, line.portal_id, "config")


def resume(session: Session, line: Line, *, slowly: bool = False) -> None:
    """Let a line send again, whatever stopped it."""
    _activate(line)
    line.ramp_from = now_us() if slowly else None
    session.add(line)
    bump(session, line.portal_id, "config")


def parse_settings(given: Mapping[str, Any]) -> LineSettings:
    """Check settings; `null` stands for the default. Raises Invalid."""
    try:
        return LineSettings.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        raise Invalid(
            "The settings of the line cannot be kept like this.", errors=errors_of(error, "/settings")
        ) from None


# ---------------------------------------------------------------- using


def open_config(hub: Hub, line: Line) -> dict[str, Any]:
    """The config with its secrets, for sending only. Raises SecretError when no key opens it."""
    config: dict[str, Any] = loads(hub.box.open(line.config_sealed, table="line", column="config", row=line.id))
    return config


def open_channel(hub: Hub, line: Line) -> Channel:
    """The channel that sends for this line."""
    kind = channels()[line.channel]
    return kind(kind.Config.model_validate(open_config(hub, line)), hub.http)


def to_dict(hub: Hub, line: Line, queue: int) -> dict[str, Any]:
    """A line as the API shows it: secrets as "•••"; `queue` is the number of waiting messages."""
    config = open_config(hub, line)
    for name in secret_fields(channels()[line.channel].Config):
        if config.get(name):
            config[name] = HIDDEN
    token = hub.box.open(line.token_sealed, table="line", column="token", row=line.id)
    return {
        "id": line.id,
        "name": line.name,
        "channel": line.channel,
        "state": line.state,
        "state_reason": line.state_reason,
        "state_code": line.state_code,
        "state_since": rfc3339(line.state_since),
        "config": config,
        "settings": settings_of(line).model_dump(),
        "queue": queue,
        "webhook_url": f"{hub.settings.base_url}/channels/{token}",
        "created_at": rfc3339(line.created_at),
    }


def _set_state(line: Line, state: str) -> None:
    if line.state != state:
        line.state_since = now_us()
    line.state, line.state_reason, line.state_code = state, "", ""


def _activate(line: Line) -> None:
    _set_state(line, "active")
    line.held_until = line.opened_at = line.ramp_from = None
    line.trouble = line.opened = 0


def _free_name(session: Session, portal_id: int, name: str, own_id: str | None) -> str:
    name = clean_name(name)
    other = by_name(session, portal_id, name)
    if other is not None and other.id != own_id:
        raise name_taken("a line")
    return name


def _store(session: Session, line: Line) -> None:
    session.add(line)
    try:
        session.flush()
    except IntegrityError:
        raise name_taken("a line") from None  # somebody else took the name in between


def _seal_config(hub: Hub, line_id: str, channel: str, config: Mapping[str, Any]) -> str:
    kind = channels()[channel]
    secret = secret_fields(kind.Config)
    problem = "The config of the line cannot be kept like this."
    for key in secret:
        if config.get(key) == HIDDEN:
            error = {"pointer": f"/config/{key}", "code": "hidden", "message": "There is no stored value to keep."}
            raise Invalid(problem, errors=[error])
    try:
        checked = kind.Config.model_validate({key: value for key, value in config.items() if value is not None})
    except ValidationError as error:
        raise Invalid(problem, errors=errors_of(error, "/config", secret)) from None
    plain = {key: _revealed(value) for key, value in checked.model_dump().items()}
    return hub.box.seal(dumps(plain), table="line", column="config", row=line_id)


def _revealed(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
