"""Start block: a card of the CRM is created or changed, and its fields become variables.

What has changed is found out before the run begins (the portal does not say); here only the condition is told and
the outcome shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from hub.language import Scope, compare, compile_template
from hub.scenarios.block import (
    Block,
    BlockConfig,
    CheckContext,
    Go,
    JsonType,
    Outcome,
    Problem,
    RunContext,
    Summary,
)
from hub.scenarios.blocks.condition import Comparison
from hub.scenarios.form import ENTITIES, _, hint
from hub.scenarios.mapping_row import FROM_CARDS, MappingRow
from hub.values import Value

ENTITY = r"^(deal|contact|lead|company|dynamic:[0-9]{1,9})$"
STAGELESS = ("contact", "company")


ON: Mapping[str, str] = {
    "created": _("a card is created"),
    "updated": _("a card is changed"),
    "stage": _("a card comes to a stage"),
    "field": _("a field is changed"),
}


class CardFilter(BlockConfig):
    """Comparisons that must hold for a card: all of them, or any. They see the mapped variables and `bitrix.…`."""

    all: list[Comparison] | None = Field(default=None, min_length=1, max_length=50, title=_("All of these are true"))
    any: list[Comparison] | None = Field(default=None, min_length=1, max_length=50, title=_("Any of these is true"))

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "CardFilter":
        if (self.all is None) == (self.any is None):
            raise ValueError("A filter has either “all” or “any”.")
        return self

    def passes(self, scope: Scope) -> bool:
        """Whether a card fits. Raises TemplateFailure."""
        verdicts = (_holds(row, scope) for row in self.all or self.any or ())
        return all(verdicts) if self.all is not None else any(verdicts)


class Bitrix24Event(Block):
    """Bitrix24 event."""

    type: ClassVar[str] = "bitrix24_event"
    title: ClassVar[str] = _("Bitrix24 event")
    about: ClassVar[str] = _("Starts when a CRM card is created or changed.")
    icon: ClassVar[str] = "bolt"
    group: ClassVar[Literal["start"]] = "start"
    start: ClassVar[bool] = True
    outputs: ClassVar[Mapping[str, JsonType]] = {"old": "object", "new": "object"}
    output_titles: ClassVar[Mapping[str, str]] = {"old": _("values before"), "new": _("values now")}
    first: ClassVar[Mapping[str, Value]] = {"entity": "deal", "on": "stage"}

    class Config(BlockConfig):
        """`stage`: the one that a card comes to; `fields`: whose change counts; `category`: only cards of this funnel;
        `mapping`: instead of the portal's own; `merge_s`: how long a burst of changes may last."""

        entity: str = Field(pattern=ENTITY, title=_("Kind of card"), json_schema_extra=hint("entity", titles=ENTITIES))
        on: Literal["created", "updated", "stage", "field"] = Field(
            title=_("What happens"), json_schema_extra=hint(titles=ON)
        )
        category: int | None = Field(default=None, ge=0, title=_("Funnel"), json_schema_extra=hint("funnel"))
        stage: str | None = Field(
            default=None,
            min_length=1,
            max_length=64,
            title=_("Stage"),
            json_schema_extra=hint("stage", when={"on": ("stage",)}),
        )
        fields: list[str] = Field(
            default_factory=list,
            max_length=50,
            title=_("Fields whose change counts"),
            json_schema_extra=hint(suggest="crm_fields", when={"on": ("field",)}),
        )
        filter: CardFilter | None = Field(
            default=None, title=_("Only cards that fit"), json_schema_extra=hint(more=True)
        )
        mapping: list[MappingRow] | None = Field(
            default=None,
            max_length=100,
            title=_("CRM fields as variables"),
            description=_("Without a choice of its own the scenario takes those of the page “CRM fields”."),
            json_schema_extra=hint("mapping"),
        )
        merge_s: int = Field(
            default=5,
            ge=0,
            le=3600,
            title=_("Wait for further changes"),
            description=_("Several changes within this time start the scenario once."),
            json_schema_extra=hint("duration_s", more=True),
        )

        @model_validator(mode="after")
        def _fills_each_variable_once(self) -> "Bitrix24Event.Config":
            names = [row.variable for row in self.mapping or ()]
            if len(set(names)) != len(names):
                raise ValueError("Two rows of the mapping fill the same variable.")
            return self

    def summary(self, config: Config) -> Summary:
        """What it waits for."""
        watched = {"stage": (config.stage,) if config.stage else (), "field": tuple(config.fields)}.get(config.on, ())
        told: dict[str, str | tuple[str, ...]] = {"watched": watched, "what": ON[config.on]}
        told["entity"] = ENTITIES.get(config.entity, config.entity)
        return ("%(entity)s: %(what)s %(watched)s", told)

    def fills(self, config: Config) -> tuple[str, ...]:
        """The local variables of its own mapping; those of the portal's mapping are known when a card comes."""
        return tuple(row.variable for row in config.mapping or () if row.variable not in FROM_CARDS)

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """Nothing to watch for, and a stage or fields that the portal, as far as it has been read, does not have."""
        if config.on == "stage" and config.entity in STAGELESS:
            yield Problem("no_stages", "Contacts and companies have no stages.", check.block_id, "on")
        elif config.on == "stage" and config.stage is None:
            yield Problem("stage_missing", "Choose the stage that a card comes to.", check.block_id, "stage")
        if config.on == "field" and not config.fields:
            yield Problem("fields_empty", "Choose at least one field whose change counts.", check.block_id, "fields")
        known = check.crm(config.entity)
        if known is None:
            return
        if config.stage is not None and config.stage not in known.stages:
            message = f"The portal has no stage “{config.stage}” any more."
            yield Problem("unknown_stage", message, check.block_id, "stage", "warning")
        for number, name in enumerate(config.fields):
            if name not in known.fields:
                message = f"The portal has no field “{name[:64]}” there."
                yield Problem("unknown_field", message, check.block_id, f"fields[{number}]", "warning")
        for number, row in enumerate(config.mapping or ()):
            if "." not in row.field and row.field not in known.fields:
                message = f"The portal has no field “{row.field}” there."
                yield Problem("unknown_field", message, check.block_id, f"mapping[{number}].field", "warning")

    def run(self, config: Any, context: RunContext) -> Outcome:
        """The card has been read and compared before the run began: pass on what changed."""
        return Go(output={name: context.lookup(f"bitrix.{name}") or {} for name in ("old", "new")})


def _holds(row: Comparison, scope: Scope) -> bool:
    return compare(row.op, _value(row.left, scope), _value(row.right, scope), scope.zone)[0]


def _value(template: Value, scope: Scope) -> Value:
    if isinstance(template, str):
        return compile_template(template).evaluate(scope).value
    if isinstance(template, list):
        return [_value(item, scope) for item in template]
    return template
