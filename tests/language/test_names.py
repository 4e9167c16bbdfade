"""Names that a field may have."""

import pytest

from hub.language import LINK_NAMES, ROOT_NAMES, SYSTEM_NAMES, field_problem


@pytest.mark.parametrize("name", [*SYSTEM_NAMES, *ROOT_NAMES, *LINK_NAMES])
def test_reserved_names_are_refused_in_any_case_and_with_spaces_around(name):
    for spelled in (name, name.upper(), name.capitalize(), f"  {name.upper()} "):
        assert field_problem(spelled) == "reserved_name"


def test_there_are_twelve_system_names_and_ten_roots():
    assert len(set(SYSTEM_NAMES)) == 12
    assert len(set(ROOT_NAMES)) == 10


@pytest.mark.parametrize(
    "name", ["Email1", "id", "chat_id", "_x", "utm-source", "имя_клиента", "ім'я"[:2], "名前", "x" * 64]
)
def test_names_in_any_script_are_allowed(name):
    assert field_problem(name) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "empty_name"),
        ("   ", "empty_name"),
        ("x" * 65, "too_long"),
        ("1st", "bad_name"),
        ("-a", "bad_name"),
        ("a-", "bad_name"),
        ("a b", "bad_name"),
        (" a", "bad_name"),
        ("a.b", "bad_name"),
        ("a[0]", "bad_name"),
        ("{{a}}", "bad_name"),
        ("a\n", "bad_name"),
    ],
)
def test_other_names_are_refused_with_the_reason(name, code):
    assert field_problem(name) == code
