"""Values of fields: taken in as the portal takes them, kept as texts, and shown in the style of either API."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.sandbox.bitrix24.crm.kinds import Field
from hub.sandbox.bitrix24.refusals import Refusal

WHOLE = frozenset(
    {
        "integer",
        "user",
        "employee",
        "enumeration",
        "crm_category",
        "crm_contact",
        "crm_company",
        "crm_lead",
        "crm_deal",
        "crm_quote",
    }
)


def taken(field: Field, value: Any, offset_h: int) -> Any:
    """A value as it is kept: a text, None, or a list of texts. Raises Refusal when it is none of the field's type."""
    if field.multiple:
        if value in (None, "", False):
            return []
        parts = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
        return [one for one in (_one(field, part, offset_h) for part in parts) if one not in (None, "")]
    return _one(field, value, offset_h)


def legacy(field: Field, value: Any) -> Any:
    """A kept value as `crm.deal.get` and its like show it: all scalars are texts."""
    return list(value) if isinstance(value, list) else value


def typed(field: Field, value: Any) -> Any:
    """A kept value as `crm.item.get` shows it: numbers are numbers."""
    if field.multiple:
        return [_typed(field, part) for part in value or []]
    return _typed(field, value)


def _typed(field: Field, value: Any) -> Any:
    if value in (None, ""):
        missing: Any = None
        if field.type in ("crm_contact", "crm_company", "crm_category"):
            missing = 0
        elif field.type in ("string", "crm_status") and value == "":
            missing = ""
        return missing
    if field.type in WHOLE:
        return int(value)
    if field.type == "double":
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)
    if field.type == "boolean":
        return value == "1"
    return value


def _one(field: Field, value: Any, offset_h: int) -> Any:
    if value is None or value == "":
        return None if value is None else ""
    if isinstance(value, bool):
        value = ("1" if value else "0") if field.type == "boolean" else ("Y" if value else "N")
    if field.type == "boolean":
        return "1" if str(value).upper() in ("1", "Y", "TRUE") else "0"
    if field.type == "char":
        return "Y" if str(value).upper() in ("1", "Y", "TRUE") else "N"
    if field.type == "file":
        return value
    if isinstance(value, Mapping | list):
        raise Refusal("", f"Wrong value of the field {field.name}")
    text = str(value)
    try:
        if field.type in WHOLE:
            return str(int(text))
        if field.type == "double":
            return str(Decimal(text).quantize(Decimal("0.01")))
        if field.type in ("date", "datetime"):
            return moment(text, offset_h, midnight=field.type == "date")
    except (ValueError, InvalidOperation):
        raise Refusal("", f"Wrong value of the field {field.name}: {text}") from None
    if field.type == "enumeration" and text not in {number for number, _ in field.values}:
        return ""
    return text


def moment(text: str, offset_h: int, *, midnight: bool = False) -> str:
    """A date or time as the portal writes it. Raises ValueError."""
    zone = timezone(timedelta(hours=offset_h))
    read = datetime.fromisoformat(text)
    read = read.astimezone(zone) if read.tzinfo else read.replace(tzinfo=zone)
    if midnight:
        read = read.replace(hour=0, minute=0, second=0)
    return read.replace(microsecond=0).isoformat()
