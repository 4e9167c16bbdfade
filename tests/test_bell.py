"""The bell wakes who waits in another process, and never fails whoever rings it."""

import tempfile
from pathlib import Path

import pytest

import hub.bell
from hub.bell import Bell


@pytest.fixture(autouse=True)
def _looks_for_listeners_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.bell, "_LIST_EVERY_S", -1)


def test_a_ring_wakes_every_listener(tmp_path: Path) -> None:
    one, other, ringer = Bell(tmp_path), Bell(tmp_path), Bell(tmp_path)
    listeners = [one.listen(), one.listen(), other.listen()]
    ringer.ring()
    assert [listener.wait(1) for listener in listeners] == [True, True, True]
    for bell in (one, other, ringer):
        bell.close()


def test_rings_that_pile_up_count_once(tmp_path: Path) -> None:
    bell = Bell(tmp_path)
    listener = bell.listen()
    for _ in range(1_000):
        bell.ring()
    assert listener.wait(1)
    assert not listener.wait(0)
    bell.close()


def test_without_a_ring_the_wait_ends_by_itself(tmp_path: Path) -> None:
    bell = Bell(tmp_path)
    assert not bell.listen().wait(0.01)
    bell.close()


def test_what_a_killed_process_left_behind_is_cleared_away(tmp_path: Path) -> None:
    bell = Bell(tmp_path)
    listener = bell.listen()
    (path,) = bell._folder.glob("*.sock")
    listener._socket.close()
    bell.ring()
    assert not path.exists()
    bell.close()


def test_closing_leaves_nothing_behind_and_ringing_goes_on_working(tmp_path: Path) -> None:
    bell = Bell(tmp_path)
    bell.listen()
    bell.close()
    assert not bell._folder.exists()
    bell.ring()
    bell.close()


def test_the_folder_goes_with_the_last_listener_and_comes_back_with_the_next(tmp_path: Path) -> None:
    one, other = Bell(tmp_path / "bells"), Bell(tmp_path / "bells")
    one.listen()
    listener = other.listen()
    one.close()
    other.ring()
    assert listener.wait(1)
    other.close()
    assert not (tmp_path / "bells").exists()
    again = Bell(tmp_path / "bells")
    assert not again.listen().wait(0)
    again.close()


def test_what_a_killed_process_left_goes_with_the_last_listener(tmp_path: Path) -> None:
    killed, last = Bell(tmp_path / "bells"), Bell(tmp_path / "bells")
    killed.listen()._socket.close()
    last.listen()
    last.close()
    assert not (tmp_path / "bells").exists()


def test_folders_of_killed_processes_go_when_somebody_listens_and_those_in_use_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = Path(tempfile.mkdtemp(prefix="b"))  # short, as that of a system is
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(temporary))
    long = "a long name of a folder " * 5
    killed, living, starting = (Bell(tmp_path / f"{name} {long}") for name in ("one", "two", "three"))
    killed.listen()._socket.close()
    listener = living.listen()
    starting.listen()
    assert not killed._folder.exists()
    living.ring()
    assert listener.wait(1)
    living.close()
    starting.close()
    temporary.rmdir()


def test_a_folder_with_a_long_path_has_a_bell_too(tmp_path: Path) -> None:
    deep = tmp_path / ("a long name of a folder " * 5) / "bells"
    bell, other = Bell(deep), Bell(deep)
    listener = bell.listen()
    other.ring()
    assert listener.wait(1)
    bell.close()
    other.close()
