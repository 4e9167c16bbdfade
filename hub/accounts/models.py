"""Keys of the management API, and the people who log in."""

from sqlmodel import Field, SQLModel

from hub.columns import BIG, counting_key, moment


class ApiKey(SQLModel, table=True):
    """A key belongs to one portal and is stored as its hash. `used_at`: the last use, to the hour."""

    __tablename__ = "api_key"

    id: int | None = counting_key()
    portal_id: int = Field(sa_type=BIG, foreign_key="portal.id", index=True)
    name: str = Field(max_length=100)
    key_hash: str = Field(unique=True, max_length=64)
    created_at: int = moment()
    used_at: int | None = moment(nullable=True)


class User(SQLModel, table=True):
    """A person who logs in with e-mail and password. Roles: admin, editor, viewer."""

    __tablename__ = "app_user"

    id: int | None = counting_key()
    portal_id: int = Field(sa_type=BIG, foreign_key="portal.id", index=True)
    email: str = Field(unique=True, max_length=254)
    password_hash: str = Field(max_length=255)
    role: str = Field(max_length=16)
    created_at: int = moment()
