"""Changes something in the portal: a card, its timeline, a colleague's notifications. The call is made outside."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.language import is_empty, parse_moment
from hub.scenarios.block import (
    Block,
    BlockConfig,
    CheckContext,
    Fail,
    Go,
    JsonType,
    Outcome,
    Perform,
    Problem,
    RunContext,
    Summary,
    TextTemplate,
    ValueTemplate,
)
from hub.scenarios.blocks.bitrix24_read import Entity, card_number
from hub.scenarios.form import ENTITIES, _, hint
from hub.values import Value, as_text

MAX_TEXT = 60_000
FieldCode = Annotated[str, Field(min_length=1, max_length=64)]
_SAID_TWICE = frozenset({"create", "comment", "activity"})
"""Actions that would be seen twice if they were done twice, and of which the portal cannot tell whether it did them."""


ACTIONS: Mapping[str, str] = {
    "update": _("change a card"),
    "create": _("create a card"),
    "comment": _("comment in the timeline"),
    "notify": _("notify an employee"),
    "activity": _("plan a to-do"),
}


class Bitrix24Write(Block):
    """Change Bitrix24."""

    type: ClassVar[str] = "bitrix24_write"
    title: ClassVar[str] = _("Change Bitrix24")
    about: ClassVar[str] = _("Changes or creates a card, comments on it, notifies an employee.")
    icon: ClassVar[str] = "database-edit"
    group: ClassVar[Literal["bitrix24"]] = "bitrix24"
    ports: ClassVar[tuple[str, ...]] = ("next", "error")
    outputs: ClassVar[Mapping[str, JsonType]] = {"id": "string", "changed": "boolean"}
    output_titles: ClassVar[Mapping[str, str]] = {"id": _("number of the card"), "changed": _("whether it changed")}
    first: ClassVar[Mapping[str, Value]] = {"action": "comment", "text": ""}

    class Config(BlockConfig):
        """`update` and `create` write `fields` by their codes; a deal's CATEGORY_ID moves it to another funnel.
        `comment` puts `text` into the card's timeline, `notify` tells the user `user_id`, `activity` plans a to-do of
        the title `text` (fields DEADLINE, DESCRIPTION; `user_id` is responsible). Without `entity` and `id` it is the
        card that the run is about."""

        action: Literal["update", "create", "comment", "notify", "activity"] = Field(
            title=_("What to do"), json_schema_extra=hint(titles=ACTIONS)
        )
        text: TextTemplate = Field(
            default="", max_length=MAX_TEXT, title=_("Text"), json_schema_extra=hint("template_multiline")
        )
        fields: dict[FieldCode, ValueTemplate] = Field(
            default_factory=dict, max_length=200, title=_("Fields"), json_schema_extra=hint(suggest="crm_fields")
        )
        user_id: TextTemplate = Field(default="", max_length=2000, title=_("Employee"))
        entity: Entity | None = Field(
            default=None,
            title=_("Kind of card"),
            description=_("Without one it is the card that the run is about."),
            json_schema_extra=hint("entity", titles=ENTITIES, more=True),
        )
        id: TextTemplate = Field(
            default="", max_length=2000, title=_("Number of the card"), json_schema_extra=hint(more=True)
        )

    def summary(self, config: Config) -> Summary:
        """What is done, and with which words or fields."""
        what = config.text or ", ".join(config.fields)
        return "%(action)s: %(what)s", {"action": ACTIONS[config.action], "what": what}

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """What the action needs and does not have."""
        block, action = check.block_id, config.action
        if action in ("update", "create") and not config.fields:
            yield Problem("fields_empty", "Say which fields are to be written.", block, "fields")
        if action == "create" and config.entity is None:
            yield Problem("entity_missing", "Say what is to be created.", block, "entity")
        if action in ("comment", "notify", "activity") and not config.text.strip():
            yield Problem("text_empty", "Say what is to be written.", block, "text")
        if action == "notify" and not config.user_id.strip():
            yield Problem("user_missing", "Say who is to be told.", block, "user_id")
        if config.id.strip() and config.entity is None and action not in ("create", "notify"):
            yield Problem("entity_missing", "Say what kind of card this is the id of.", block, "entity")

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Ask for the change, then tell what became of it."""
        resumed = context.resumed
        if resumed is not None and resumed["kind"] == "performed":
            return _after(resumed)
        interrupted = resumed is not None
        if interrupted and config.action in _SAID_TWICE:
            return Fail("b24.unconfirmed", "The change was interrupted, and nobody knows whether it was made.")
        spec: dict[str, Value] = {"action": config.action, "entity": config.entity, "step": as_text(context.iteration)}
        number = context.text(config.id)
        if config.action not in ("create", "notify") and number.strip():
            spec["id"] = card_number(number)
            if spec["id"] is None:
                return Fail("b24.bad_id", "The id of the card is not a number.")
        spec["fields"] = {name: context.value(template) for name, template in config.fields.items()}
        spec["text"] = context.text(config.text)
        spec["user_id"] = context.text(config.user_id).strip().removeprefix("user_")
        if config.action in ("comment", "notify", "activity") and not spec["text"].strip():
            return Fail("text_empty", "There is nothing to write: the text is empty.")
        if config.action == "activity":
            due = _deadline(spec["fields"].get("DEADLINE"), context)
            if due is None:
                return Fail("b24.bad_deadline", "The deadline is not a date.")
            spec["deadline"] = due
        # A change that was interrupted is looked at before it is made once more.
        return Perform("bitrix24", spec | {"again": interrupted}, repeatable=config.action == "notify")


def _deadline(value: Value, context: RunContext) -> str | None:
    """When a to-do is due, RFC 3339; in a day if nothing is said, None for what is no date."""
    if is_empty(value):
        return (context.now + timedelta(days=1)).isoformat(timespec="seconds")
    moment = parse_moment(value, context.zone)
    return None if moment is None else moment.isoformat(timespec="seconds")


def _after(resumed: Mapping[str, Value]) -> Outcome:
    error = resumed.get("error")
    if error:
        return Fail(error["code"], error["message"])
    response = resumed["response"]
    return Go(output={"id": response.get("id"), "changed": response.get("changed")})
