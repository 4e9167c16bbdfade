"""Vectors 16, 26 and 27: a phone number however it is written, the order of a chat under retries, and a messenger that
hangs up after it accepted."""

from urllib.parse import urlencode

import pytest

from tests.journeys.installation import Installation, new_chat, send
from tests.processes import wait_until


def test_v26_a_chat_keeps_its_order_through_retries_and_delays_no_other(installation: Installation) -> None:
    held, free = new_chat(), new_chat()
    scenario = installation.scenario(send("{{id}}", "{{chat_id}}"))
    installation.fault("status", held, status=503, times=2)
    for chat, text in ((held, "one"), (held, "two"), (free, "other")):
        assert installation.post(scenario.short, {"chat_id": chat, "id": text}).status_code == 200
    assert installation.received(free, 1) == ["other"]
    assert installation.received(held, 2) == ["one", "two"]
    assert [entry.text for entry in installation.asked(held)] == ["one", "one", "one", "two"]
    assert installation.asked(free)[0].at < installation.asked(held)[2].at
    first, second = installation.messages_to(held)
    outcomes = [attempt["outcome"] for attempt in installation.message(first["id"], "sent")["attempts"]]
    assert outcomes == ["temporary", "temporary", "sent"]
    assert len(installation.message(second["id"], "sent")["attempts"]) == 1


def test_v26_messages_of_one_run_arrive_in_its_order(installation: Installation) -> None:
    chat = new_chat()
    texts = [f"{number}" for number in range(8)]
    scenario = installation.scenario(*(send(text, chat, f"b{text}") for text in texts))
    installation.fault("status", chat, status=503)
    installation.run(installation.post(scenario.short))
    assert installation.received(chat, len(texts)) == texts


def test_v27_a_message_of_which_nobody_knows_is_not_sent_again(installation: Installation) -> None:
    chat = new_chat()
    scenario = installation.scenario(send("{{id}}", chat))
    installation.fault("hangup_after", chat)
    for text in ("one", "two"):
        installation.run(installation.post(scenario.short, {"id": text}))
    # The second one shows that the chat went on: had the first been tried again, it would have come before.
    assert installation.received(chat, 2) == ["one", "two"]
    unknown, known = installation.messages_to(chat)
    assert installation.message(known["id"], "sent")
    told = installation.message(unknown["id"], "unconfirmed")
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["unconfirmed"]
    assert len(installation.asked(chat)) == 2
    settled = installation.api("POST", f"/messages/{unknown['id']}/settle", {"as": "sent"})
    assert (settled.status_code, settled.json()["state"]) == (200, "sent")


@pytest.mark.parametrize("by", ["body", "query"])
def test_v16_however_a_phone_number_is_written_whatsapp_gets_the_same_one(installation: Installation, by: str) -> None:
    name = f"WhatsApp {new_chat()}"
    config = {"token": "EAAA", "phone_number_id": "1", "api_url": f"{installation.sandbox.url}/whatsapp"}
    made = installation.api("POST", "/lines", {"name": name, "channel": "whatsapp", "config": config})
    assert made.status_code == 201, made.text
    scenario = installation.scenario(send("{{id}}", "{{chat_id}}", line=name, messenger="whatsapp"))
    number, mark = "79999999999", new_chat()
    for place, written in enumerate(("89999999999", "+7 (999) 999-99-99", "9999999999")):
        fields = {"chat_id": written, "id": f"{mark} {place}"}
        if by == "body":
            accepted = installation.post(scenario.short, fields)
        else:
            accepted = installation.get(f"{scenario.short}&{urlencode(fields)}")
        run = installation.run(accepted)
        assert (run["status"], run["warnings"]) == ("completed", [])
    wanted = [f"{mark} {place}" for place in range(3)]
    wait_until(
        lambda: [text for text in installation.received(number) if mark in text] == wanted, what="three messages"
    )
    asked = [entry for entry in installation.asked(number) if mark in entry.text]
    assert {(entry.service, entry.method) for entry in asked} == {("whatsapp", "messages.text")}
    shown = [one for one in installation.messages_to(number) if mark in one["text"]]
    assert [one["chat_id_raw"] for one in shown] == ["89999999999", "+7 (999) 999-99-99", "9999999999"]
    assert {installation.message(one["id"], "sent")["chat_id"] for one in shown} == {number}
