"""gunicorn's own log lines in the product's format, with secrets masked. The access log stays off."""

import os

from gunicorn.config import Config
from gunicorn.glogging import Logger as GunicornLogger

from hub.logs import formatter


class Logger(GunicornLogger):  # type: ignore[misc]
    """The master has not read our settings, so the format comes from the environment here."""

    def setup(self, cfg: Config) -> None:
        """Replace the formatter that gunicorn chose."""
        super().setup(cfg)
        named = os.environ.get("HUB_LOG_FORMAT", "")
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter("console" if named == "console" else "json" if named == "json" else ""))
