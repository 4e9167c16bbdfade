"""Commands about stored things: people, keys, scenarios, lines, health. They work on the database directly."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.errors import ConfigurationError, HubError, Invalid

if TYPE_CHECKING:
    from sqlmodel import Session

    from hub.core import Hub
    from hub.upkeep.checks import Check

portal_option = click.option(
    "--portal", "member_id", metavar="MEMBER_ID", help="The portal it belongs to; without it, the portal “local”."
)
file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@contextmanager
def opened() -> Iterator["Hub"]:
    """A Hub on a migrated database, closed at the end. Raises ConfigurationError when it is not migrated."""
    from alembic.script import ScriptDirectory

    from hub.core import make_hub
    from hub.logs import configure
    from hub.schema import MIGRATIONS, revision
    from hub.settings import Settings

    settings = Settings.from_env()
    configure(settings.log_format, settings.log_level)
    hub = make_hub(settings)
    try:
        with hub.db.named(), hub.db.read() as session:
            current = revision(session.connection())
        if current != ScriptDirectory(str(MIGRATIONS)).get_current_head():
            raise ConfigurationError("the database has another schema than this program needs; run: hub migrate")
        yield hub
    finally:
        hub.close()


def portal_id(hub: "Hub", session: "Session", member_id: str | None) -> int:
    """Our number of a portal; the portal `local` is made when it is missing. Raises NotFound."""
    from hub.portals.service import get, key_of, local_portal

    return key_of(get(session, member_id) if member_id else local_portal(session, hub.settings))


# ---------------------------------------------------------------- people and keys


@click.group()
def user() -> None:
    """People who log in."""


@user.command("create")
@click.argument("email")
@click.option("--role", type=click.Choice(["admin", "editor", "viewer"]), required=True)
@portal_option
def user_create(email: str, role: str, member_id: str | None) -> None:
    """Add a person. The password is asked for, or read as one line from standard input."""
    from hub.accounts.users import create_user

    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    with opened() as hub, hub.db.write() as session:
        made = create_user(session, portal_id(hub, session, member_id), email=email, password=password, role=role)
        click.echo(f"{made.email} may log in as {made.role}.")


@click.group("api-key")
def api_key() -> None:
    """Keys of the management API."""


@api_key.command("create")
@click.argument("name")
@portal_option
def api_key_create(name: str, member_id: str | None) -> None:
    """Make a key and print it, this once and nothing else."""
    from hub.accounts.keys import create_key

    with opened() as hub:
        with hub.db.write() as session:
            key = create_key(session, portal_id(hub, session, member_id), name)
        click.echo(key)


@click.group()
def keys() -> None:
    """Encryption of stored secrets."""


@keys.command("rotate")
def keys_rotate() -> None:
    """Seal every stored secret with the first key of HUB_ENCRYPTION_KEYS."""
    from hub.rotation import rotate

    with opened() as hub:
        done = rotate(hub)
    click.echo(f"{done.sealed} secrets sealed anew, {done.kept} were already.")
    if done.unreadable:
        raise HubError(f"{done.unreadable} secrets cannot be opened; put the key that sealed them back into the list.")


# ---------------------------------------------------------------- scenarios


@click.group()
def scenario() -> None:
    """Scenarios as documents, in YAML or JSON."""


@scenario.command("check")
@file_argument
@portal_option
def scenario_check(file: Path, member_id: str | None) -> None:
    """Say what is wrong with a scenario; nothing is stored."""
    from hub.scenarios.check import check
    from hub.scenarios.check_resources import CheckResources
    from hub.scenarios.versions import read_document

    document = read_document(file.read_bytes(), _content_type(file))
    with opened() as hub:
        with hub.db.write() as session:
            owner = portal_id(hub, session, member_id)
        with hub.db.read() as session:
            problems = [problem.as_dict() for problem in check(document, CheckResources(session, owner))[1]]
    _show(problems)
    errors = sum(problem["severity"] == "error" for problem in problems)
    if errors:
        raise Invalid(f"“{document.name}” cannot be published: {errors} error{'s' if errors > 1 else ''}.")
    click.echo(f"“{document.name}” can be published.")


@scenario.command("import")
@file_argument
@click.option("--replace", is_flag=True, help="When the name is taken, save the next version of that scenario.")
@portal_option
def scenario_import(file: Path, replace: bool, member_id: str | None) -> None:
    """Keep a scenario as a draft; prints its id and what is wrong with it."""
    from hub.scenarios import versions
    from hub.scenarios.document import name_key

    document = versions.read_document(file.read_bytes(), _content_type(file))
    with opened() as hub, hub.db.write() as session:
        owner = portal_id(hub, session, member_id)
        same = [found.id for found in versions.all_of(session, owner) if found.name_key == name_key(document.name)]
        target = same[0] if same and replace else None
        saved = versions.save(session, hub, owner, document, scenario_id=target, draft=True)
        click.echo(f"{saved.scenario.id}")
        _show(saved.problems)


@scenario.command("export")
@click.argument("scenario_id", type=int)
@portal_option
def scenario_export(scenario_id: int, member_id: str | None) -> None:
    """Print the newest version of a scenario as YAML."""
    from hub.scenarios import versions
    from hub.scenarios.document import to_yaml

    with opened() as hub, hub.db.write() as session:
        found = versions.get(session, portal_id(hub, session, member_id), scenario_id)
        click.echo(to_yaml(versions.document_of(versions.version(session, found))), nl=False)


# ---------------------------------------------------------------- lines


@click.group()
def line() -> None:
    """Lines: the configured accounts of messengers."""


@line.command("add")
@click.option("--channel", required=True, help="telegram and so on.")
@click.option("--name", required=True)
@portal_option
def line_add(channel: str, name: str, member_id: str | None) -> None:
    """Add a line; its config comes from standard input as JSON, so that no secret stands in the command."""
    from hub.delivery import lines
    from hub.values import loads

    try:
        config = loads(sys.stdin.read())
    except ValueError:
        raise Invalid("The config on standard input is not JSON.") from None
    if not isinstance(config, dict):
        raise Invalid('The config on standard input has to be a JSON object, such as {"token": "…"}.')
    with opened() as hub, hub.db.write() as session:
        owner = portal_id(hub, session, member_id)
        added = lines.create(session, hub, owner, name=name, channel=channel, config=config)
        click.echo(added.id)


@line.command("check")
@click.argument("name")
@portal_option
def line_check(name: str, member_id: str | None) -> None:
    """Ask the messenger whether a line works."""
    from hub.delivery import lines, probing
    from hub.errors import NotFound

    with opened() as hub:
        with hub.db.write() as session:
            owner = portal_id(hub, session, member_id)
            found = lines.by_name(session, owner, name)
        if found is None:
            raise NotFound(f"There is no line “{name}”.")
        answer = probing.check(hub, owner, found.id)
    if not answer["ok"]:
        raise HubError(f"“{name}” does not work: {answer['error']['message']} ({answer['error']['code']})")
    click.echo(f"“{name}” works as {answer['identity']['name']}.")


@click.command()
@portal_option
@click.option("--all", "everywhere", is_flag=True, help="Look at the lines and the Bitrix24 of every portal, too.")
def doctor(member_id: str | None, everywhere: bool) -> None:
    """Say what works and what does not; exit code 1 when something does not."""
    from hub.upkeep.health import checks_of, portals_of

    with opened() as hub:
        with hub.db.write() as session:
            owner = portal_id(hub, session, member_id)
        checks = checks_of(hub, owner)
        portals = portals_of(hub) if everywhere else []
    _tell(checks)
    for portal in portals:
        click.echo(f"\n{portal.name}")
        _tell(portal.checks)
    every = [*checks, *(check for portal in portals for check in portal.checks)]
    broken = sum(not check.ok for check in every)
    if broken:
        raise HubError(f"{broken} of {len(every)} checks failed.")


def _tell(checks: "list[Check]") -> None:
    for check in checks:
        click.echo(f"{_MARKS[check.state]} {check.name.replace('_', ' ')}: {check.detail}")
        if check.state in ("warning", "failed"):
            click.echo(f"     {check.action}")


_MARKS = {"ok": "ok  ", "warning": "warn", "failed": "FAIL", "not_installed": "-   ", "unknown": "?   "}


def _content_type(file: Path) -> str:
    return "application/json" if file.suffix == ".json" else "application/yaml"


def _show(problems: list[dict[str, str | None]]) -> None:
    for problem in problems:
        place = ".".join(part for part in (problem.get("block"), problem.get("field")) if part)
        click.echo(f"{problem['severity']} {problem['code']}{f' at {place}' if place else ''}: {problem['message']}")


COMMANDS: tuple[click.Command, ...] = (user, api_key, keys, scenario, line, doctor)
