"""One row of a mapping: which field of a CRM's card fills which variable, and how it is written."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.language import field_problem
from hub.scenarios.form import _, hint

Format = Literal["text", "phone", "money", "date", "datetime", "label", "id", "json"]
Pick = Literal["first", "mobile", "work", "all"]
FORMATS: Mapping[str, str] = {
    "text": _("text"),
    "phone": _("phone number"),
    "money": _("sum of money"),
    "date": _("date"),
    "datetime": _("date and time"),
    "label": _("name of the value"),
    "id": _("code of the value"),
    "json": _("everything, as JSON"),
}
PICKS: Mapping[str, str] = {
    "first": _("the first"),
    "mobile": _("the mobile one"),
    "work": _("the one at work"),
    "all": _("all of them"),
}
FROM_CARDS = ("email", "name", "phone", "responsible")
"""System variables that a card may fill."""


class MappingRow(BaseModel):
    """`field`: the entity's own code, or one of a linked card, such as `CONTACT.NAME`. `format` by default follows from
    the type of the field; `pick` chooses among several values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variable: str = Field(min_length=1, max_length=64, title=_("Variable"))
    field: str = Field(
        pattern=r"^[A-Za-z0-9_]{1,100}(\.[A-Za-z0-9_]{1,100})?$",
        title=_("CRM field"),
        json_schema_extra=hint(suggest="crm_fields"),
    )
    format: Format | None = Field(default=None, title=_("Format"), json_schema_extra=hint(titles=FORMATS))
    default: str = Field(default="", max_length=1000, title=_("If empty"))
    pick: Pick = Field(default="first", title=_("Which of several"), json_schema_extra=hint(titles=PICKS))

    @field_validator("variable")
    @classmethod
    def _may_be_called_so(cls, name: str) -> str:
        if name not in FROM_CARDS and field_problem(name) is not None:
            raise ValueError(f"“{name[:64]}” cannot be the name of a variable.")
        return name
