"""The page of health: one verdict for each check, with its evidence and what mends it."""

import html
import re
from typing import Any

import pytest

from hub.accounts import users
from hub.clock import now_us
from hub.core import Hub
from hub.delivery import lines
from hub.portals.models import Portal
from hub.upkeep import health, watch
from hub.upkeep.address import Reached
from tests.web.test_pages_settings import PASSWORD, sign_in, signed_in

LOCAL = Reached(True, True, "http://127.0.0.1:8000 means this machine: messengers and Bitrix24 cannot call it.")


@pytest.fixture
def page(app: Any, hub: Hub, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> str:
    """What an administrator sees while the public address means this machine."""
    monkeypatch.setattr(health, "reach", lambda _url: LOCAL)
    return str(signed_in(app, hub, portal, "admin@shop.test", "admin").get("/health?lang=ru").text)


def row(page: str, name: str) -> str:
    found = re.search(rf'<li class="check" id="{name}">(.*?)</li>', page, re.DOTALL)
    assert found is not None
    return found[1]


def test_what_is_to_be_looked_at_is_not_called_fine_as_well_and_says_what_mends_it(page: str) -> None:
    address = row(page, "public_address")
    assert "обратите внимание" in address
    assert "Проверено" not in address
    assert "Последний раз работало" not in address
    assert "Исправить" in address
    assert 'value="HUB_PUBLIC_URL=https://…"' in address


def test_what_works_says_when_that_was_confirmed_and_offers_nothing_to_mend(page: str) -> None:
    database = row(page, "database")
    assert "Проверено" in database
    assert "Исправить" not in database


def test_the_operator_sees_all_portals_and_a_portals_administrator_none(
    app: Any, hub: Hub, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "reach", lambda _url: LOCAL)
    with hub.db.write() as session:
        shop = Portal(member_id="shop", domain="shop.bitrix24.ru", time_zone="UTC", installed_at=1)
        gone = Portal(member_id="gone", domain="gone.bitrix24.ru", time_zone="UTC", installed_at=1, state="uninstalled")
        session.add_all([shop, gone])
        session.flush()
        hub_line = lines.create(session, hub, shop.id or 0, name="Sales", channel="telegram", config={"token": "1:AA"})
        hub_line.state = "auth_failed"
        users.create_user(session, shop.id or 0, email="olga@shop.test", password=PASSWORD, role="admin")
    operator = signed_in(app, hub, portal, "admin@shop.test", "admin").get("/health?lang=ru").text
    assert "shop.bitrix24.ru" in operator
    assert "не работает" in operator.partition("shop.bitrix24.ru")[2]
    assert "gone.bitrix24.ru" not in operator
    olga = sign_in(app, "olga@shop.test", PASSWORD).get("/health?lang=ru").text
    assert "Порталы этого сервера" not in olga


def test_a_refused_line_is_told_in_words_whatever_its_messenger_said(
    app: Any, hub: Hub, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "reach", lambda _url: LOCAL)
    with hub.db.write() as session:
        line = lines.create(session, hub, portal.id or 0, name="Склад", channel="telegram", config={"token": "1:AA"})
        line.state, line.state_code, line.state_reason = "auth_failed", "token_refused", "Unauthorized"
    hub.db.writer.run(lambda sql: watch.look(sql, now=now_us(), lease_s=15, free=1 << 40, total=1 << 41))
    admin = signed_in(app, hub, portal, "admin@shop.test", "admin")
    told = html.unescape(admin.get("/notices?lang=ru").text)
    assert "Мессенджер не пускает линию «Склад»: Мессенджер не принимает токен. Ждут сообщений: 0." in told
    assert "Мессенджер не принимает токен" in row(admin.get("/health?lang=ru").text, "lines")
