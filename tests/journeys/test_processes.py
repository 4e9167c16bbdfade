"""`hub serve` as it really runs: ready by itself, whole again after a crash, gone without a trace when stopped."""

import os
import signal
from pathlib import Path

import pytest
import requests

from hub.settings import Settings
from tests.processes import Product, alive, children, wait_until


def test_it_gets_ready_and_leaves_nothing_behind(settings: Settings, tmp_path: Path) -> None:
    with Product(settings, tmp_path) as product:
        serving = product.serve().wait_ready()
        started = children(serving.pid)
        started += [grandchild for child in started for grandchild in children(child)]
        assert len(started) >= 3  # gunicorn, its worker, ours
        serving.send(signal.SIGTERM)
        assert serving.wait(15) == 0
        assert not [pid for pid in started if alive(pid)]
        assert '"level": "error"' not in serving.output()


def test_whatever_is_killed_comes_back(settings: Settings, tmp_path: Path) -> None:
    with Product(settings, tmp_path) as product:
        serving = product.serve().wait_ready()
        for killed in children(serving.pid):
            os.kill(killed, signal.SIGKILL)
        wait_until(lambda: serving.output().count('"process_started"') == 4, what="two restarts")
        serving.wait_ready()


@pytest.mark.databases("sqlite")
def test_a_busy_port_ends_the_start_with_one_line(settings: Settings, tmp_path: Path) -> None:
    with Product(settings, tmp_path) as product:
        first = product.serve().wait_ready()
        second = product.serve(PORT=str(first.port))
        assert second.wait(15) == 1
        assert second.output().startswith(f"PORT: cannot listen on 127.0.0.1:{first.port}")
        assert second.output().count("\n") == 1


@pytest.mark.databases("sqlite")
def test_a_long_request_line_is_refused_and_a_token_in_it_is_not_logged(settings: Settings, tmp_path: Path) -> None:
    with Product(settings, tmp_path) as product:
        serving = product.serve().wait_ready()
        secret = "6f1c1b62-3b0f-4f5e-9d7c-1f2e3d4c5b6a"
        answer = requests.get(f"{serving.url}/get/?token={secret}&x={'a' * 9000}", timeout=5)
        assert answer.status_code in (400, 414)
        assert requests.get(f"{serving.url}/get/?token={secret}", timeout=5).status_code == 404
        serving.send(signal.SIGTERM)
        serving.wait(15)
        assert secret not in serving.output()


@pytest.mark.databases("sqlite")
def test_the_procfile_processes_run_side_by_side(settings: Settings, tmp_path: Path) -> None:
    with Product(settings, tmp_path) as product:
        assert product.hub("migrate").wait() == 0
        web, worker = product.web(), product.worker()
        web.wait_ready()
        for running in (web, worker):
            running.send(signal.SIGTERM)
            assert running.wait(15) == 0
