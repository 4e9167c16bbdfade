"""Taking secrets out of what strangers sent, before it is shown."""

import re
from collections.abc import Collection, Sequence

from hub.values import Value

HIDDEN = "•••"
SHORTEST_SECRET = 4
_NAMES = (
    "token|access_token|refresh_token|auth_token|application_token|password|passwd|pwd|secret|client_secret|"
    "authorization|cookie|api_key|apikey|x-api-key|private_key"
)
_key = re.compile(rf"(?:{_NAMES})", re.IGNORECASE)
_in_json = re.compile(rf'(["“”«»„](?:{_NAMES})["“”«»„]\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s,}}\]]+)', re.IGNORECASE)
_in_form = re.compile(rf"((?:^|[&\[\s]|%5B)(?:{_NAMES})(?:\]|%5D)?=)([^&\s]+)", re.IGNORECASE)


def redacted(value: Value) -> Value:
    """The value with everything under a secret's name hidden, at any depth; empty ones stay as they are."""
    if isinstance(value, dict):
        return {
            key: HIDDEN if _key.fullmatch(key) and item not in (None, "") else redacted(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


def without_token(link: str) -> str:
    """A link that can be told from others and not called."""
    return re.sub(r"(?<=token=)[^&]+", HIDDEN, link)


def without_secrets(filled: Value) -> Value:
    """What a step was given, `[{"template", "value", "places": [{"path", "source", "text", …}]}]`: where a constant or
    something under a secret's name was put in, neither it nor the text around it is shown."""
    return [_unread(one) for one in filled] if isinstance(filled, list) else filled


def without_texts(value: Value, texts: Collection[str]) -> Value:
    """The value, with every text hidden in which one of these occurs, however its letters are written: what a constant
    was made into is as secret as the constant. Texts of fewer than four letters tell nothing and are left."""
    wanted = [text.casefold() for text in texts if len(text) >= SHORTEST_SECRET]
    return _hidden(value, wanted) if wanted else value


def _hidden(value: Value, wanted: Sequence[str]) -> Value:
    if isinstance(value, dict):
        return {name: _hidden(one, wanted) for name, one in value.items()}
    if isinstance(value, list):
        return [_hidden(one, wanted) for one in value]
    text = value.casefold() if isinstance(value, str) else ""
    return HIDDEN if any(secret in text for secret in wanted) else value


def _unread(one: Value) -> Value:
    places = [place | {"text": HIDDEN} if _is_secret(place) else place for place in one["places"]]
    return one | {"places": places} | ({"value": HIDDEN} if places != one["places"] else {})


def _is_secret(place: Value) -> bool:
    return place["source"] == "const" or bool(_key.fullmatch(re.split(r"[.\[]", place["path"])[-1]))


def redacted_text(text: str) -> str:
    """The same for a body as it came, JSON (broken or not) or a form; linear in its length."""
    text = _in_json.sub(lambda found: f'{found[1]}"{HIDDEN}"', text)
    return _in_form.sub(lambda found: found[1] + HIDDEN, text)
