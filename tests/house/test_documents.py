"""What the pages say about the product is what the product does."""

import base64
import hashlib
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from hub.notices.book import WORDS
from hub.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_setting_has_a_row_and_every_row_is_a_setting() -> None:
    rows = set(re.findall(r"^\| `(HUB_\w+)` \|", OPERATIONS, re.MULTILINE))
    assert rows == {f"HUB_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_the_default_on_the_page_is_the_real_one(name: str) -> None:
    shown = re.search(rf"^\| `HUB_{name.upper()}` \| (.*?) \|", OPERATIONS, re.MULTILINE)
    assert shown is not None
    default = Settings.model_fields[name].default
    if not (literal := re.fullmatch(r"`(.*)`", shown[1])) or name in ("database_url", "public_url"):
        return  # worded, since the value is found at the start
    texts = {
        str(default),
        ",".join(str(part) for part in default) if isinstance(default, tuple) else "",
        str(int(default)) if isinstance(default, bool | float) else "",
    }
    assert literal[1] in texts


def test_the_example_environment_names_only_real_settings() -> None:
    names = re.findall(r"^# ([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert names
    assert set(names) <= {f"HUB_{name.upper()}" for name in Settings.model_fields} | {"PORT"}


def test_every_cause_of_a_notice_has_a_row_with_what_to_do() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| [^|]+ \|$", OPERATIONS, re.MULTILINE)
    assert set(WORDS) <= set(rows)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_commands_on_the_pages_exist(page: Path) -> None:
    used = re.findall(r"(?:^|`|\$ )make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
    assert set(used) <= TARGETS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_hub_commands_on_the_pages_exist(page: Path) -> None:
    from hub.cli import hub

    for first, second in re.findall(r"(?:`|bin/)hub ([a-z-]+)(?: ([a-z-]+))?", page.read_text()):
        command = hub.commands.get(first)
        assert command is not None, f"hub {first}"
        if hasattr(command, "commands") and second:
            assert second in command.commands, f"hub {first} {second}"


def test_the_procfile_starts_what_exists() -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert lines["release"] == "hub migrate"
    assert lines["worker"] == "hub worker"
    config = re.search(r"--config (\S+)", lines["web"])
    assert config is not None
    assert (ROOT / config[1]).is_file()


def test_every_direct_dependency_has_a_row_with_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    named = {Requirement(line).name for group in groups for line in group}
    built = json.loads((ROOT / "hub/web/static/manifest.json").read_text())["packages"]
    rows = dict(re.findall(r"^\| ([@\w./-]+) \| (\S.*?) \|", (ROOT / "docs/licences.md").read_text(), re.MULTILINE))
    assert rows.keys() - {"package", "---"} == named | {package["name"] for package in built}
    assert [package["name"] for package in built if rows[package["name"]] != package["licence"]] == []


def test_what_browsers_get_is_what_the_manifest_says() -> None:
    """`make assets` writes both; a file that was changed by hand would be lost at its next run."""
    static = ROOT / "hub/web/static"
    listed = {entry["file"]: entry["sha384"] for entry in json.loads((static / "manifest.json").read_text())["files"]}
    there = {
        str(file.relative_to(static)): base64.b64encode(hashlib.sha384(file.read_bytes()).digest()).decode()
        for folder in ("built", "vendor")
        for file in (static / folder).iterdir()
    }
    assert there == listed


def test_the_pinned_requirements_cover_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pinned = (ROOT / "requirements.txt").read_text()
    for line in project["project"]["dependencies"]:
        name = re.escape(Requirement(line).name).replace(r"\.", "[.-]")
        assert re.search(rf"^{name}(\[[\w,-]+\])?==", pinned, re.MULTILINE | re.IGNORECASE), line


def test_no_file_of_the_project_speaks_of_the_place_it_was_made_in() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is not a git checkout, so there is no list of the project's files")
    signs = re.compile(r"/work" r"/|\bshared" r"/|/tmp" r"/brief")
    found = []
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            try:
                text = path.read_text()
            except UnicodeDecodeError:
                continue
            found += [f"{name}: {line.strip()[:80]}" for line in text.splitlines() if signs.search(line)]
    assert found == []
