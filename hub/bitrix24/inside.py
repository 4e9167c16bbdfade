"""Addresses within a portal that open a page of ours in its frame: a link of ours would lead out of the portal."""

from urllib.parse import urlencode, urljoin

from hub.sql import Sql

PLACEMENT = "REST_APP_URI"
PARAM = "place"


def address(sql: Sql, portal_id: int, place: str) -> str | None:
    """The portal's own address of `place`, a path of ours; None where it has not given us what opens it."""
    row = sql.one(
        "SELECT c.client_endpoint, c.client_id FROM bitrix24_connection c JOIN bitrix24_registration r"
        " ON r.portal_id = c.portal_id WHERE c.portal_id = ? AND c.uninstalled_at IS NULL AND r.kind = 'placement'"
        " AND r.code = ? AND r.registered_at IS NOT NULL",
        (portal_id, PLACEMENT),
    )
    if row is None:
        return None
    endpoint, client_id = row
    params = urlencode({f"params[{PARAM}]": place})
    return urljoin(str(endpoint), f"/marketplace/view/{client_id}/?{params}")
