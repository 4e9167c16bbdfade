"""The page about connecting a portal: its commands, run as they stand around an installation in a simulated portal."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Bitrix24, demo_app
from hub.sandbox.demo_person import ByRequests
from hub.settings import Settings
from tests.conftest import free_port
from tests.processes import ROOT, Product, environment

PAGE = ROOT / "docs" / "bitrix24.md"
SCOPES = re.compile(r"^\| `([a-z_]+)` \| (.+?) \|$", re.MULTILINE)


@pytest.fixture
def address() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def bitrix24(address: str) -> Iterator[Bitrix24]:
    """A portal whose administrator has added the application with the page's scopes and paths."""
    running = Bitrix24(app_url=address).start()
    asked = [scope for scope, _ in SCOPES.findall(PAGE.read_text(encoding="utf-8"))]
    running.cloud.add_app(replace(demo_app(address), scope=asked))
    yield running
    running.stop()


@pytest.mark.databases("sqlite")
def test_the_commands_of_the_page_work_as_they_stand(
    settings: Settings, address: str, bitrix24: Bitrix24, tmp_path: Path
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    commands = re.findall(r"^```bash\n(.+?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(commands) == 4
    for path in ("/bitrix24/app", "/bitrix24/install"):
        assert f"| `https://hub.example.org{path}` |" in text
    more = {
        "HUB_PUBLIC_URL": address,
        "HUB_EGRESS_ALLOW": ",".join([*settings.egress_allow, *bitrix24.spots]),
        "HUB_BITRIX24_OAUTH_URLS": bitrix24.cloud.oauth_url,
        "HUB_BITRIX24_JS_URL": f"{bitrix24.portal.url}/api/v1/",
    }
    port = int(address.rpartition(":")[2])
    known = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HUBLINE_URL": address,
        "CLIENT_ID": DEMO_CLIENT_ID,
        "CLIENT_SECRET": DEMO_CLIENT_SECRET,
    }

    def run(*blocks: str) -> str:
        done = subprocess.run(
            ["bash", "-c", "set -euo pipefail\n" + "".join(blocks)],
            cwd=tmp_path,
            env=environment(settings, port, more) | known,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with Product(settings, tmp_path, more) as product, requests.Session() as session:
        product.serve(PORT=str(port)).wait_ready(within_s=90)
        said = run(*commands[:2])
        assert "200 OK" in said
        assert f'"client_id":"{DEMO_CLIENT_ID}"' in said
        assert DEMO_CLIENT_SECRET not in said

        ByRequests(bitrix24.portal.url, session).install()
        said = run(commands[2])
        assert f"{bitrix24.portal.member_id}\tactive\t{bitrix24.portal.domain}" in said
        well = dict(re.findall(r'"name":"(bitrix24_\w+)","ok":(\w+)', said))
        assert well == dict.fromkeys(("bitrix24_token", "bitrix24_events", "bitrix24_handlers"), "true")

        said = run(f"MEMBER_ID={bitrix24.portal.member_id}\n", commands[3])
        assert "is gone." in said
        assert (tmp_path / "portal.zip").stat().st_size > 0


def test_the_page_asks_for_the_scopes_of_the_methods_that_are_called() -> None:
    """Each scope of the page opens methods that the product calls, and no called method needs another one."""
    scopes = "crm|placement|bizproc|messageservice|im|imopenlines|imconnector"
    called = set()
    for folder in ("bitrix24", "upkeep"):
        for file in (ROOT / "hub" / folder).glob("*.py"):
            text = file.read_text(encoding="utf-8")
            called |= set(re.findall(rf'"({scopes})\.[a-z]', text))
            called |= {scope for scope, sign in (("crm", 'f"crm.'), ("user_brief", '"user.get"')) if sign in text}
    if "imconnector" in called:
        called.add("imopenlines")  # its methods take both
    assert called == {scope for scope, _ in SCOPES.findall(PAGE.read_text(encoding="utf-8"))}
