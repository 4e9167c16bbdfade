"""Settings from the environment, read once at start; a wrong value stops the start with one line that names it."""

import contextlib
import difflib
import os
import secrets as random
import ssl
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hub.errors import ConfigurationError

PREFIX = "HUB_"
LONGEST_CA = 100_000
"""Letters of further certificates, at most: Linux hands over no variable of more than 128 KiB to a process."""
UNPREFIXED = {"DATABASE_URL": "HUB_DATABASE_URL", "PORT": "HUB_PORT"}


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Commas = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Delays = Annotated[tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """Every setting of the product; `docs/operations.md` has a row for each."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: str = ""
    instance_dir: Path = Path("instance")
    secret_key: str = ""
    encryption_keys: Commas = ()
    public_url: str = ""
    port: int = Field(8000, ge=0, le=65535)
    web_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=64)
    rate_link_s: float = Field(0, ge=0, allow_inf_nan=False)
    rate_portal_s: float = Field(0, ge=0, allow_inf_nan=False)
    rate_ip_s: float = Field(0, ge=0, allow_inf_nan=False)
    trusted_proxies: Commas = ()
    result_waiters: int = Field(200, ge=0)
    time_zone: str = "Europe/Moscow"
    bitrix24_client_id: str = ""
    bitrix24_client_secret: str = ""
    bitrix24_oauth_urls: Commas = ("https://oauth.bitrix.info", "https://oauth.bitrix24.tech")
    bitrix24_js_url: str = "https://api.bitrix24.com/api/v1/"
    egress_allow: Commas = ()
    max_ca: str = ""
    retry_schedule_s: Delays = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800)
    message_ttl_s: float = Field(86400, gt=0, allow_inf_nan=False)
    lease_s: float = Field(60, gt=0, allow_inf_nan=False)
    result_wait_s: float = Field(20, ge=0.1, le=55)
    sweep_interval_s: float = Field(300, gt=0, allow_inf_nan=False)
    retention_days: int = Field(30, ge=3, le=90)
    log_format: Literal["", "console", "json"] = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    worker_threads: int = Field(128, ge=1, le=1024)
    testing: bool = False
    crash_at: str = ""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{value} is not a known time zone") from None
        return value

    @field_validator("max_ca")
    @classmethod
    def _certificates(cls, value: str) -> str:
        if len(value) > LONGEST_CA:
            raise ValueError(f"it is longer than {LONGEST_CA} letters; name only what the usual certificates lack")
        try:
            if value:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=value)
        except (ssl.SSLError, TypeError, ValueError):
            raise ValueError("it must hold certificates in PEM form; HUB_MAX_CA_FILE names a file with them") from None
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it must begin with http:// or https://")
        return value.rstrip("/")

    @classmethod
    def from_env(cls) -> "Settings":
        """Read the environment and `.env`. Raises ConfigurationError naming the variable that is wrong or unknown."""
        _adopt_env_file(Path(".env"))
        _adopt_aliases()
        cls._refuse_unknown()
        try:
            settings = cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + str(first["loc"][0]).upper()
            name = "PORT" if name == "HUB_PORT" else name
            raise ConfigurationError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None
        return settings.with_secrets()

    @classmethod
    def _refuse_unknown(cls) -> None:
        """A misspelled setting would else be its default in silence."""
        known = [field.upper() for field in cls.model_fields]
        for name in sorted(name for name in os.environ if name.startswith(PREFIX)):
            own = name.removeprefix(PREFIX).removesuffix("_FILE")
            if own not in known:
                near = difflib.get_close_matches(own, known, n=1)
                hint = f"did you mean {PREFIX}{near[0]}?" if near else "docs/operations.md lists all there are."
                raise ConfigurationError(f"{name}: there is no such setting; {hint}")

    def with_secrets(self) -> "Settings":
        """These settings with what was left out filled in; keys are made once, under `instance/`, mode 0600."""
        changes: dict[str, object] = {}
        if not self.secret_key:
            changes["secret_key"] = _kept_secret(self.instance_dir / "secret_key")
        if not self.encryption_keys:
            changes["encryption_keys"] = (_kept_secret(self.instance_dir / "encryption_key"),)
        if any(len(key) < 16 for key in self.encryption_keys):
            raise ConfigurationError("HUB_ENCRYPTION_KEYS: every key needs at least 16 characters")
        return self.model_copy(update=changes)

    @property
    def base_url(self) -> str:
        """Base of every link that is shown or registered; never taken from a request."""
        return self.public_url or f"http://127.0.0.1:{self.port}"

    @cached_property
    def sqlalchemy_url(self) -> str:
        """The database as SQLAlchemy spells it."""
        url = self.database_url or f"sqlite:///{self.instance_dir / 'hub.db'}"
        scheme, separator, rest = url.partition("://")
        if not separator:
            raise ConfigurationError("HUB_DATABASE_URL: it must look like sqlite:///file or postgresql://…")
        if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
            return f"postgresql+psycopg://{rest}"
        if scheme == "sqlite":
            return url
        raise ConfigurationError(f"HUB_DATABASE_URL: {scheme} is not supported; use sqlite or postgresql")


def _kept_secret(path: Path) -> str:
    """A random secret that survives restarts; of two processes that start at once, one makes it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Written whole under another name first: the other process must never read half a secret.
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(random.token_urlsafe(32))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            os.unlink(draft)
    kept = path.read_text().strip()
    if not kept:
        raise ConfigurationError(f"{path} is empty; delete it or set {PREFIX}{_variable_of(path)}")
    return kept


def _variable_of(path: Path) -> str:
    return "ENCRYPTION_KEYS" if path.name == "encryption_key" else path.name.upper()


def _adopt_env_file(path: Path) -> None:
    if not path.is_file():
        return
    for line in path.read_text().splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.lstrip().startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("'\""))


def _adopt_aliases() -> None:
    for name in [name for name in os.environ if name.endswith("_FILE")]:
        target = name.removesuffix("_FILE")
        if (target.startswith(PREFIX) or target in UNPREFIXED) and target not in os.environ:
            try:
                os.environ[target] = Path(os.environ[name]).read_text().strip()
            except OSError as error:
                raise ConfigurationError(f"{name}: {error.strerror}") from None
            except UnicodeDecodeError:
                raise ConfigurationError(f"{name}: the file is not text") from None
    for plain, prefixed in UNPREFIXED.items():
        if plain in os.environ:
            os.environ.setdefault(prefixed, os.environ[plain])
