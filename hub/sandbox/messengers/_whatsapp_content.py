"""What the simulated WhatsApp takes as a message's content, and how Meta words what it refuses.

These templates are approved, all of them in Russian: `order` without places, `order_ready` with the named places name
and number, `invoice` with a document as its header, two places by order, a reply button and a link button.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# The words of an error and its HTTP status.
errors = {
    33: ("Unsupported post request. Object does not exist", 400),
    100: ("Invalid parameter", 400),
    190: ("Invalid OAuth access token - Cannot parse access token", 401),
    130429: ("Rate limit hit", 400),
    131000: ("Something went wrong", 500),
    131008: ("Required parameter is missing", 400),
    131009: ("Parameter value is not valid", 400),
    131016: ("Service unavailable", 500),
    131026: ("Message undeliverable", 400),
    131030: ("Recipient phone number not in allowed list", 400),
    131047: ("Re-engagement message", 400),
    131051: ("Unsupported message type", 400),
    131053: ("Media upload error", 400),
    132000: ("Number of parameters does not match the expected number of params", 400),
    132001: ("Template name does not exist in the translation", 404),
    132012: ("Parameter format does not match format in the created template", 400),
    131056: ("(Business Account, Consumer Account) pair rate limit hit", 400),
}
captioned = ("image", "video", "document")


@dataclass(frozen=True)
class Approved:
    """A template as it was approved: names of its places, or their number; its header's kind; its buttons' kinds."""

    places: tuple[str, ...] | int = 0
    header: str = ""
    buttons: tuple[str, ...] = ()


templates: Mapping[tuple[str, str], Approved] = {
    ("order", "ru"): Approved(),
    ("order_ready", "ru"): Approved(places=("name", "number")),
    ("invoice", "ru"): Approved(places=2, header="document", buttons=("quick_reply", "url")),
}


class Refusal(Exception):
    """An error in Meta's form; `http` is an HTML page with that status instead."""

    def __init__(self, number: int, details: str = "", http: int = 0) -> None:
        said, status = errors.get(number, (f"Error {number}", 400))
        super().__init__(said)
        self.number, self.said, self.details = number, said if number == 190 else f"(#{number}) {said}", details or said
        self.page, self.status = bool(http), http or status


def check_content(kind: str, body: dict[str, Any]) -> None:
    """Raises Refusal when Meta would refuse a message of this kind."""
    check = checks.get(kind)
    if check is None:
        raise Refusal(131051, f"{kind} is no type of message")
    try:
        check(kind, _object(body, kind))
    except (TypeError, AttributeError):
        raise Refusal(131009, f"The parameter {kind} is not well formed") from None


def _object(holder: Any, key: str) -> dict[str, Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, dict):
        raise Refusal(131008, f"The parameter {key} is required")
    return value


def _check_words(value: Any, limit: int, what: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise Refusal(131008, f"The parameter {what} is required")
    if len(value) > limit:
        raise Refusal(100, f"Param {what} must be at most {limit} characters long.")


def _check_text(kind: str, told: dict[str, Any]) -> None:
    _check_words(told.get("body"), 4096, "text['body']")


def _check_media(kind: str, told: dict[str, Any]) -> None:
    if told.get("link"):
        parts = urlsplit(str(told["link"]))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Refusal(131053, "The link cannot be fetched")
    elif not told.get("id"):
        raise Refusal(131008, f"{kind} needs id or link")
    if told.get("caption"):
        _check_words(told["caption"], 1024, "caption")


def _check_template(kind: str, told: dict[str, Any]) -> None:
    _check_words(told.get("name"), 512, "template['name']")
    language = _object(told, "language").get("code")
    _check_words(language, 20, "template['language']['code']")
    approved = templates.get((told["name"], str(language)))
    if approved is None:
        raise Refusal(132001, f"template name ({told['name']}) does not exist in {language}")
    given: dict[str, list[dict[str, Any]]] = {"header": [], "body": [], "button": []}
    for component in told.get("components") or []:
        if component.get("type") not in given:
            raise Refusal(131009, "The type of a component is not valid")
        given[component["type"]].append(component)
    _check_header(approved, given["header"])
    _check_places(approved, given["body"])
    _check_buttons(approved, given["button"])


def _check_header(approved: Approved, given: list[dict[str, Any]]) -> None:
    parameters = [one for component in given for one in component.get("parameters") or []]
    if len(parameters) != (1 if approved.header else 0):
        raise Refusal(132012, f"header: expected {approved.header or 'nothing'}")
    for parameter in parameters:
        if parameter.get("type") != approved.header:
            raise Refusal(132012, f"header: Format mismatch, expected {approved.header.upper()}")
        _check_media(approved.header, _object(parameter, approved.header))


def _check_places(approved: Approved, given: list[dict[str, Any]]) -> None:
    parameters = [one for component in given for one in component.get("parameters") or []]
    wanted = approved.places if isinstance(approved.places, int) else len(approved.places)
    if len(given) > 1 or len(parameters) != wanted:
        raise Refusal(132000, f"body: number of localizable_params ({len(parameters)}) does not match ({wanted})")
    for parameter in parameters:
        if parameter.get("type") != "text":
            raise Refusal(132012, "body: expected TEXT")
        _check_words(parameter.get("text"), 1024, "text")
    names = () if isinstance(approved.places, int) else approved.places
    if {parameter.get("parameter_name") for parameter in parameters} - {None} != set(names):
        raise Refusal(132012, "Parameter name is missing or empty")


def _check_buttons(approved: Approved, given: list[dict[str, Any]]) -> None:
    if [str(button.get("index")) for button in given] != [str(place) for place in range(len(approved.buttons))]:
        raise Refusal(132000, f"buttons: expected {len(approved.buttons)}")
    for button, kind in zip(given, approved.buttons, strict=True):
        key = "payload" if kind == "quick_reply" else "text"
        (parameter,) = button.get("parameters") or [{}]
        if button.get("sub_type") != kind or parameter.get("type") != key:
            raise Refusal(132012, f"buttons: expected {kind}")
        _check_words(parameter.get(key), 128 if key == "payload" else 2000, key)


def _check_interactive(kind: str, told: dict[str, Any]) -> None:
    form, action = told.get("type"), _object(told, "action")
    _check_words(_object(told, "body").get("text"), 4096 if form == "list" else 1024, "body['text']")
    header = told.get("header")
    if header is not None:
        name = str(_object(told, "header").get("type"))
        if form == "list" or name not in captioned:
            raise Refusal(131009, "The header is not valid")
        _check_media(name, _object(header, name))
    if form == "button":
        buttons = [_object(button, "reply") for button in action.get("buttons") or []]
        _check_choices(buttons, 3, 20, 256)
    elif form == "list":
        _check_words(action.get("button"), 20, "action['button']")
        _check_choices([row for part in action.get("sections") or [] for row in part.get("rows") or []], 10, 24, 200)
    elif form == "cta_url":
        told = _object(action, "parameters")
        _check_words(told.get("display_text"), 20, "display_text")
        if not re.match(r"https?://[^\s/]", str(told.get("url"))):
            raise Refusal(131009, "The button's url is not valid")
    else:
        raise Refusal(131009, "The type of interactive is not valid")


def _check_choices(choices: list[dict[str, Any]], most: int, title: int, key: int) -> None:
    if not 1 <= len(choices) <= most:
        raise Refusal(131009, f"There must be 1 to {most} choices")
    for choice in choices:
        _check_words(choice.get("title"), title, "title")
        _check_words(choice.get("id"), key, "id")
    if len({choice["id"] for choice in choices}) < len(choices):
        raise Refusal(131009, "The ids of the choices must differ")


checks = {
    "text": _check_text,
    "template": _check_template,
    "interactive": _check_interactive,
    **dict.fromkeys(captioned, _check_media),
}
