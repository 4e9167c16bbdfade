"""Who may import whom: the contracts in pyproject.toml hold, and they notice a break."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _lint(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_imports_follow_the_layers() -> None:
    result = _lint()
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


def test_every_module_of_hub_stands_in_a_layer() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    modules = {path.stem for path in (ROOT / "hub").glob("*.py") if path.stem != "__init__"}
    modules |= {path.parent.name for path in (ROOT / "hub").glob("*/__init__.py")}
    layers = project.split("layers = [", 1)[1].split("]", 1)[0]
    named = {name for line in layers.splitlines() for name in line.strip(' ",').split(" : ") if name}
    assert modules == named


def test_starting_the_worker_patches_before_anything_of_ours_is_loaded() -> None:
    code = (
        "import sys; sys.argv = ['hub', 'worker', '--help']\n"
        "import hub.cli\n"
        "assert not {'ssl', 'sqlalchemy', 'requests', 'flask'} & set(sys.modules), 'too early'\n"
        "try: hub.cli.main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "from gevent import monkey; assert monkey.is_module_patched('threading')\n"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
