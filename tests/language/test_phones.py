"""The number that a phone channel dials."""

import pytest

from hub.language import normalise_phone


@pytest.mark.parametrize(
    "raw",
    [
        "89999999999",
        "+7 (999) 999-99-99",
        "9999999999",
        " 79999999999",
        "8 999 999 99 99",
        "+8 999 999-99-99",
        "7\u00a0999\u00a0999\u00a099\u00a099",
    ],
)
def test_every_russian_spelling_is_one_number(raw):
    assert normalise_phone(raw, "RU") == "79999999999"


@pytest.mark.parametrize(
    ("raw", "country", "number"),
    [
        ("87011234567", "KZ", "77011234567"),
        ("+81 3 1234 5678", "RU", "81312345678"),
        ("+44 20 7946 0958", "RU", "442079460958"),
        ("+998 90 123-45-67", "RU", "998901234567"),
        ("9999999999", "US", "9999999999"),
        ("89999999999", "DE", "89999999999"),
        ("1234567", "RU", "1234567"),
    ],
)
def test_other_numbers_only_lose_what_is_no_digit(raw, country, number):
    assert normalise_phone(raw, country) == number


@pytest.mark.parametrize("raw", ["", "нет", "123456", "1234567890123456", "89990000001, 89990000002", "٧٩٩٩٠٠٠٠٠٠١"])
def test_what_cannot_be_dialled_is_refused(raw):
    with pytest.raises(ValueError, match="phone number"):
        normalise_phone(raw, "RU")
