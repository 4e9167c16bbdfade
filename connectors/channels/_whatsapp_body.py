"""What one part of a message looks like to WhatsApp: a text, a file, a question with buttons, or a template.

Up to three replies become buttons, up to ten a list, a lone link a link button. What WhatsApp has no place for, as
links beside replies, goes into the text.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

from connectors.channel import Part, Template
from connectors.errors import Unsupported

text_limit = 4096  # of a text, and of the words above a list
body_limit = 1024  # of the words above buttons
title_limit = 20  # of a button
row_limit = 24  # of a list's line
media = {
    **dict.fromkeys((".jpg", ".jpeg", ".png"), "image"),
    **dict.fromkeys((".mp4", ".3gp"), "video"),
}


def content(part: Part) -> dict[str, Any]:
    """The fields `type` and its own of a part's request. Raises Unsupported when the buttons have no place."""
    if part.template is not None:
        return _template(part.template, part)
    replies = [(f"b:{place}", row["label"]) for place, row in enumerate(part.buttons) if row.get("kind") != "url"]
    links = [(row["label"], str(row["url"])) for row in part.buttons if row.get("kind") == "url"]
    text = part.text
    if len(links) == 1 and not replies and text and len(text) <= body_limit:
        label, url = links[0]
        action = {"name": "cta_url", "parameters": {"display_text": _cut(label, title_limit), "url": url}}
        return _interactive("cta_url", text, action, part.file_url)
    text = "\n".join([text, *(f"{label}: {url}" for label, url in links)]).strip()
    if not replies:
        return _plain(text, part.file_url)
    if not text:
        raise Unsupported("WhatsApp carries buttons only under a text.", code="buttons")
    if len(replies) <= 3 and len(text) <= body_limit:
        buttons = [{"type": "reply", "reply": {"id": key, "title": _cut(label, title_limit)}} for key, label in replies]
        return _interactive("button", text, {"buttons": buttons}, part.file_url)
    if part.file_url:
        raise Unsupported("WhatsApp carries at most 3 buttons under a file.", code="buttons")
    if len(text) > text_limit:
        raise Unsupported("The text is too long to carry the links of the buttons.", code="buttons")
    rows = [{"id": key, "title": _cut(label, row_limit)} for key, label in replies]
    return _interactive("list", text, {"button": "…", "sections": [{"rows": rows}]}, None)


def _template(template: Template, part: Part) -> dict[str, Any]:
    components: list[dict[str, Any]] = []
    if part.file_url:
        kind, file = _file(part.file_url)
        components.append({"type": "header", "parameters": [{"type": kind, kind: file}]})
    if template.parameters:
        places = [
            {"type": "text", **({"parameter_name": place} if place else {}), "text": text}
            for place, text in template.parameters
        ]
        components.append({"type": "body", "parameters": places})
    for place, button in enumerate(part.buttons):
        if button.get("kind") == "url":
            filled = {"sub_type": "url", "parameters": [{"type": "text", "text": str(button["url"])}]}
        else:
            filled = {"sub_type": "quick_reply", "parameters": [{"type": "payload", "payload": f"b:{place}"}]}
        components.append({"type": "button", "index": str(place), **filled})
    told = {"name": template.name, "language": {"code": template.language}}
    return {"type": "template", "template": told | ({"components": components} if components else {})}


def _plain(text: str, file_url: str | None) -> dict[str, Any]:
    if file_url:
        kind, file = _file(file_url)
        if len(text) > body_limit:
            raise Unsupported("The text is too long to carry the links of the buttons.", code="buttons")
        return {"type": kind, kind: file | ({"caption": text} if text else {})}
    if len(text) > text_limit:
        raise Unsupported("The text is too long to carry the links of the buttons.", code="buttons")
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _interactive(kind: str, text: str, action: dict[str, Any], file_url: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {"type": kind, "body": {"text": text}, "action": action}
    if file_url:
        name, file = _file(file_url)
        made["header"] = {"type": name, name: file}
    return {"type": "interactive", "interactive": made}


def _file(url: str) -> tuple[str, dict[str, str]]:
    """A file's kind, by its ending, and its fields."""
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending in media:
        return media[ending], {"link": url}
    return "document", {"link": url, "filename": name[:240] or "file"}


def _cut(label: str, limit: int) -> str:
    label = str(label).strip()
    return label if len(label) <= limit else label[: limit - 1] + "…"
