"""The `hub` command: starting processes here, everything about stored things in `hub.commands`.

Each command imports what it needs when it runs, so `hub --help` is quick and `hub serve` stays small.
Exit codes: 0 done; 1 refused or failed, with one readable line on standard error; 2 wrong usage.
"""

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from hub.errors import ConfigurationError, HubError

if TYPE_CHECKING:
    from hub.settings import Settings


class Refused(click.ClickException):
    """Ends a command with exit code 1 and one line."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """The line alone, as a person wants to read it."""
        click.echo(self.message, err=True)


class OneLineErrors(click.Group):
    """Turns what the product refuses into one line and exit code 1; mistakes of the program keep their traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except HubError as error:
            details = [
                f"{item['pointer'].strip('/').replace('/', '.')}: {item['message']}".removeprefix(": ")
                for item in error.members.get("errors", ())
                if item.get("message") not in (None, error.message)
            ]
            raise Refused(" ".join([error.message, *details])) from None
        except ConfigurationError as error:
            raise Refused(str(error)) from None


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hubline", prog_name="hub")
def hub() -> None:
    """Hubline joins Bitrix24, messengers and other services by scenarios."""


@hub.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 is all of them.")
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of PORT.")
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes, instead of HUB_WEB_WORKERS.")
def serve(host: str, port: int | None, workers: int | None) -> None:
    """Migrate, then run web and worker together until Ctrl+C."""
    from hub.serve import serve as run

    settings = _settings()
    sys.exit(run(host, port or settings.port, workers or settings.web_workers))


@hub.command()
@click.option("--threads", type=click.IntRange(1, 1024), help="Instead of HUB_WORKER_THREADS.")
def worker(threads: int | None) -> None:
    """Run scenarios and send messages until told to stop."""
    from hub.worker import run_worker

    settings = _settings()
    if threads is not None:
        settings = settings.model_copy(update={"worker_threads": threads})
    code = run_worker(settings)
    if code:
        # What did not finish in time must not keep the process: its threads would be waited for at a normal end.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@hub.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from hub.db import Database
    from hub.schema import migrate as run

    database = Database(_settings())
    try:
        with database.named():
            run(database.engine)
    finally:
        database.close()


@hub.command()
@click.option("--check", is_flag=True, help="Without a person: start, send, look at what arrived, stop.")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of PORT; --check takes free ones by itself.")
def demo(check: bool, port: int | None) -> None:
    """Show the product at work with simulated services."""
    from hub.sandbox.demo import main as run

    sys.exit(run(check, port))


def _settings() -> "Settings":
    from hub.logs import configure
    from hub.settings import Settings

    settings = Settings.from_env()
    configure(settings.log_format, settings.log_level)
    return settings


def _register() -> None:
    from hub import commands, portal_commands

    for command in (*commands.COMMANDS, portal_commands.portal):
        hub.add_command(command)


_register()


def main() -> None:
    """Entry of the console command and of `python -m hub`."""
    if sys.argv[1:2] == ["worker"]:
        # Before anything else is imported, or half of the process would wait in the old way.
        from gevent import monkey

        monkey.patch_all()
    hub(prog_name="hub")
