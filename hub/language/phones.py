"""Phone numbers: as people read them, and as phone channels want them."""

import re

import phonenumbers

from hub.language.errors import TemplateFailure

_e164_digits = re.compile(r"[0-9]{7,15}")
_not_digit = re.compile(r"[^0-9]+")
_seven_countries = frozenset({"RU", "KZ"})
_max_length = 250


def normalise_phone(raw: str, country: str = "RU") -> str:
    """The digits that a phone channel dials, country code first: `8 (999) 999-99-99` gives `79999999999`.

    Raises ValueError unless 7 to 15 digits remain. Digits of other scripts are refused, not dropped, since
    dropping some of them would make another person's number.
    """
    raw = raw.strip()
    if any(letter.isdigit() and not letter.isascii() for letter in raw):
        raise ValueError("A phone number is written with the digits 0 to 9.")
    digits = _not_digit.sub("", raw)
    if country.upper() in _seven_countries:
        # +81… or +84… is Japan or Viet Nam; no country has +89, so that is a Russian mobile with its 8.
        abroad = raw.startswith("+") and not digits.startswith("89")
        if len(digits) == 11 and digits[0] == "8" and not abroad:
            digits = "7" + digits[1:]
        elif len(digits) == 10 and digits[0] == "9" and not raw.startswith("+"):
            digits = "7" + digits
    if not _e164_digits.fullmatch(digits):
        raise ValueError(f"A phone number has 7 to 15 digits, this one has {len(digits)}.")
    return digits


def international_phone(raw: str, country: str) -> str:
    """A number as `+79991234567`. Raises TemplateFailure when it is none."""
    if len(raw) <= _max_length:
        try:
            number = phonenumbers.parse(raw, country.upper())
        except phonenumbers.NumberParseException:
            number = None
        if number is not None and phonenumbers.is_possible_number(number):
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    raise TemplateFailure("template_error", "The filter phone got something that is not a phone number.")
