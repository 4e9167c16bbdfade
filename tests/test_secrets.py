"""A stored secret opens only with a key of the list, and only in the place it was written for."""

import pytest

from hub.secrets import SecretBox, SecretError

OLD, NEW = "the old key of this box", "the new key of this box"
PLACE = {"table": "line", "column": "config", "row": "l1"}


def test_a_secret_opens_where_it_was_sealed() -> None:
    box = SecretBox([OLD])
    sealed = box.seal("123:токен", **PLACE)
    assert "токен" not in sealed
    assert box.open(sealed, **PLACE) == "123:токен"


@pytest.mark.parametrize("change", [{"row": "l2"}, {"column": "token"}, {"table": "link"}])
def test_a_secret_does_not_open_in_another_place(change: dict[str, str]) -> None:
    box = SecretBox([OLD])
    sealed = box.seal("123:abc", **PLACE)
    with pytest.raises(SecretError):
        box.open(sealed, **(PLACE | change))


def test_the_same_secret_never_looks_the_same_twice() -> None:
    box = SecretBox([OLD])
    assert box.seal("123:abc", **PLACE) != box.seal("123:abc", **PLACE)


def test_rotation_opens_with_the_old_key_and_seals_with_the_new_one() -> None:
    sealed = SecretBox([OLD]).seal("123:abc", **PLACE)
    both = SecretBox([NEW, OLD])
    assert both.open(sealed, **PLACE) == "123:abc"
    assert not both.written_by_first_key(sealed)
    again = both.seal("123:abc", **PLACE)
    assert both.written_by_first_key(again)
    assert SecretBox([NEW]).open(again, **PLACE) == "123:abc"
    with pytest.raises(SecretError):
        SecretBox([NEW]).open(sealed, **PLACE)


@pytest.mark.parametrize("damage", ["", "v1", "v1:x:y", "v2:{0}:{1}", "v1:{0}:!!!", "v1:{0}:QUFB", "v1:{0}:A{1}"])
def test_a_damaged_secret_is_an_error_that_shows_nothing_of_it(damage: str) -> None:
    box = SecretBox([OLD])
    _, key, data = box.seal("123:abc", **PLACE).split(":")
    with pytest.raises(SecretError) as raised:
        box.open(damage.format(key, data), **PLACE)
    assert data[:10] not in str(raised.value)
    assert "line.config" in str(raised.value)
