"""A product with something in it: lines in several states, scenarios, requests, runs, messages that did not arrive."""

from tests.journeys.installation import Installation, Scenario, answer, document, new_chat, send
from tests.processes import wait_until

TEXT = "Здравствуйте, {{name_client | default: 'друг'}}! Заказ № {{id}} готов."
ENDINGS = ("0403", "0404", "0408")
"""What the simulated messenger does with a chat: blocked, unknown, taken without an answer."""


def fill(at: Installation, requests: int = 8) -> Scenario:
    """Put in a line that works and one that is refused, four scenarios, and `requests` orders with some trouble among
    them; waits until what can end has ended. Returns the scenario whose link took them."""
    at.add_line(rate_per_s=0, rate_per_chat_per_s=0)
    config = {"token": "2:revoked", "api_url": f"{at.sandbox.url}/telegram"}
    made = at.api("POST", "/lines", {"name": "Склад", "channel": "telegram", "config": config})
    assert made.status_code == 201, made.text
    ready = at.scenario(
        send(TEXT, "{{chat_id}}"),
        answer(message_id="{{blocks.greet.message_id}}", status="{{blocks.greet.status}}"),
        name="Заказ готов",
        event_key="tranid",
    )
    stock = at.scenario(send("Заказ {{id}} можно собирать", new_chat(), line="Склад"), name="На склад")
    switched_off = at.scenario(send("Спасибо за отзыв", new_chat()), name="Спасибо за отзыв")
    assert at.api("PATCH", f"/scenarios/{switched_off.id}", {"enabled": False}).status_code == 200
    broken = document(send("Ваша заявка принята", "{{chat}}", line="Нет такой"), name="Заявка с сайта")
    assert at.api("POST", "/scenarios", broken).status_code == 201

    last = ""
    for number in range(requests):
        order = {"chat_id": new_chat(), "id": 1042 + number, "name_client": "Анна", "tranid": f"order-{number}"}
        accepted = at.post(ready.short, order | {"products": [{"name": "Стул", "price": "4500.00"}]})
        assert accepted.status_code == 200, accepted.text
        last = accepted.json()["run"]
    for ending in ENDINGS:
        at.post(ready.short, {"chat_id": new_chat()[:-4] + ending, "id": 2000, "tranid": f"trouble-{ending}"})
    at.post(ready.short, {"chat_id": new_chat(), "id": 1042, "tranid": "order-0"})
    at.post(ready.short, {"id": 1060, "tranid": "without a chat"})
    at.post(ready.short, '{"chat_id": ')
    at.post(switched_off.short, {"chat_id": new_chat()})
    at.post(stock.short, {"id": 1042})

    def quiet() -> bool:
        waiting = at.read("/messages?state=queued")["items"] + at.read("/messages?state=sending")["items"]
        return all(one["line"] != at.line for one in waiting) and at.read(f"/runs/{last}")["status"] == "completed"

    wait_until(quiet, within_s=60, what="the end of what can end")
    refused = next(line["id"] for line in at.read("/lines")["items"] if line["name"] == "Склад")
    wait_until(lambda: at.read(f"/lines/{refused}")["state"] == "auth_failed", within_s=30, what="the refused line")
    return ready
