"""The commands of the quick start, run one after another against a real product and the simulated messengers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.processes import ROOT, Product, environment, wait_until

PAGE = ROOT / "docs" / "quickstart.md"


@pytest.mark.databases("sqlite")
def test_the_commands_of_the_quick_start_work_as_they_stand(
    settings: Settings, sandbox: Sandbox, tmp_path: Path
) -> None:
    commands = re.findall(r"^```bash\n(.+?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(commands) >= 7
    settings = settings.model_copy(update={"public_url": ""})
    with Product(settings, tmp_path) as product:
        serving = product.serve().wait_ready(within_s=90)
        done = subprocess.run(
            ["bash", "-c", "".join(commands)],
            cwd=tmp_path,
            env=environment(settings, serving.port)
            | {
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "HUBLINE_URL": serving.url,
                "MESSENGERS_URL": sandbox.url,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

        def texts() -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            for entry in sandbox.board.entries():
                if entry.accepted:
                    found.setdefault(entry.chat, []).append(entry.text.strip())
            return found

        wait_until(lambda: len(texts()) == 3, what="three messages")
        assert texts() == {
            "79991234567": ["Здравствуйте, друг! Заказ 1045 готов."],
            "79997654321": ["Здравствуйте, Анна! Заказ 1046 готов. Оплачено картой."],
            "79995550011": ["Здравствуйте, друг! Заказ 1047 готов."],
        }
    said = done.stdout
    assert "“Продажи” works as @sandbox_bot." in said
    assert "“Заказ готов” can be published." in said
    assert said.count('"status":"accepted"') == 2
    assert said.count('"status":"duplicate"') == 1
    assert '"status":"sent"' in said
    assert re.search(r'"status":"done","run":"\w+","data":\{"order":1048\}', said)
