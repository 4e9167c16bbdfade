"""Pages for people, a module each: whatever module lies here and has a `blueprint` is found by itself."""

import importlib
import pkgutil
from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter

from hub.web.pages.filters import MAX_INT


class _Number(IntegerConverter):
    """A number in an address: one that no database takes leads nowhere."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{"max": MAX_INT, **named})


def register(app: Flask) -> None:
    """Add every page, and what their templates use."""
    app.url_map.converters["int"] = _Number
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{__name__}.{found.name}")
        if hasattr(module, "blueprint"):
            app.register_blueprint(module.blueprint)
        if hasattr(module, "register"):
            module.register(app)
