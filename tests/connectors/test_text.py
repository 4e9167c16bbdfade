"""Cutting text: nothing is lost, no part is too long, no letter is torn."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.text import length, split


@given(st.text(max_size=300), st.integers(2, 50), st.sampled_from(["chars", "utf16"]))
def test_parts_fit_and_lose_only_white_space(text, limit, unit):
    parts = split(text, limit, unit)
    assert all(0 < length(part, unit) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert split(text, limit, unit) == parts


def test_a_paragraph_is_preferred_to_a_line_and_a_line_to_a_word():
    assert split("one two\n\nthree\nfour five", 20, "chars") == ["one two", "three\nfour five"]
    assert split("one two\nthree four", 12, "chars") == ["one two", "three four"]
    assert split("one two three", 8, "chars") == ["one two", "three"]


def test_letters_outside_the_basic_plane_count_twice_in_utf16_and_stay_whole():
    assert length("😀a", "utf16") == 3
    assert split("😀" * 5, 5, "utf16") == ["😀😀", "😀😀", "😀"]


def test_a_joined_emoji_is_not_torn():
    family = "👨\u200d👩\u200d👧"
    assert split("a" * 8 + family, 10, "chars") == ["a" * 8, family]


def test_empty_text_gives_no_parts():
    assert split(" \n ", 10, "chars") == []
