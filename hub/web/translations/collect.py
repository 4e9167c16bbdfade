"""Finding everything that people read: marked texts of pages and scripts, and the sentences of the layers below.

Pages mark their texts with `_("…")` and `ngettext`, scripts and the editor with `t("…")` and `tn("…", "…", n)`. The
layers below know no language: they say English sentences, such as an error's message. Those are found by their look
(a capital, several words, a full stop), with every inserted value as `{}`, and translated when a page shows them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.extract import extract_python
from jinja2.ext import babel_extract

ROOT = Path(__file__).resolve().parents[3]
SENTENCE_PACKAGES = (
    "connectors",
    "hub/accounts",
    "hub/bitrix24",
    "hub/delivery",
    "hub/endpoints",
    "hub/language",
    "hub/notices",
    "hub/portals",
    "hub/scenarios",
    "hub/upkeep/address.py",
    "hub/upkeep/health.py",
    "hub/upkeep/health_bitrix24.py",
    "hub/validation.py",
    "hub/web",
)
_ONE = ("_", "gettext", "lazy_gettext")
_MANY = ("ngettext", "lazy_ngettext")
KEYWORDS: dict[str, Any] = dict.fromkeys(_ONE) | dict.fromkeys(_MANY, (1, 2))
Msgid = str | tuple[str, str]
_STATEMENT = re.compile(r"(SELECT|UPDATE|DELETE|INSERT|WITH|NOTIFY) ")
_SCRIPT_ONE = re.compile(r"""\bt\(\s*"((?:[^"\\]|\\.)+)\"""")
_SCRIPT_MANY = re.compile(r"""\btn\(\s*"((?:[^"\\]|\\.)+)",\s*"((?:[^"\\]|\\.)+)\"""")
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)


def everything() -> set[Msgid]:
    """Every text that needs a translation."""
    return {*marked(), *scripted(), *sentences()}


def marked() -> Iterator[Msgid]:
    """Texts marked in pages and their modules."""
    options: dict[str, Any] = {"extensions": "jinja2.ext.i18n", "silent": "false"}
    for file in sorted((ROOT / "templates").rglob("*.html")):
        with file.open("rb") as page:
            for found in babel_extract(page, list(KEYWORDS), [], options):
                yield from _msgids(found[2])
    for file in (*_modules(ROOT / "hub/web"), *_modules(ROOT / "hub/scenarios")):
        with file.open("rb") as source:
            for marked_text in extract_python(source, KEYWORDS, [], {}):
                yield from _msgids(marked_text[2])


def scripted() -> set[Msgid]:
    """Texts of scripts and of the editor."""
    found: set[Msgid] = set()
    for folder, pattern in (("hub/web/static/js", "*.js"), ("hub/web/editor/src", "*.ts*")):
        for file in (ROOT / folder).rglob(pattern):
            text = _COMMENT.sub("", file.read_text())
            found |= {_unquoted(one[1]) for one in _SCRIPT_ONE.finditer(text)}
            found |= {(_unquoted(one[1]), _unquoted(one[2])) for one in _SCRIPT_MANY.finditer(text)}
    return found


def sentences() -> Iterator[str]:
    """What the layers below say to people, `{}` for each value put in."""
    for place in SENTENCE_PACKAGES:
        path = ROOT / place
        for file in _modules(path) if path.is_dir() else [path]:
            yield from _sentences_of(ast.parse(file.read_text()))


def _modules(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*.py")) if not {"node_modules", "translations"} & {*file.parts}]


def _sentences_of(tree: ast.AST) -> Iterator[str]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    skipped = {
        id(statement.value)
        for node in ast.walk(tree)
        if isinstance(node, documented)
        for statement in node.body
        if isinstance(statement, ast.Expr)
    }
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            text = node.value
        else:
            continue
        if is_sentence(text):
            yield text


def is_sentence(text: str) -> bool:
    """Whether a text of the code is something that a person is told."""
    begins = (text[:1].isupper() or text[:1] in "“{") and not _STATEMENT.match(text)
    return begins and text[-1:] in ".?" and text.count(" ") >= 2 and "\n" not in text


def _msgids(message: Any) -> Iterator[Msgid]:
    if isinstance(message, str):
        yield message
    elif isinstance(message, tuple | list):
        texts = [part for part in message if isinstance(part, str)]
        if len(texts) == 2:
            yield texts[0], texts[1]
        elif texts:
            yield texts[0]


def _unquoted(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
