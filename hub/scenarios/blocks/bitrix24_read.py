"""Reads a card of the portal's CRM. The call is made outside; this block says what to read and passes it on."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.scenarios.block import (
    Block,
    BlockConfig,
    Fail,
    Go,
    JsonType,
    Outcome,
    Perform,
    RunContext,
    Summary,
    TextTemplate,
)
from hub.scenarios.form import ENTITIES, _, hint
from hub.values import Value

Entity = Annotated[str, Field(pattern=r"^(deal|contact|lead|company|dynamic:[1-9][0-9]{0,8})$")]


class Bitrix24Read(Block):
    """Read from Bitrix24."""

    type: ClassVar[str] = "bitrix24_read"
    title: ClassVar[str] = _("Read from Bitrix24")
    about: ClassVar[str] = _("Reads a CRM card and offers its fields.")
    icon: ClassVar[str] = "database-search"
    group: ClassVar[Literal["bitrix24"]] = "bitrix24"
    ports: ClassVar[tuple[str, ...]] = ("next", "error")
    outputs: ClassVar[Mapping[str, JsonType]] = {"*": "any"}
    first: ClassVar[Mapping[str, Value]] = {"entity": "contact", "id": ""}

    class Config(BlockConfig):
        """`fields`: codes of the fields to read, such as `OPPORTUNITY` or `UF_CRM_1`; all of them if none is named."""

        entity: Entity = Field(title=_("Kind of card"), json_schema_extra=hint("entity", titles=ENTITIES))
        id: TextTemplate = Field(min_length=1, max_length=2000, title=_("Number of the card"))
        fields: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
            default_factory=list,
            max_length=200,
            title=_("Fields"),
            description=_("All of them if none is chosen."),
            json_schema_extra=hint(suggest="crm_fields"),
        )

    def summary(self, config: Config) -> Summary:
        """Which card."""
        return _("%(entity)s #%(id)s"), {"entity": ENTITIES.get(config.entity, config.entity), "id": config.id}

    def outputs_of(self, config: Any) -> Mapping[str, JsonType]:
        """The named fields, else whatever the card has."""
        return dict.fromkeys(config.fields, "any") or self.outputs

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Ask for the card, then offer its fields."""
        if context.resumed is not None:
            return _after(config, context.resumed)
        number = card_number(context.text(config.id))
        if number is None:
            return Fail("b24.bad_id", "The id of the card is not a number.")
        return Perform("bitrix24", {"action": "read", "entity": config.entity, "id": number}, repeatable=True)


def card_number(text: str) -> str | None:
    """The number in `42`, and in the document ids `DEAL_42` and `DYNAMIC_147_5` of processes; None when it is none."""
    number = text.strip().rpartition("_")[2]
    return number if number.isascii() and number.isdecimal() and 0 < int(number) < 10**15 else None


def _after(config: Bitrix24Read.Config, resumed: Mapping[str, Value]) -> Outcome:
    error = resumed.get("error")
    if error:
        return Fail(error["code"], error["message"])
    card = resumed["response"]["fields"]
    return Go(output={name: card.get(name) for name in config.fields} if config.fields else card)
