"""The system variables of a run."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hub.language import SYSTEM_NAMES, system_values


def test_the_calendar_is_that_of_the_zone():
    late = datetime(2026, 11, 24, 21, 5, tzinfo=UTC)
    values = system_values(late, ZoneInfo("Europe/Moscow"), "ru")
    assert (values["date"], values["time"], values["day_of_week"]) == ("25.11.2026", "00:05", "среда")
    values = system_values(late, ZoneInfo("America/New_York"), "en")
    assert (values["date"], values["time"], values["day_of_week"]) == ("24.11.2026", "16:05", "Tuesday")


def test_every_reserved_name_has_a_value_and_the_others_are_empty():
    values = system_values(datetime(2026, 11, 24, 11, 5, tzinfo=UTC), ZoneInfo("Europe/Moscow"), "ru")
    assert set(values) == set(SYSTEM_NAMES)
    assert values["day_of_week"] == "вторник"
    assert {name for name, value in values.items() if value} == {"date", "time", "day_of_week"}


def test_an_unknown_language_falls_back_to_russian():
    values = system_values(datetime(2026, 11, 24, tzinfo=UTC), ZoneInfo("UTC"), "tlh-KX")
    assert values["day_of_week"] == "вторник"
