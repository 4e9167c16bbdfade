"""Constants and global variables that several people and programs set at once."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Api

AT_ONCE = 8


def at_once(app: Flask, api: Api, method: str, path: str, **options: Any) -> Counter[int]:
    """How the same call is answered to many who make it in the same moment."""
    ready = threading.Barrier(AT_ONCE)

    def call(number: int) -> int:
        own = Api(app.test_client(), api.key)
        ready.wait()
        body = {"value": str(number)} if method == "PUT" else None
        return own.call(method, path, body, **options).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(call, range(AT_ONCE)))


@pytest.mark.parametrize("kind", ["constants", "variables"])
def test_many_who_set_a_new_one_or_take_it_away_at_once_get_in_nobodys_way(app: Flask, api: Api, kind: str) -> None:
    for number in range(10):
        path = f"/{kind}/x{number}"
        assert at_once(app, api, "PUT", path) == {200: AT_ONCE}
        assert api.get(path).json["value"] in map(str, range(AT_ONCE))
        assert at_once(app, api, "DELETE", path) == {204: 1, 404: AT_ONCE - 1}
