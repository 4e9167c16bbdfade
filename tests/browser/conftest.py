"""What browser tests share: a running product, and pages of it with somebody signed in.

A page that writes an error to its console, breaks the content policy, or asks another host for something fails the
test that opened it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.browser.site import Site, serve_site


@pytest.fixture
def site(browser: Any, settings: Settings, sandbox: Sandbox, tmp_path: Path) -> Iterator[Site]:
    """The product on a database of its own, with an account for each role."""
    with serve_site(browser, settings, sandbox, tmp_path) as served:
        yield served
    assert served.complaints == [], served.complaints


@pytest.fixture
def page(site: Site) -> Any:
    """A page of an administrator, in Russian, at 1280 × 800."""
    return site.page(viewport={"width": 1280, "height": 800})
