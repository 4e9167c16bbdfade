"""`hub portal`: which there are, and all that is kept of one as a file, or gone."""

import json
import zipfile
from pathlib import Path

from tests.bitrix24.conftest import Connected, connect
from tests.bitrix24.test_uninstall import CANARIES, busy
from tests.processes import Product, Running

__all__ = ["busy"]


def command(connected: Connected, folder: Path, *arguments: str) -> Running:
    """Run `hub portal …` as a process of its own until it ends."""
    folder.mkdir(exist_ok=True)
    product = Product(connected.hub.settings, folder)
    running = product.hub("portal", *arguments)
    running.wait(60)
    return running


def test_an_export_holds_every_table_and_no_secret(busy: Connected, tmp_path: Path) -> None:
    file = tmp_path / "portal.zip"
    done = command(busy, tmp_path / "logs", "export", busy.portal.member_id, str(file))
    assert done.wait() == 0, done.output()
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    requests = [json.loads(line) for line in texts["request.ndjson"].splitlines()]
    assert manifest["tables"]["request"]["rows"] == len(requests) == 3
    assert CANARIES[2] in requests[0]["raw"]
    whole = "".join(texts.values())
    assert CANARIES[3] not in whole
    assert "_sealed" not in whole
    assert "v1:" not in whole
    again = command(busy, tmp_path / "logs", "export", busy.portal.member_id, str(file))
    assert (again.wait(), again.output().strip()) == (1, f"{file} is there already.")


def test_an_export_holds_nothing_of_another_portal(busy: Connected, tmp_path: Path) -> None:
    other = busy.simulator.add_portal()
    try:
        second = connect(busy.hub, busy.simulator, other)
        done = command(second, tmp_path / "logs", "export", other.member_id, str(tmp_path / "other.zip"))
        assert done.wait() == 0, done.output()
    finally:
        del busy.simulator.cloud.portals[other.member_id]
    with zipfile.ZipFile(tmp_path / "other.zip") as archive:
        whole = "".join(archive.read(name).decode() for name in archive.namelist())
    assert not [canary for canary in CANARIES if canary in whole]
    assert busy.portal.member_id not in whole


def test_an_erased_portal_is_gone_when_the_command_ends(busy: Connected, tmp_path: Path) -> None:
    refused = command(busy, tmp_path / "logs", "erase", "local", "--yes")
    assert refused.wait() == 1
    done = command(busy, tmp_path / "logs", "erase", busy.portal.member_id, "--yes")
    assert done.wait() == 0, done.output()
    assert busy.one("SELECT count(*) FROM portal WHERE id = ?", busy.portal_id) == 0
    assert busy.one("SELECT basis FROM bitrix24_erasure WHERE done_at IS NOT NULL") == "operator"
    listed = command(busy, tmp_path / "logs", "list")
    assert busy.portal.member_id not in listed.output()
