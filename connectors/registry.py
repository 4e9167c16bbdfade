"""Finds the channels: every module of `connectors.channels` holds exactly one, named like its file."""

import importlib
import inspect
import pkgutil
from functools import cache
from types import ModuleType

import connectors.channels
from connectors.channel import Channel


class RegistryError(Exception):
    """A channel's module is not as it must be: a mistake of the programmer, told at start."""


def discover(package: ModuleType) -> dict[str, type[Channel]]:
    """The channels of a package by kind. Raises RegistryError for a module without exactly one, or another's name."""
    found: dict[str, type[Channel]] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        classes = [
            member
            for member in vars(module).values()
            if inspect.isclass(member)
            and issubclass(member, Channel)
            and member.__module__ == module.__name__
            and not inspect.isabstract(member)
        ]
        if len(classes) != 1:
            raise RegistryError(f"{module.__name__} must hold exactly one channel and holds {len(classes)}.")
        if getattr(classes[0], "kind", None) != info.name:
            raise RegistryError(f"{module.__name__}: the channel's kind must be {info.name!r}.")
        found[info.name] = classes[0]
    return found


@cache
def _known() -> dict[str, type[Channel]]:
    return discover(connectors.channels)


def channels() -> dict[str, type[Channel]]:
    """All channels by kind."""
    return dict(_known())


def channel(kind: str) -> type[Channel]:
    """One channel. Raises KeyError for an unknown kind."""
    return _known()[kind]


def with_title(name: str, kind: str) -> str:
    """A line's name with its messenger behind it, unless the name says that already."""
    title = channel(kind).title
    return name if title.casefold() in name.casefold() else f"{name} ({in_brackets(title)})"


def in_brackets(title: str) -> str:
    """A messenger's title to stand in brackets, where it has none of its own."""
    return title.replace(" (", ", ").rstrip(")")
