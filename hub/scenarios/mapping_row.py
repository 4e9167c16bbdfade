"""One row of a mapping: which field of a CRM's card fills which variable, and how it is written."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.language import field_problem

Format = Literal["text", "phone", "money", "date", "datetime", "label", "id", "json"]
Pick = Literal["first", "mobile", "work", "all"]
FROM_CARDS = ("email", "name", "phone", "responsible")
"""System variables that a card may fill."""


class MappingRow(BaseModel):
    """`field`: the entity's own code, or one of a linked card, such as `CONTACT.NAME`. `format` by default follows from
    the type of the field; `pick` chooses among several values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variable: str = Field(min_length=1, max_length=64)
    field: str = Field(pattern=r"^[A-Za-z0-9_]{1,100}(\.[A-Za-z0-9_]{1,100})?$")
    format: Format | None = None
    default: str = Field(default="", max_length=1000)
    pick: Pick = "first"

    @field_validator("variable")
    @classmethod
    def _may_be_called_so(cls, name: str) -> str:
        if name not in FROM_CARDS and field_problem(name) is not None:
            raise ValueError(f"“{name[:64]}” cannot be the name of a variable")
        return name
