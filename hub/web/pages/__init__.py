"""Pages for people, a module each: whatever module lies here and has a `blueprint` is found by itself."""

import importlib
import pkgutil

from flask import Flask


def register(app: Flask) -> None:
    """Add every page, and what their templates use."""
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{__name__}.{found.name}")
        if hasattr(module, "blueprint"):
            app.register_blueprint(module.blueprint)
        if hasattr(module, "register"):
            module.register(app)
