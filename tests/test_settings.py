"""Settings come from the environment; a wrong one stops the start with one line that names the variable."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from hub.errors import ConfigurationError
from hub.settings import Settings
from tests.connectors.authority import Authority


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_whole_bundle_of_certificates_is_refused_for_no_process_could_be_given_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pem = Authority().pem
    monkeypatch.setenv("HUB_MAX_CA", pem)
    assert Settings.from_env().max_ca == pem
    monkeypatch.delenv("HUB_MAX_CA")
    (tmp_path / "bundle.pem").write_text(pem * (200_000 // len(pem)))
    monkeypatch.setenv("HUB_MAX_CA_FILE", str(tmp_path / "bundle.pem"))
    with pytest.raises(ConfigurationError, match="HUB_MAX_CA: it is longer"):
        Settings.from_env()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HUB_WEB_WORKERS", "none"),
        ("HUB_WEB_WORKERS", "0"),
        ("HUB_TIME_ZONE", "Mars/Base"),
        ("HUB_PUBLIC_URL", "hub.example"),
        ("HUB_RETRY_SCHEDULE_S", "5,soon"),
        ("HUB_RETRY_SCHEDULE_S", "5,inf"),
        ("HUB_RETRY_SCHEDULE_S", "-1"),
        ("HUB_MESSAGE_TTL_S", "inf"),
        ("HUB_LEASE_S", "nan"),
        ("HUB_RETENTION_DAYS", "91"),
        ("HUB_LOG_LEVEL", "loud"),
        ("HUB_ENCRYPTION_KEYS", "too short"),
        ("HUB_MAX_CA", "/etc/max.pem"),
        ("HUB_MAX_CA", "-----BEGIN CERTIFICATE-----\nнет\n-----END CERTIFICATE-----"),
        ("PORT", "70000"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_names_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_env()
    assert str(raised.value).startswith(f"{name}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("HUB_RETENTON_DAYS", "HUB_RETENTION_DAYS"),
        ("HUB_DATABASE_URI", "HUB_DATABASE_URL"),
        ("HUB_SECRET_KEYS_FILE", "HUB_SECRET_KEY"),
        ("HUB_COLOUR", "docs/operations.md"),
    ],
)
def test_a_setting_that_does_not_exist_is_refused_with_the_nearest_name(
    name: str, hint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "value").write_text("a value that is long enough")
    monkeypatch.setenv(name, str(tmp_path / "value"))
    try:
        with pytest.raises(ConfigurationError) as raised:
            Settings.from_env()
    finally:
        os.environ.pop(name.removesuffix("_FILE"), None)
    assert str(raised.value).startswith(f"{name.removesuffix('_FILE')}: ")
    assert hint in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("url", ["mysql://host/db", "hub.db"])
def test_a_database_that_is_not_supported_is_named(url: str) -> None:
    with pytest.raises(ConfigurationError, match="HUB_DATABASE_URL"):
        _ = Settings(database_url=url).sqlalchemy_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_of_postgresql_is_understood(scheme: str) -> None:
    assert Settings(database_url=f"{scheme}://u@h/d").sqlalchemy_url == "postgresql+psycopg://u@h/d"


def test_the_file_env_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("# a comment\nHUB_LEASE_S='7'\nHUB_RETENTION_DAYS=5\n")
    for name in ("HUB_LEASE_S", "HUB_RETENTION_DAYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUB_RETENTION_DAYS", "9")
    try:
        settings = Settings.from_env()
    finally:
        os.environ.pop("HUB_LEASE_S", None)
    assert (settings.lease_s, settings.retention_days) == (7, 9)


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("a key out of a file\n")
    monkeypatch.setenv("HUB_SECRET_KEY_FILE", str(tmp_path / "key"))
    try:
        assert Settings.from_env().secret_key == "a key out of a file"
    finally:
        os.environ.pop("HUB_SECRET_KEY", None)
    monkeypatch.setenv("HUB_SECRET_KEY_FILE", str(tmp_path / "no such file"))
    with pytest.raises(ConfigurationError, match="HUB_SECRET_KEY_FILE"):
        Settings.from_env()
    (tmp_path / "der").write_bytes(b"\x30\x82\xff")
    monkeypatch.setenv("HUB_SECRET_KEY_FILE", str(tmp_path / "der"))
    with pytest.raises(ConfigurationError, match="HUB_SECRET_KEY_FILE: the file is not text"):
        Settings.from_env()


def test_keys_that_were_left_out_are_made_once_and_only_the_owner_may_read_them(tmp_path: Path) -> None:
    first, second = (Settings(instance_dir=tmp_path / "own").with_secrets() for _ in range(2))
    assert first.secret_key == second.secret_key
    assert first.encryption_keys == second.encryption_keys
    assert sorted(path.name for path in (tmp_path / "own").iterdir()) == ["encryption_key", "secret_key"]
    for path in (tmp_path / "own").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_emptied_key_file_is_never_taken_for_a_key(tmp_path: Path) -> None:
    (tmp_path / "encryption_key").touch()
    with pytest.raises(ConfigurationError, match="HUB_ENCRYPTION_KEYS"):
        Settings(instance_dir=tmp_path, secret_key="x" * 32).with_secrets()


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(6) as pool:
        made = pool.map(key_of, [tmp_path / str(number // 12) for number in range(120)], chunksize=1)
    for number in range(10):
        assert len(set(made[number * 12 : number * 12 + 12])) == 1


def key_of(folder: Path) -> str:
    """In another process: the key that a start with this folder gets."""
    return Settings(instance_dir=folder).with_secrets().secret_key
