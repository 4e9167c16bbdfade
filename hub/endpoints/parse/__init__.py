"""What arrives at a link, parsed: pure functions over bytes and headers that know neither Flask nor the database."""

from hub.endpoints.parse.body import Body, is_check, parse_body
from hub.endpoints.parse.event_key import event_key
from hub.endpoints.parse.inputs import Inputs, merge
from hub.endpoints.parse.json_text import parse_json
from hub.endpoints.parse.pairs import brackets, find_parameter, masked, parse_query, without_tokens
from hub.endpoints.parse.problems import Note, Refused

__all__ = [
    "Body",
    "Inputs",
    "Note",
    "Refused",
    "brackets",
    "event_key",
    "find_parameter",
    "is_check",
    "masked",
    "merge",
    "parse_body",
    "parse_json",
    "parse_query",
    "without_tokens",
]
