"""What all channels do alike: checking, cutting, resuming, and hiding secrets."""

import json

import pytest
from pydantic import SecretStr

from connectors.channel import (
    Capabilities,
    Channel,
    ChannelConfig,
    Identity,
    OutgoingMessage,
    secret_fields,
)
from connectors.egress import Egress
from connectors.errors import RateLimited, Rejected, Temporary, Unsupported
from connectors.http import Http
from connectors.registry import RegistryError, channel, channels, discover, with_title


class Slow(Channel):
    kind, title = "slow", "Slow mail"
    carries = Capabilities(text_chars=10, buttons=1)

    class Config(ChannelConfig):
        password: SecretStr
        other: SecretStr | None = None

    posted: list
    fails_at = -1

    def check(self):
        return Identity(True, "me")

    def post(self, part):
        if len(self.posted) == self.fails_at:
            raise Temporary("hunter2 is wrong", body=json.dumps({"echo": "hunter2"}))
        self.posted.append(part)
        return f"id{part.key}"


@pytest.fixture
def slow():
    config = Slow.Config(api_url="https://slow.example.org/", password="hunter2")
    made = Slow(config, Http(Egress()))
    made.posted = []
    yield made
    made.http.close()


reply = {"id": "a", "label": "Да", "kind": "reply"}


def test_long_text_goes_in_parts_with_the_buttons_on_the_last(slow):
    done = slow.send(OutgoingMessage("m", " 7 ", "one two three four", buttons=(reply,)))
    assert done.provider_ids == ("idm:0", "idm:1")
    assert [(part.text, len(part.buttons), part.chat_id) for part in slow.posted] == [
        ("one two", 0, "7"),
        ("three four", 1, "7"),
    ]


def test_a_failed_part_tells_what_went_out_and_the_rest_is_sent_later(slow):
    message = OutgoingMessage("m", "7", "one two three four five six")
    slow.fails_at = 1
    with pytest.raises(Temporary) as caught:
        slow.send(message)
    assert caught.value.sent == ("idm:0",)
    slow.fails_at = -1
    assert slow.send(message, caught.value.sent).provider_ids == ("idm:0", "idm:1", "idm:2")
    assert [part.key for part in slow.posted] == ["m:0", "m:1", "m:2"]


def test_a_failed_part_shows_no_secret(slow):
    slow.fails_at = 0
    with pytest.raises(Temporary) as caught:
        slow.send(OutgoingMessage("m", "7", "hi"))
    assert "hunter2" not in f"{caught.value} {caught.value!r} {vars(caught.value)} {caught.value.args}"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (OutgoingMessage("m", "7", " \n"), "empty"),
        (OutgoingMessage("m", " ", "x"), "recipient"),
        (OutgoingMessage("m", "7", "x", file_url="https://e.org/a.png"), "file"),
        (OutgoingMessage("m", "7", "x", buttons=(reply, reply)), "buttons"),
        (OutgoingMessage("m", "7", "x", buttons=({"id": "a", "label": "", "kind": "reply"},)), "buttons"),
        (OutgoingMessage("m", "7", "x", buttons=({"id": "a", "label": "x", "kind": "url"},)), "buttons"),
    ],
)
def test_what_the_channel_cannot_carry_is_refused_before_any_call(message, code, slow):
    with pytest.raises(Unsupported) as caught:
        slow.send(message)
    assert caught.value.code == code
    assert slow.posted == []


def test_secret_fields_are_named():
    assert secret_fields(Slow.Config) == {"password", "other", "proxy_url"}


def test_a_config_takes_no_unknown_field_and_no_odd_address():
    for wrong in (
        {"api_url": "https://e.org", "colour": "red"},
        {"api_url": "file:///x"},
        {"api_url": "https://e.org?a"},
    ):
        with pytest.raises(ValueError):
            Slow.Config(password="x", **wrong)


def test_a_hold_is_between_a_second_and_an_hour():
    assert RateLimited("x", retry_after_s=0).retry_after_s == 1
    assert RateLimited("x", retry_after_s=1e9).retry_after_s == 3600
    assert len(Rejected("x", body="y" * 9000).body) == 500


def test_the_registry_finds_channels_by_file():
    assert channel("telegram") is channels()["telegram"]
    with pytest.raises(KeyError):
        channel("pigeon")


def test_a_lines_name_has_its_messenger_in_one_pair_of_brackets_unless_it_says_so_itself():
    assert with_title("Phones", "whatsapp") == "Phones (WhatsApp)"
    assert with_title("Our WhatsApp", "whatsapp") == "Our WhatsApp"
    assert with_title("Phones", "smsc") == "Phones (SMS, SMSC)"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("nothing", ""),
        ("misnamed", "class A(Telegram):\n    kind = 'other'"),
        ("twice", "class A(Telegram):\n    kind = 'twice'\nclass B(Telegram):\n    kind = 'twice'"),
    ],
)
def test_a_module_without_exactly_its_own_channel_stops_the_start(name, source, tmp_path, monkeypatch):
    package = f"shelf_{name}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("")
    text = f"from connectors.channels.telegram import Telegram\n{source}\n"
    (tmp_path / package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RegistryError):
        discover(__import__(package))
