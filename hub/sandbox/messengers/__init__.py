"""Simulated messengers, found by their files: each module has `blueprint(board)`, served under its own name. Modules
whose names begin with `_` are parts of others."""

import importlib
import pkgutil

from flask import Blueprint

from hub.sandbox.faults import Board


def blueprints(board: Board) -> dict[str, Blueprint]:
    """The simulators' pages by kind, each over the same board."""
    found: dict[str, Blueprint] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        found[info.name] = module.blueprint(board)
    return found
