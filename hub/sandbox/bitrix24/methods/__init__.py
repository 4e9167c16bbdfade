"""The portal's REST methods by subject. A module adds its methods to the registry when it is loaded."""

import importlib
import pkgutil


def load() -> None:
    """Load every module here."""
    for info in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{info.name}")
