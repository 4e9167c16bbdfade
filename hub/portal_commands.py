"""Commands about portals: which there are, and all that is kept of one, as a file or gone for good."""

import threading
from pathlib import Path

import click

from hub.commands import opened
from hub.errors import Conflict, HubError


@click.group()
def portal() -> None:
    """Portals: the Bitrix24 accounts that use this installation."""


@portal.command("list")
def portal_list() -> None:
    """One line each: member_id, state, domain."""
    from sqlmodel import col, select

    from hub.portals.models import Portal

    with opened() as hub, hub.db.read() as session:
        for found in session.exec(select(Portal).order_by(col(Portal.id))):
            click.echo("\t".join((found.member_id, found.state, found.domain or "-")))


@portal.command("export")
@click.argument("member_id")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def portal_export(member_id: str, file: Path) -> None:
    """Write all that is kept of a portal into FILE, a zip of JSON lines without secrets."""
    from hub.portals.service import get, key_of
    from hub.upkeep.export import export

    with opened() as hub:
        with hub.db.read() as session:
            portal_id = key_of(get(session, member_id))
        try:
            counts = export(hub, portal_id, file)
        except FileExistsError:
            raise Conflict(f"{file} is there already.") from None
        except OSError as error:
            raise HubError(f"{file} cannot be written: {error.strerror}.") from None
    click.echo(f"{sum(counts.values())} rows of {sum(1 for count in counts.values() if count)} tables in {file}.")


@portal.command("erase")
@click.argument("member_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
def portal_erase(member_id: str, yes: bool) -> None:
    """Stop a portal and delete all that is kept of it. There is no way back."""
    from hub.bitrix24 import uninstall
    from hub.clock import now_us
    from hub.portals.models import LOCAL
    from hub.portals.service import get, key_of
    from hub.upkeep import erasure

    if member_id == LOCAL:
        raise Conflict("The portal “local” belongs to this installation and cannot be erased.")
    with opened() as hub:
        with hub.db.read() as session:
            portal_id = key_of(get(session, member_id))
        if not yes:
            click.confirm(f"Delete everything of the portal {member_id}?", abort=True)
        uninstall.order(hub, portal_id, basis="operator", clean=True)
        until, stop = now_us(), threading.Event()
        while erasure.is_open(hub, portal_id, until):
            if not erasure.turn(hub, stop):
                stop.wait(0.2)  # a worker is at it already
    click.echo(f"The portal {member_id} is gone.")
