"""A web process that was told to stop tells everybody who waits inside it."""

import subprocess
import sys
import threading
import time
from pathlib import Path

from hub.web.stopping import Stopping

ROOT = Path(__file__).resolve().parents[2]


def test_whoever_waits_wakes_when_the_process_is_to_stop() -> None:
    stopping = Stopping()
    assert stopping.wait(0.01) is False
    timer = threading.Timer(0.05, stopping.set)
    timer.start()
    started = time.monotonic()
    assert stopping.wait(10) is True
    assert time.monotonic() - started < 5
    assert stopping.is_set()
    timer.join()


def test_under_gevent_a_signal_to_the_worker_wakes_the_greenlets_that_wait() -> None:
    code = """
from hub.web.stopping import stopping
from gevent import monkey; monkey.patch_all()
import gevent, os, signal
from hub.web.gunicorn_worker import Worker
worker = Worker.__new__(Worker)
worker.alive = True
signal.signal(signal.SIGTERM, worker.handle_exit)
waiting = [gevent.spawn(stopping.wait, 20) for _ in range(50)]
gevent.sleep(0.05)
os.kill(os.getpid(), signal.SIGTERM)
gevent.joinall(waiting, timeout=5)
assert [greenlet.value for greenlet in waiting] == [True] * 50
assert worker.alive is False
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr
