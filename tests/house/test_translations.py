"""Everything that people read exists in Russian, and what is committed is what the parts give."""

import re

import pytest
from flask import Flask

from hub.web.sentences import said
from hub.web.translations.catalogue import CATALOGUE, WORDS, compiled, merged, missing, words
from hub.web.translations.collect import everything

PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


def test_the_committed_catalogue_is_built_from_todays_parts() -> None:
    assert CATALOGUE.read_bytes() == compiled(merged()), "run make messages"
    assert WORDS.read_text() == words(merged()), "run make messages"


def test_every_text_that_people_read_has_its_russian() -> None:
    assert missing(merged()) == []


def test_a_translation_keeps_the_places_of_its_values() -> None:
    for message in merged():
        if isinstance(message.id, str) and message.id and isinstance(message.string, str):
            assert sorted(PLACE.findall(message.string)) == sorted(PLACE.findall(message.id)), message.id


def test_no_translation_is_left_of_a_text_that_is_gone() -> None:
    used = {one if isinstance(one, str) else one[0] for one in everything()}
    kept = {message.id if isinstance(message.id, str) else message.id[0] for message in merged() if message.id}
    assert kept - used == set()


@pytest.mark.databases("sqlite")
def test_a_sentence_of_the_layers_below_is_said_in_russian_with_its_values_unchanged(app: Flask) -> None:
    with app.test_request_context("/?lang=ru"):
        assert said("There is no line called “Продажи {1}”.") == "Нет линии «Продажи {1}»."
        assert said("Nobody has ever said this sentence.") == "Nobody has ever said this sentence."
    with app.test_request_context("/?lang=en"):
        assert said("There is no line called “Продажи”.") == "There is no line called “Продажи”."


@pytest.mark.databases("sqlite")
def test_a_sentence_inside_a_sentence_is_said_in_russian_too_and_names_are_not_taken_for_one(app: Flask) -> None:
    notice = "The messenger of the line “Save” cannot be reached: No answer from Telegram in time. 3 messages wait."
    with app.test_request_context("/?lang=ru"):
        assert said(notice) == "Мессенджер линии «Save» недоступен: Telegram не ответил вовремя. Ждут сообщений: 3."
        late = "12 messages did not arrive within 30 minutes."
        assert said(late) == "За 30 мин не дошли сообщения: 12."
