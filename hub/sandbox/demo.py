"""`hub demo`: the product with simulated services around it, on one machine and without any account.

This process serves the simulated messengers and the simulated Bitrix24; the product runs below it as `hub serve`.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TypeVar

import click
import requests

from hub.errors import ConfigurationError
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Bitrix24
from hub.sandbox.demo_account import Account, database_url, open_account
from hub.sandbox.demo_cards import ORDER, Cards, add_cards
from hub.sandbox.demo_check import check_demo
from hub.sandbox.demo_seed import Api, Seeded, SeedError, seed
from hub.sandbox.demo_waiting import CheckFailed
from hub.sandbox.server import Sandbox
from hub.serve import ROOT, _end_with_parent, require_free

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
PORTS = 4  # the product, the portal, its OAuth server, the messengers
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 40.0
LOOK_EVERY_S = 0.2
Server = TypeVar("Server", Sandbox, Bitrix24)
KEPT = ("HUB_LOG_LEVEL", "HUB_LOG_FORMAT", "HUB_WEB_WORKERS")


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True)
class Demo:
    """A running demo: addresses, who may sign in, the portal's cards, the sample scenarios."""

    url: str
    messengers_url: str
    portal_url: str
    account: Account
    cards: Cards
    seeded: Seeded
    product: "subprocess.Popen[bytes]"


def main(check: bool, port: int | None) -> int:
    """Run the demo until Ctrl+C or SIGTERM, or with `check` just long enough to see it work. Returns the exit code.

    Without a port: PORT for the demo, free ports for the check. Raises ConfigurationError when a port is busy.
    """
    try:
        with _signals_interrupt():
            if check:
                with _temporary_folder() as folder, running(folder, port or 0) as it:
                    check_demo(it)
                click.echo("The demo works.")
                return 0
            with running(Path("instance") / "demo", _wanted_port(port)) as it:
                _tell(it)
                raise DemoError(f"the product ended by itself with code {_wait_for_end(it.product)}.")
    except KeyboardInterrupt:
        click.echo("Stopped.")
        return 130 if check else 0
    except (DemoError, SeedError, CheckFailed, requests.RequestException) as error:
        click.echo(f"The demo failed: {error}", err=True)
        return 1


@contextmanager
def running(folder: Path, port: int) -> Iterator[Demo]:
    """A demo that keeps its data in `folder`, on `port` and the three after it (0: on free ones); stopped at the end.

    Raises ConfigurationError for a busy port; DemoError or SeedError when it does not come up.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if port:
        require_free(HOST, port)
    own_port = port or _free_port()
    url = f"http://{HOST}:{own_port}"
    sandbox = _listen(Sandbox, port and port + 3)
    try:
        bitrix24 = _listen(lambda at: Bitrix24(at, at and at + 1, sandbox.board, url), port and port + 1)
    except ConfigurationError:
        sandbox.stop()
        raise
    click.echo("Starting Hubline and its simulated services…")
    cards = add_cards(bitrix24)
    product: subprocess.Popen[bytes] | None = None
    try:
        account = open_account(folder)
        # Before the threads below begin: a process with threads had better not run code between fork and exec.
        product = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "hub", "serve", "--host", HOST, "--port", str(own_port)],
            cwd=folder,
            env=_environment(folder, own_port, sandbox, bitrix24),
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        sandbox.start()
        bitrix24.start()
        _wait_ready(url, product)
        api = Api(url, account.key)
        try:
            seeded = seed(api, sandbox.url)
        finally:
            api.close()
        yield Demo(url, sandbox.url, bitrix24.portal.url, account, cards, seeded, product)
    finally:
        if product is not None:
            _stop(product)
        bitrix24.stop()
        sandbox.stop()


def _tell(demo: Demo) -> None:
    links = demo.seeded.links
    result = links["result"].replace("&chat_id=&id=", "&chat_id=79991234567&id=1")
    click.echo(f"""
Hubline is running with simulated services. Ctrl+C stops everything.

  Hubline            {demo.url}/   (sign in: {demo.account.email}, password {demo.account.password})
  Bitrix24 portal    {demo.portal_url}/   (simulated: deals, robots, faults to play)
  Phone with chats   {demo.messengers_url}/
  Management API     {demo.url}/api/v1/   (key {demo.account.key})

In the portal press “Установить” (install), then bring the deal {ORDER} to the stage “Успешна” (won): the customer
gets a message in WhatsApp. Or send one by the usual link, then look at the phone:

  curl -H 'Content-Type: application/json' -d '{{"chat_id": "79991234567", "name_client": "Анна"}}' \\
    '{links["token_only"]}'

Run the same scenario by the results link and wait for what it returns:

  curl '{result}'
""")


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hubline-demo-") as folder:
        yield Path(folder)


def _wanted_port(port: int | None) -> int:
    """The port that was asked for, else PORT. Raises ConfigurationError for one that cannot be."""
    given = os.environ.get("PORT") or os.environ.get("HUB_PORT") or str(DEFAULT_PORT)
    if port:
        given = str(port)
    highest = 65535 - PORTS + 1
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= highest:
        raise ConfigurationError(f"PORT: the demo needs a number from 1 to {highest}, as in PORT=8000")
    return int(given)


def _listen(make: Callable[[int], Server], port: int) -> Server:
    try:
        return make(port)
    except OSError as error:
        raise ConfigurationError(
            f"PORT: cannot listen ({error.strerror}); "
            f"the demo needs PORT and the {PORTS - 1} after it, so choose another, as in PORT=8100"
        ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _environment(folder: Path, port: int, sandbox: Sandbox, bitrix24: Bitrix24) -> dict[str, str]:
    """The product's settings: a person's own ones stay out of the demo, except how much is logged."""
    foreign = ("HUB_", "DATABASE_URL", "PORT")
    plain = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(foreign)}
    return {
        "HUB_LOG_LEVEL": "warning",
        "HUB_WEB_WORKERS": "1",
        **plain,
        "HUB_INSTANCE_DIR": str(folder),
        "HUB_DATABASE_URL": database_url(folder),
        "HUB_PUBLIC_URL": f"http://{HOST}:{port}",
        "HUB_EGRESS_ALLOW": ",".join([f"{HOST}:{sandbox.port}", *bitrix24.spots]),
        "HUB_BITRIX24_CLIENT_ID": DEMO_CLIENT_ID,
        "HUB_BITRIX24_CLIENT_SECRET": DEMO_CLIENT_SECRET,
        "HUB_BITRIX24_OAUTH_URLS": bitrix24.cloud.oauth_url,
        "HUB_BITRIX24_JS_URL": f"{bitrix24.portal.url}/api/v1/",
        "PORT": str(port),
        "HUB_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }


def _wait_ready(url: str, product: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline:
            if product.poll() is not None:
                raise DemoError(f"the product ended by itself with code {product.returncode}; its words are above.")
            with suppress(requests.RequestException):
                if session.get(f"{url}/readyz", timeout=2).status_code == 200:
                    return
            time.sleep(0.1)
    raise DemoError(f"the product was not ready within {READY_WITHIN_S:.0f} seconds.")


def _wait_for_end(product: "subprocess.Popen[bytes]") -> int:
    # `product.wait()` would sleep through a signal that the system gives to another thread of this process.
    while (code := product.poll()) is None:
        time.sleep(LOOK_EVERY_S)
    return code


def _stop(product: "subprocess.Popen[bytes]") -> None:
    """End `hub serve`, which ends its own children; another signal in the meantime makes it lose patience."""
    previous = {number: signal.signal(number, lambda *_: product.terminate()) for number in _SIGNALS}
    try:
        product.terminate()
        product.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        product.kill()  # its children are told by the system that their parent is gone
        product.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM, and SIGINT even where a shell had it ignored, raise KeyboardInterrupt."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
