"""The `hub` command does what it says, in one line, and ends with 0, 1 or 2."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from click.testing import CliRunner, Result

from hub.cli import hub as command
from hub.settings import Settings
from tests.databases import Source

if TYPE_CHECKING:
    from hub.core import Hub
    from hub.sandbox.server import Sandbox

Run = Callable[..., Result]
SCENARIO = """
format: 1
name: Greeting
blocks:
  - id: start
    type: incoming_webhook
    config: {fields: [person]}
  - id: end
    type: return_result
    config: {values: {greeting: "Hello, {{ person }}"}}
links:
  - {from: start, port: next, to: end}
"""


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HUB_INSTANCE_DIR", str(settings.instance_dir))
    monkeypatch.setenv("HUB_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", ",".join(settings.encryption_keys))
    monkeypatch.setenv("HUB_EGRESS_ALLOW", ",".join(settings.egress_allow))

    def invoke(*arguments: str, given: str | None = None) -> Result:
        result = CliRunner().invoke(command, arguments, input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    yield invoke
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if handler.get_name() == "hub"]:
        root.removeHandler(handler)
    root.setLevel(logging.WARNING)
    structlog.reset_defaults()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "greeting.yaml"
    path.write_text(SCENARIO)
    return path


def refused(result: Result) -> str:
    """The one line of a refusal."""
    assert result.exit_code == 1, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr.strip()


def test_a_new_person_can_log_in_and_no_password_is_stored_or_shown(run: Run, hub: "Hub") -> None:
    from hub.accounts.users import verify

    made = run("user", "create", "Ann@Example.org", "--role", "editor", given="correct horse\n")
    assert made.exit_code == 0
    assert "correct horse" not in made.output
    with hub.db.read() as session:
        user = verify(session, "ann@example.org", "correct horse")
        assert user is not None
        assert user.role == "editor"
        assert "correct" not in user.password_hash
        assert verify(session, "ann@example.org", "another horse") is None
        assert verify(session, "bob@example.org", "correct horse") is None


@pytest.mark.parametrize(
    ("email", "password", "why"), [("ann", "long enough", "e-mail"), ("ann@example.org", "short", "characters")]
)
def test_a_person_without_address_or_with_a_short_password_is_refused(
    run: Run, email: str, password: str, why: str
) -> None:
    assert why in refused(run("user", "create", email, "--role", "admin", given=password + "\n"))


def test_an_address_is_taken_only_once(run: Run) -> None:
    assert run("user", "create", "ann@example.org", "--role", "admin", given="long enough\n").exit_code == 0
    again = run("user", "create", "ANN@example.org", "--role", "admin", given="long enough\n")
    assert "already" in refused(again)


def test_an_api_key_is_all_that_is_printed_and_it_opens_the_portal(run: Run, hub: "Hub") -> None:
    from hub.accounts.keys import portal_of_key
    from hub.portals.service import get, key_of

    made = run("api-key", "create", "scripts")
    assert made.exit_code == 0
    (key,) = made.stdout.split()
    with hub.db.read() as session:
        assert portal_of_key(session, key) == key_of(get(session, "local"))


def test_a_portal_that_is_not_there_is_refused(run: Run) -> None:
    assert "portal" in refused(run("api-key", "create", "scripts", "--portal", "nobody"))


def test_a_checked_scenario_is_not_stored(run: Run, document: Path, hub: "Hub") -> None:
    from sqlmodel import select

    from hub.scenarios.models import Scenario

    checked = run("scenario", "check", str(document))
    assert (checked.exit_code, checked.output) == (0, "“Greeting” can be published.\n")
    with hub.db.read() as session:
        assert session.exec(select(Scenario)).all() == []


def test_a_scenario_with_errors_is_explained_and_fails_the_check(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(SCENARIO.replace("to: end", "to: nowhere"))
    result = run("scenario", "check", str(broken))
    assert "cannot be published" in refused(result)
    assert result.stdout.startswith(("error ", "warning "))


def test_a_file_that_is_no_scenario_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "no.yaml").write_text("just: words")
    refused(run("scenario", "check", str(tmp_path / "no.yaml")))


def test_an_imported_scenario_is_a_draft_and_comes_out_as_it_went_in(run: Run, document: Path, tmp_path: Path) -> None:
    imported = run("scenario", "import", str(document))
    assert imported.exit_code == 0, imported.output
    exported = run("scenario", "export", imported.stdout.splitlines()[0])
    assert exported.exit_code == 0
    again = tmp_path / "again.yaml"
    again.write_text(exported.stdout)
    assert "already" in refused(run("scenario", "import", str(again)))
    replaced = run("scenario", "import", "--replace", str(again))
    assert replaced.stdout.splitlines()[0] == imported.stdout.splitlines()[0]
    assert run("scenario", "export", imported.stdout.splitlines()[0]).stdout == exported.stdout


def test_a_line_is_added_from_standard_input_and_checked(run: Run, sandbox: "Sandbox") -> None:
    config = json.dumps({"token": "123456:sandbox-token", "api_url": f"{sandbox.url}/telegram"})
    added = run("line", "add", "--channel", "telegram", "--name", "Bot", given=config)
    assert added.exit_code == 0, added.output
    assert "sandbox-token" not in added.output
    checked = run("line", "check", "bot")
    assert checked.exit_code == 0, checked.output
    assert "works as" in checked.output


def test_a_line_that_does_not_work_says_why(run: Run, sandbox: "Sandbox") -> None:
    config = json.dumps({"token": "123456:token", "api_url": f"{sandbox.url}/elsewhere"})
    run("line", "add", "--channel", "telegram", "--name", "Bot", given=config)
    line = refused(run("line", "check", "Bot"))
    assert "does not work" in line
    assert "123456:" not in line


def test_a_line_that_is_not_there_or_badly_given_is_refused(run: Run) -> None:
    assert "no line" in refused(run("line", "check", "Nobody"))
    assert "JSON" in refused(run("line", "add", "--channel", "telegram", "--name", "Bot", given="token"))
    assert "channel" in refused(run("line", "add", "--channel", "pigeon", "--name", "Bot", given="{}"))
    assert "config.token: Field required." in refused(
        run("line", "add", "--channel", "telegram", "--name", "Bot", given="{}")
    )


def test_keys_are_rotated_and_the_old_one_may_go(run: Run, hub: "Hub", monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.delivery import lines
    from hub.delivery.models import Line

    config = json.dumps({"token": "123456:token"})
    line_id = run("line", "add", "--channel", "telegram", "--name", "Bot", given=config).stdout.strip()
    old, new = hub.settings.encryption_keys[0], "a new key of enough characters"
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", f"{new},{old}")
    assert run("keys", "rotate").stdout == "2 secrets sealed anew, 0 were already.\n"
    assert run("keys", "rotate").stdout == "0 secrets sealed anew, 2 were already.\n"
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", new)
    from hub.core import make_hub

    fresh = make_hub(hub.settings.model_copy(update={"encryption_keys": (new,)}))
    try:
        with fresh.db.read() as session:
            line = session.get(Line, line_id)
            assert line is not None
            assert lines.open_config(fresh, line)["token"] == "123456:token"
    finally:
        fresh.close()


def test_secrets_that_no_key_opens_are_counted_and_fail_the_rotation(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("line", "add", "--channel", "telegram", "--name", "Bot", given=json.dumps({"token": "123456:token"}))
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", "quite another key than before")
    assert refused(run("keys", "rotate")).startswith("2 secrets cannot be opened")


def test_portals_are_listed_one_a_line(run: Run) -> None:
    run("api-key", "create", "scripts")
    assert run("portal", "list").stdout == "local\tactive\t-\n"


def test_doctor_fails_while_no_worker_is_at_work(run: Run) -> None:
    result = run("doctor")
    assert "failed" in refused(result)
    assert "ok   database: " in result.stdout
    assert "FAIL worker: " in result.stdout


def test_a_database_that_was_not_migrated_is_named_as_the_reason(
    run: Run, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = source.fresh(tmp_path, empty=True)
    monkeypatch.setenv("HUB_DATABASE_URL", empty)
    try:
        assert "hub migrate" in refused(run("portal", "list"))
        assert run("migrate").exit_code == 0
        assert run("portal", "list").exit_code == 0
    finally:
        source.drop(empty)


def test_doctor_looks_at_every_portal_where_asked(run: Run) -> None:
    assert "\nlocal\n" in run("doctor", "--all").stdout


@pytest.mark.parametrize("arguments", [("doctor",), ("migrate",), ("portal", "list")])
def test_a_database_that_does_not_answer_is_named_without_its_password(
    run: Run, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://someone:PASSWORD@127.0.0.1:9/shop")
    result = run(*arguments)
    assert "PostgreSQL at 127.0.0.1:9/shop cannot be used: " in result.output
    assert "PASSWORD" not in result.output
    refused(result)


def test_a_wrong_setting_is_one_line_that_names_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_LEASE_S", "soon")
    assert refused(run("portal", "list")).startswith("HUB_LEASE_S: ")


@pytest.mark.parametrize("arguments", [("nothing",), ("user", "create", "a@b.example"), ("serve", "--port", "x")])
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
