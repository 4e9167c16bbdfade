"""Every reason why a place is empty is told in Russian, too."""

import re
from typing import Any

import pytest
from flask import Flask

from hub.clock import utc_now
from hub.language import Missing, Scope, parse_path, resolve
from hub.web.hints import HINTS
from hub.web.sentences import said

BODY: dict[str, Any] = {"order": {"Sum": 1}, "none": {}, "nothing": None, "goods": [1, 2], "empty": []}
PATHS = (
    "body.order.sum",
    "body.order.town",
    "body.none.x",
    "Order",
    "whatever",
    "body.order[0]",
    "body.none[0]",
    "body.nothing.x",
    "body.order.Sum.x",
    "body.goods.name",
    "body.empty[0]",
    "body.goods[5]",
)


def reason(path: str) -> str:
    found = resolve(parse_path(path), Scope(body=BODY, now=utc_now()))
    assert isinstance(found, Missing)
    return found.hint


@pytest.mark.databases("sqlite")
def test_each_reason_has_a_pattern_and_each_pattern_a_reason(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        patterns = [re.escape(str(hint)).replace(r"\{\}", ".+") for hint in HINTS]
    told = [reason(path) for path in PATHS]
    for hint, one in zip(patterns, told, strict=True):
        assert re.fullmatch(hint, one), one
    with app.test_request_context("/?lang=ru"):
        for one in told:
            assert re.search("[а-я]", said(one)), one
            assert not re.search(r"\b(there|use|did|has)\b", said(one)), said(one)
