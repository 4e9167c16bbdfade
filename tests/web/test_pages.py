"""Pages for people."""

from typing import Any


def test_the_first_page_says_in_both_languages_that_the_service_runs_and_loads_nothing_foreign(client: Any) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "Сервис работает" in page.text
    assert "The service is running" in page.text
    assert "http" not in page.text.replace("https://hub.test", "")
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]
    with client.get("/static/home.css") as style:
        assert style.status_code == 200
    assert client.get("/api/v1/openapi.json").status_code == 200
