"""A portal: the Bitrix24 account that everything belongs to. `local` is the one that needs no Bitrix24."""

from sqlmodel import Field, SQLModel

from hub.columns import BIG, counting_key, json_text, moment

LOCAL = "local"


class Portal(SQLModel, table=True):
    """One tenant. `member_id` is Bitrix24's own key of the account. `notice_line` and `notice_chat`: over which line
    and to whom notices go, if to anybody. `quiet_from` and `quiet_to`, both or none: when its
    scenarios write to nobody, `HH:MM` of its zone. `own_numbers`: the recipients that tests may write to, as a list."""

    __tablename__ = "portal"

    id: int | None = counting_key()
    member_id: str = Field(unique=True, max_length=64)
    domain: str | None = Field(default=None, max_length=255)
    state: str = Field(default="active", max_length=16)
    installed_at: int = moment()
    scopes: str = json_text("[]")
    time_zone: str = Field(max_length=64)
    language: str = Field(default="ru", max_length=8)
    retention_days: int | None = None
    quiet_from: str | None = Field(default=None, max_length=5)
    quiet_to: str | None = Field(default=None, max_length=5)
    notice_line: str | None = Field(default=None, max_length=32)
    notice_chat: str | None = Field(default=None, max_length=255)
    own_numbers: str | None = json_text(nullable=True)


class Stamp(SQLModel, table=True):
    """Counts the changes of a portal's settings. A cached copy is good while its stamp is the one stored here; the
    transaction that would use the copy looks, so the look costs no round trip of its own."""

    __tablename__ = "stamp"

    portal_id: int = Field(primary_key=True, sa_type=BIG, foreign_key="portal.id")
    config: int = Field(default=0, sa_type=BIG)
    globals: int = Field(default=0, sa_type=BIG)
