"""What every channel must be, whoever wrote it; new channels are found and checked without a change here."""

import inspect
import json

import pytest

from connectors.channel import Channel, ChannelConfig, OutgoingMessage, Template, secret_fields
from connectors.egress import Egress
from connectors.errors import Unsupported
from connectors.http import Http
from connectors.registry import channels
from hub.sandbox.faults import Board
from hub.sandbox.messengers import blueprints

every = pytest.mark.parametrize("kind", sorted(channels()))


def line(kind: str) -> Channel:
    """A line of a channel with made-up settings: every required field gets a word."""
    made = channels()[kind]
    words = {name: "1:word" for name, info in made.Config.model_fields.items() if info.is_required()}
    words |= {"api_url": "https://api.example.org"}
    return made(made.Config(**words), Http(Egress(resolve=lambda host, port: pytest.fail("a call was made"))))


@every
def test_a_channel_declares_itself(kind):
    made = channels()[kind]
    assert made.kind == kind
    assert made.title
    assert made.carries.text_chars > 0
    assert made.carries.recipients in ("phone", "chat_id")
    assert inspect.getdoc(made)
    assert (inspect.getdoc(inspect.getmodule(made)) or "").count("Source:") == 1


@every
def test_its_settings_are_titled_closed_and_hide_their_secrets(kind):
    config = channels()[kind].Config
    assert issubclass(config, ChannelConfig)
    assert config.model_config["extra"] == "forbid"
    assert all(info.title for info in config.model_fields.values())
    assert "proxy_url" in secret_fields(config)
    assert secret_fields(config) - {"proxy_url"}
    assert config.model_json_schema()["properties"]
    made = line(kind)
    assert all(secret not in repr(made.config) for secret in made.secrets())


@every
def test_a_message_it_cannot_carry_costs_no_call(kind):
    made = line(kind)
    many = tuple({"id": str(n), "label": "x", "kind": "reply"} for n in range(made.carries.buttons + 1))
    for wrong in (
        OutgoingMessage("m", "1", ""),
        OutgoingMessage("m", "", "x"),
        OutgoingMessage("m", "1", "x", buttons=many),
    ):
        with pytest.raises(Unsupported):
            made.send(wrong)


@every
def test_a_template_is_one_part_or_costs_no_call(kind):
    made = line(kind)
    message = OutgoingMessage("m", "79991234567", "as the journal shows it", template=Template("order", "ru"))
    if made.carries.templates:
        (part,) = made.parts(message)
        assert (part.text, part.template) == ("", message.template)
    else:
        with pytest.raises(Unsupported) as refused:
            made.send(message)
        assert refused.value.code == "template"


@every
def test_its_parts_fit_and_have_stable_keys(kind):
    made = line(kind)
    message = OutgoingMessage("m", "79991234567", "слово " * made.carries.text_chars)
    parts = made.parts(message)
    assert len(parts) > 1
    assert parts == made.parts(message)
    assert len({part.key for part in parts}) == len(parts)
    assert all(len(part.text) <= made.carries.text_chars for part in parts)


@every
def test_a_simulator_exists(kind):
    assert kind in blueprints(Board())


@every
def test_it_keeps_the_shape_of_the_base_class(kind):
    made = channels()[kind]
    for name in ("send", "parts", "secrets", "proxy"):
        assert getattr(made, name) is getattr(Channel, name)
    for name in ("check", "post", "read", "address"):
        theirs = list(inspect.signature(getattr(made, name)).parameters)
        assert theirs == list(inspect.signature(getattr(Channel, name)).parameters)


@every
def test_its_form_can_be_drawn_from_json(kind):
    assert json.dumps(channels()[kind].Config.model_json_schema())
