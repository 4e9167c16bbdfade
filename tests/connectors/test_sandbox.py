"""The sandbox itself: its record, its faults, its strictness and its page."""

import subprocess
import sys

import pytest
import requests

from hub.sandbox.faults import Board, Rates

bot = "/telegram/bot123456:AAtest"


@pytest.fixture
def ask(sandbox):
    sandbox.board.reset()
    with requests.Session() as session:
        session.trust_env = False

        def call(path, json=None, method="POST", **more):
            return session.request(method, sandbox.url + path, json=json, timeout=5, **more)

        yield call


def send(ask, **body):
    answer = ask(f"{bot}/sendMessage", {"chat_id": 5, "text": "x", **body})
    return answer.status_code, answer.json().get("description", "")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"chat_id": ""}, "chat_id is empty"),
        ({"chat_id": "x y"}, "chat not found"),
        ({"parse_mode": "rtf"}, "unsupported parse_mode"),
        ({"reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "я" * 33}]]}}, "BUTTON_DATA_INVALID"),
        ({"reply_markup": {"inline_keyboard": [[{"text": "a", "url": "x"}]]}}, "BUTTON_URL_INVALID"),
        ({"reply_markup": {"inline_keyboard": [[{"text": "", "callback_data": "a"}]]}}, "can't parse inline keyboard"),
        ({"reply_markup": {"inline_keyboard": "a"}}, "object expected as reply markup"),
        (
            {"reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "b"}] * 101]}},
            "reply markup is too long",
        ),
    ],
)
def test_a_wrong_message_is_refused_in_telegrams_words(body, words, ask):
    status, said = send(ask, **body)
    assert status == 400
    assert said.startswith("Bad Request: ")
    assert words in said


def test_the_limit_itself_is_accepted(ask):
    assert send(ask, text="😀" * 2048)[0] == 200


def test_unknown_methods_tokens_and_bodies_are_refused(ask):
    assert ask(f"{bot}/sendPigeon", {}).status_code == 404
    assert ask("/telegram/botx/sendMessage", {}).status_code == 404
    assert ask("/telegram/bot1:revoked/sendMessage", {}).status_code == 401
    assert ask(f"{bot}/sendMessage", data="{", headers={"Content-Type": "application/json"}).status_code == 400


def test_a_fault_is_played_as_often_as_asked_for_its_chat_only(ask):
    assert ask("/_control/fault", {"kind": "status", "status": 503, "times": 2, "chat": 5}).json() == {"ok": True}
    assert send(ask, chat_id=6)[0] == 200
    assert [send(ask)[0] for _ in range(3)] == [503, 503, 200]
    ask("/_control/fault", {"kind": "429", "seconds": 7})
    answer = ask(f"{bot}/sendMessage", {"chat_id": 5, "text": "x"})
    assert (answer.status_code, answer.json()["parameters"]) == (429, {"retry_after": 7})
    assert ask("/_control/fault", {"kind": "meteor"}).status_code == 400
    assert ask("/_control/fault", {"colour": "red"}).status_code == 400


def test_a_hang_up_comes_after_the_message_is_recorded(ask):
    ask("/_control/fault", {"kind": "hangup_after"})
    with pytest.raises(requests.ConnectionError):
        send(ask)
    (entry,) = ask("/_control/sent", method="GET").json()["sent"]
    assert (entry["accepted"], entry["outcome"], entry["provider_id"]) == (True, "accepted, hung up", "5:1")


def test_the_record_can_be_read_on_and_cleared(ask):
    send(ask)
    send(ask, text="second")
    first, second = ask("/_control/sent", method="GET").json()["sent"]
    (after,) = ask(f"/_control/sent?after={first['number']}", method="GET").json()["sent"]
    assert after == second
    ask("/_control/reset")
    assert ask("/_control/sent", method="GET").json() == {"sent": []}


def test_a_hang_up_resets_the_connection_and_leaves_no_traceback(ask, caplog):
    ask("/_control/fault", {"kind": "hangup_after"})
    with pytest.raises(requests.ConnectionError, match="reset"):
        send(ask)
    assert send(ask)[0] == 200
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("service", "path", "headers"),
    [
        ("telegram", "/telegram/bot1:demo/getMe", {}),
        ("whatsapp", "/graph/v25.0/1122", {"Authorization": "Bearer EAA-demo"}),
        ("max", "/max/me", {"Authorization": "f9LH-demo"}),
    ],
)
def test_an_account_that_is_logged_out_is_refused_until_it_is_back(ask, service, path, headers):
    def answered():
        return ask(path, method="GET", headers=headers).status_code

    assert answered() == 200
    ask("/_control/log", {"service": service, "out": True})
    assert answered() == 401
    assert ask("/_control/faults", method="GET").json()["logged_out"] == [service]
    ask("/_control/log", {"service": service, "out": False})
    assert answered() == 200


@pytest.mark.parametrize(
    ("service", "path", "form", "field", "codes"),
    [
        ("smsc", "/smsc/sys/balance.php", {"apikey": "demo", "fmt": "3"}, "error_code", (None, 2)),
        ("smsru", "/smsru/my/balance", {"api_id": "demo", "json": "1"}, "status_code", (100, 200)),
    ],
)
def test_an_account_for_sms_that_is_logged_out_is_told_so_in_the_body(ask, service, path, form, field, codes):
    def answered():
        answer = ask(path, data=form)
        assert answer.status_code == 200
        return answer.json().get(field)

    before = answered()
    ask("/_control/log", {"service": service, "out": True})
    assert (before, answered()) == codes


def test_whatsapp_refuses_an_unknown_token_as_meta_does(ask):
    answer = ask("/graph/v25.0/1122", method="GET", headers={"Authorization": "Bearer whatever"})
    assert answer.status_code == 401
    told = answer.json()["error"]
    assert (told["code"], told["type"]) == (190, "OAuthException")
    assert told["message"] == "Invalid OAuth access token - Cannot parse access token"


def test_a_number_is_refused_until_all_is_calm_again_and_others_are_not(ask):
    ask("/_control/fault", {"kind": "429", "service": "telegram", "times": 0})
    ask("/_control/fault", {"kind": "refuse", "service": "telegram", "chat": "5", "times": 0})
    assert [send(ask)[0] for _ in range(3)] == [403, 403, 403]
    assert send(ask, chat_id=6)[0] == 429
    ask("/_control/calm")
    assert send(ask)[0] == 200


def test_the_phone_page_and_its_files_are_served(ask):
    page = ask("/", method="GET")
    assert "Телефон клиента" in page.content.decode()
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("phone.js", "trouble.js", "words.js", "phone.css"):
        assert ask(f"/static/{name}", method="GET").status_code == 200


def test_a_busy_port_ends_the_program_with_one_line(sandbox):
    command = [sys.executable, "-m", "hub.sandbox", "--port", str(sandbox.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert str(sandbox.port) in done.stderr


def test_faults_by_chance_keep_to_their_shares_and_to_their_seed():
    board = Board()

    def drawn(seed):
        board.play_at_random(Rates(limited=0.1, failing=0.2, lost=0.05), seed)
        return [fault and fault.kind for fault in (board.take("telegram", "5") for _ in range(2000))]

    first = drawn(1)
    assert first == drawn(1)
    assert first != drawn(2)
    for kind, share in {"429": 0.1, "status": 0.2, "hangup_after": 0.05, None: 0.65}.items():
        assert first.count(kind) / 2000 == pytest.approx(share, abs=0.03)
    board.reset()
    assert board.take("telegram", "5") is None
