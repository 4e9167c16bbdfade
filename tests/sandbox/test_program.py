"""The simulated services as a program of their own, and under many callers at once."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.processes import ROOT
from tests.sandbox.conftest import Portal


def test_the_program_says_where_everything_is(tmp_path: object) -> None:
    command = [sys.executable, "-m", "hub.sandbox", "--port", "0", "--app-url", "http://127.0.0.1:9"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = "".join(process.stdout.readline() for _ in range(3))
        found = re.fullmatch(r"Sandbox: (\S+)\nPortal: (\S+)\nOAuth server: (\S+)\n", said)
        assert found is not None, said
        messengers, portal, oauth = found.groups()
        assert requests.get(f"{messengers}/_control/sent", timeout=10).json() == {"sent": []}
        state = requests.get(f"{portal}/_control/state", timeout=10).json()
        assert (state["oauth_url"], state["apps"][0]["app_url"]) == (oauth, "http://127.0.0.1:9/bitrix24/app")
        assert requests.get(f"{oauth}/oauth/token/", timeout=10).json()["error"] == "invalid_request"
        assert "Учебный портал" in requests.get(f"{portal}/", timeout=10).text
        for name in ("desk.css", "desk.js", "parts.js", "frame.js"):
            assert requests.get(f"{portal}/static/{name}", timeout=10).status_code == 200
        assert "BX24" in requests.get(f"{portal}/api/v1/", timeout=10).text
        fault = {"kind": "status", "service": "telegram"}
        assert requests.post(f"{portal}/_control/fault", json=fault, timeout=10).json() == {"ok": True}
        send = f"{messengers}/telegram/bot1:a/sendMessage"
        assert requests.post(send, json={"chat_id": 1, "text": "x"}, timeout=10).status_code == 503, "one board for all"
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def test_of_many_refreshes_with_one_token_one_succeeds(installed: Portal) -> None:
    app = installed.bitrix.app
    query = {
        "grant_type": "refresh_token",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": installed.refresh,
    }

    def refresh(_: int) -> int:
        return requests.get(f"{installed.oauth}/oauth/token/", params=query, timeout=30).status_code

    with ThreadPoolExecutor(16) as pool:
        seen = sorted(pool.map(refresh, range(32)))
    assert seen == [200] + [400] * 31
    assert installed.read("state")["refreshes"] == 1


def test_many_changes_at_once_lose_no_card_and_no_event(installed: Portal) -> None:
    installed.result("event.bind", event="ONCRMDEALADD", handler=f"{installed.application.url}/event")
    body = {"auth": installed.token, "fields": {"TITLE": "x"}}

    def add(_: int) -> int:
        return int(requests.post(f"{installed.url}/rest/crm.deal.add", json=body, timeout=30).json()["result"])

    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(add, range(100)))
    assert sorted(numbers) == list(range(2, 102))
    forms = installed.application.got("event", 100)
    assert sorted(int(form["data"]["FIELDS"]["ID"]) for form in forms) == sorted(numbers)
