"""The links' own bounds: rates, proxies, and what a refusal may say."""

from typing import Any

import pytest

from hub.app import create_app

SCENARIO: dict[str, Any] = {
    "format": 1,
    "name": "Anything",
    "blocks": [{"id": "start", "type": "incoming_webhook", "config": {}}],
    "links": [],
}


def link_of(api: Any) -> str:
    made = api.post("/scenarios", SCENARIO)
    assert made.status_code == 201, made.json
    return str(made.json["links"]["token_only"]).removeprefix("https://hub.test")


@pytest.fixture
def other_app(settings: Any) -> Any:
    made: list[Any] = []

    def build(**changes: Any) -> Any:
        app = create_app(settings.model_copy(update=changes))
        made.append(app)
        return app.test_client()

    yield build
    for app in made:
        app.extensions["hub"].close()


def test_a_known_link_is_never_refused_for_its_rate_unless_one_is_set(api: Any, client: Any) -> None:
    link = link_of(api)
    assert {client.get(link).status_code for _ in range(80)} == {200}


def test_a_set_rate_refuses_the_excess_with_retry_after_and_keeps_nothing(api: Any, other_app: Any) -> None:
    link = link_of(api)
    client = other_app(rate_link_s=2)
    answers = [client.get(link) for _ in range(5)]
    assert [answer.status_code for answer in answers].count(429) >= 1
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["Retry-After"] == "1"
    assert refused.json["code"] == "rate_limited"
    accepted = [answer for answer in answers if answer.status_code == 200]
    assert len(api.get("/requests").json["items"]) == len(accepted)


def test_a_repeat_of_an_event_whose_run_is_no_longer_kept_is_still_a_repeat(api: Any, client: Any, hub: Any) -> None:
    document = {**SCENARIO, "blocks": [{"id": "start", "type": "incoming_webhook", "config": {"event_key": "id"}}]}
    links = api.post("/scenarios", document).json["links"]
    first = client.post(links["token_only"].removeprefix("https://hub.test"), json={"id": 5}).json
    hub.db.writer.run(lambda sql: sql.run("DELETE FROM run"))
    for link in (links["token_only"], links["result"]):
        again = client.post(link.removeprefix("https://hub.test"), json={"id": 5})
        assert (again.status_code, again.json["status"], again.json["run"]) == (200, "duplicate", first["run"])


def test_an_error_of_ours_after_a_request_was_stored_does_not_make_its_sender_repeat_it(
    api: Any, app: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = {"id": "wait", "type": "pause", "config": {"for_s": 1}}
    links = [{"from": "start", "port": "next", "to": "wait"}]
    made = api.post("/scenarios", {**SCENARIO, "blocks": [*SCENARIO["blocks"], pause], "links": links}).json
    monkeypatch.setattr(app.extensions["hub.runtime"].runner, "execute", lambda *_, **__: 1 / 0)
    got = client.post(made["links"]["result"].removeprefix("https://hub.test"), json={})
    assert (got.status_code, got.json["status"]) == (202, "running")
    assert got.json["run"] in got.json["result_url"]


def test_unknown_tokens_say_nothing_and_are_slowed_down_after_sixty(client: Any) -> None:
    answers = [client.get("/get/?token=nothing") for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {404}
    assert answers[0].json["code"] == "not_found"
    assert "request" not in answers[0].json
    assert answers[60].status_code == 429


def test_forwarded_addresses_count_only_from_named_proxies(api: Any, client: Any, other_app: Any) -> None:
    link = link_of(api)
    headers = {"X-Forwarded-For": "203.0.113.9"}
    client.get(link, headers=headers)
    assert api.get("/requests").json["items"][0]["source"] == "127.0.0.1"
    behind = other_app(trusted_proxies=("127.0.0.0/8",))
    behind.get(link, headers=headers)
    assert api.get("/requests").json["items"][0]["source"] == "203.0.113.9"


def test_the_head_and_options_methods_never_start_a_run(api: Any, client: Any) -> None:
    link = link_of(api)
    client.head(link)
    client.options(link)
    assert api.get("/requests").json["items"] == []


def test_other_methods_start_nothing_and_are_told_which_ones_are_taken(api: Any, client: Any) -> None:
    link = link_of(api)
    refused = client.delete(link)
    assert (refused.status_code, refused.json["code"]) == (405, "method_not_allowed")
    silent = client.options(link)
    assert (silent.status_code, silent.data) == (200, b"")
    for answer in (refused, silent, client.head(link)):
        assert {"GET", "POST", "PUT", "PATCH"} <= set(answer.headers["Allow"].split(", "))
    assert api.get("/requests").json["items"] == []


def test_answers_and_refusals_of_links_are_kept_by_nobody_and_guarded_like_pages(api: Any, client: Any) -> None:
    link = link_of(api)
    for answer in (client.get(link), client.get("/get/?token=nothing")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("path", ["/api/request", "/api/request/", "/get", "/get/", "/api/request/get_result"])
def test_a_links_address_may_end_with_a_slash_or_without(api: Any, client: Any, path: str) -> None:
    token = link_of(api).partition("?")[2]
    assert client.get(f"{path}?{token}").status_code == 200


def test_a_links_token_does_not_lie_open_beside_the_requests_it_brought(api: Any, client: Any, hub: Any) -> None:
    link = link_of(api)
    token = link.partition("token=")[2].partition("&")[0]
    client.get(f"{link}&a=1")
    client.get(link.replace("?token=", "?%74oken=") + "&a=1")
    with hub.db.sql() as sql:
        queries = [query for (query,) in sql.all("SELECT query FROM request")]
    assert len(queries) == 2
    assert not any(token in query for query in queries)
    shown = api.get("/requests/" + api.get("/requests").json["items"][0]["id"]).json
    assert shown["query"] == {"token": "•••", "a": "1"}
