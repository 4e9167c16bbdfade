"""Finds the blocks that exist: every module of `hub.scenarios.blocks` is one block, and its file name is the type.

So a block is added by adding a file. A module that holds no block, two blocks, or one of another type is a mistake of
ours and stops the program at once. Modules that begin with `_` are shared helpers, not blocks.
"""

import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType, ModuleType

from hub.scenarios import blocks as package
from hub.scenarios.block import Block


class RegistryError(RuntimeError):
    """A module among the blocks that is not exactly one block."""


@cache
def blocks() -> Mapping[str, Block]:
    """Every block by its type, in the order of the types. Raises RegistryError."""
    return MappingProxyType(discover(package))


def discover(where: ModuleType) -> dict[str, Block]:
    """The blocks in the modules of a package. Raises RegistryError."""
    names = sorted(module.name for module in pkgutil.iter_modules(where.__path__))
    found = (block_of(import_module(f"{where.__name__}.{name}"), name) for name in names if not name.startswith("_"))
    return {block.type: block for block in found}


def block_of(module: ModuleType, name: str) -> Block:
    """The one block that a module defines; its type must be `name`. Raises RegistryError."""
    classes = [
        member
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, Block)
        and member.__module__ == module.__name__
        and not inspect.isabstract(member)
    ]
    if len(classes) != 1:
        raise RegistryError(f"The module {name} must define exactly one block, not {len(classes)}.")
    kind = getattr(classes[0], "type", None)
    if kind != name:
        raise RegistryError(f"The module {name} defines a block of type {kind}; its file must be called so.")
    return classes[0]()
