"""WhatsApp templates: what goes out, and what the simulator takes only as it was approved."""

import pytest

from connectors.channel import OutgoingMessage, Template
from connectors.channels._whatsapp_body import content
from connectors.channels.whatsapp import Whatsapp
from connectors.errors import Rejected

anna = "79991234567"
reply = {"id": "1", "label": "Да", "kind": "reply"}
site = {"id": "2", "label": "Сайт", "kind": "url", "url": "orders/77"}
ready = Template("order_ready", "ru", (("name", "Anna"), ("number", "77")))
invoice = Template("invoice", "ru", (("", "77"), ("", "1 500 ₽")))


@pytest.fixture
def board(sandbox):
    sandbox.board.reset()
    return sandbox.board


@pytest.fixture
def number(sandbox, board, opened):
    def make():
        http = opened(f"127.0.0.1:{sandbox.port}")
        return Whatsapp(Whatsapp.Config(api_url=f"{sandbox.url}/graph", token="EAA", phone_number_id="1122"), http)

    return make


def say(chat=anna, text="", **more):
    return OutgoingMessage("m1", chat, text, **more)


def test_after_the_24_hours_a_template_arrives_where_a_text_does_not(number, board):
    late = "79990001047"
    with pytest.raises(Rejected) as refused:
        number().send(say(late, text="Привет"))
    assert refused.value.code == "window_closed"
    assert number().send(say(late, text="[order_ready] Anna, 77", template=ready)).provider_ids
    sent = board.entries()[-1]
    assert (sent.method, sent.text, sent.accepted) == ("messages.template", "order_ready, Anna, 77", True)


def test_a_template_has_named_places_or_places_by_order_a_header_and_buttons(number):
    messages = (
        say(template=ready),
        say(template=invoice, file_url="https://e.org/77.pdf", buttons=(reply, site)),
    )
    named, full = (content(part)["template"] for message in messages for part in number().parts(message))
    assert named == {
        "name": "order_ready",
        "language": {"code": "ru"},
        "components": [
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "parameter_name": "name", "text": "Anna"},
                    {"type": "text", "parameter_name": "number", "text": "77"},
                ],
            }
        ],
    }
    file = {"link": "https://e.org/77.pdf", "filename": "77.pdf"}
    assert full["components"] == [
        {"type": "header", "parameters": [{"type": "document", "document": file}]},
        {"type": "body", "parameters": [{"type": "text", "text": "77"}, {"type": "text", "text": "1 500 ₽"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": "b:0"}],
        },
        {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "orders/77"}]},
    ]


def test_the_simulator_takes_a_template_only_as_it_was_approved(number, board):
    whole = {"template": invoice, "file_url": "https://e.org/77.pdf", "buttons": (reply, site)}
    assert number().send(say(**whole)).provider_ids
    for wrong in (
        {"template": Template("order_read", "ru")},
        {"template": Template("order_ready", "en_US", ready.parameters)},
        {"template": Template("order_ready", "ru", ready.parameters[:1])},
        {"template": Template("order_ready", "ru", (("", "Anna"), ("", "77")))},
        {"template": Template("order_ready", "ru", (("name", "Anna"), ("sum", "77")))},
        {"template": ready, "file_url": "https://e.org/77.pdf"},
        {"template": ready, "buttons": (reply,)},
        whole | {"file_url": "https://e.org/77.png"},
        whole | {"file_url": None},
        whole | {"buttons": (site, reply)},
        whole | {"template": Template("invoice", "ru", invoice.parameters * 2)},
    ):
        with pytest.raises(Rejected) as refused:
            number().send(say(**wrong))
        assert refused.value.code == "bad_template", wrong
    with pytest.raises(Rejected) as empty:
        number().send(say(template=Template("order_ready", "ru", (("name", " "), ("number", "77")))))
    assert empty.value.code == "bad_request"
    assert sum(entry.accepted for entry in board.entries()) == 1
