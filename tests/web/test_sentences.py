"""Sentences of the layers below in the language of the page, whatever people have put into them."""

import time

import pytest
from flask import Flask

from hub.web.sentences import said

HARD = "Block " + ": " * 316 + " changed from " * 45 + " to " * 158


@pytest.mark.databases("sqlite")
def test_values_that_look_like_the_words_around_them_cost_no_time(app: Flask) -> None:
    with app.test_request_context("/?lang=ru"):
        plain = said("Block greet: text changed from “to” to “from”.")
        assert plain != "Block greet: text changed from “to” to “from”."
        assert ("greet" in plain, "“to”" in plain, "“from”" in plain) == (True, True, True)
        began = time.process_time()
        assert said(HARD[:1_990] + "!") == HARD[:1_990] + "!"
        assert time.process_time() - began < 0.3
