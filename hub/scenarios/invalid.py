"""What a schema refuses, as sentences that name the field and say what it takes."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails


def sentence(field: str, detail: ErrorDetails) -> str:
    """One of pydantic's findings; `field` is the path of the field, empty where the whole is meant."""
    kind, limits = detail["type"], detail.get("ctx", {})
    message = detail["msg"].removeprefix("Value error, ").rstrip(".")
    if kind == "value_error" or not field:
        return f"{message[:1].upper()}{message[1:]}."
    return _known(field, kind, limits) or f"“{field}”: {message[:1].lower()}{message[1:]}."


def _known(field: str, kind: str, limits: Mapping[str, Any]) -> str | None:
    match kind:
        case "missing":
            return f"“{field}” is missing."
        case "extra_forbidden":
            return f"There is no field “{field}” here."
        case "string_type":
            return f"“{field}” must be a text; put it in quotes."
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return f"“{field}” must be a whole number."
        case "float_type" | "float_parsing" | "finite_number":
            return f"“{field}” must be a number."
        case "bool_type" | "bool_parsing":
            return f"“{field}” must be true or false."
        case "list_type":
            return f"“{field}” must be a list."
        case "dict_type" | "model_type":
            return f"“{field}” must be an object."
        case "literal_error":
            return f"“{field}” must be one of {limits['expected']}."
        case "string_pattern_mismatch":
            return f"“{field}” must match the pattern {limits['pattern']}."
    return _limit(field, kind, limits)


def _limit(field: str, kind: str, limits: Mapping[str, Any]) -> str | None:
    match kind:
        case "string_too_short" | "too_short" if limits["min_length"] == 1:
            return f"“{field}” is empty."
        case "string_too_short":
            return f"“{field}” has at least {limits['min_length']} characters."
        case "string_too_long":
            return f"“{field}” has at most {limits['max_length']} characters."
        case "too_short":
            return f"“{field}” has at least {limits['min_length']} entries."
        case "too_long":
            return f"“{field}” has at most {limits['max_length']} entries."
        case "greater_than_equal":
            return f"“{field}” is at least {limits['ge']}."
        case "less_than_equal":
            return f"“{field}” is at most {limits['le']}."
    return None
