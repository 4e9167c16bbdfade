"""The management API: `register(app)` adds every route that a module of this package declares."""

import importlib
import pkgutil

from flask import Flask

from hub.web.api import base


def register(app: Flask) -> None:
    """Add `/api/v1` to an application whose `extensions["hub"]` is a Hub."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        importlib.import_module(f"{__name__}.{module.name}")
    base.install(app)
