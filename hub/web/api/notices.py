"""The route about notices: what people have to be told."""

from hub.notices import book
from hub.values import Value
from hub.web.api.base import Call, PageQuery, route
from hub.web.api.paging import page, text_cursor


class NoticeQuery(PageQuery):
    """A part of the list of notices; `open` leaves out those that are over, or only shows them."""

    open: bool | None = None


@route("GET", "/notices", summary="Notices", query=NoticeQuery, shape="Notice", page=True)
def list_notices(call: Call) -> Value:
    """The newest first: the portal's own, and those about the whole installation."""
    wanted: NoticeQuery = call.query
    with call.hub.db.read() as session:
        below = text_cursor(wanted.cursor)
        found = book.find(session, call.portal_id, is_open=wanted.open, below=below, limit=wanted.limit + 1)
        return page(found, wanted.limit, lambda notice: notice.id, book.to_dict)
