"""Finds the templates inside a block's config by the marks on its fields, whatever block it is."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from hub.scenarios.block import TemplateMark

Kind = Literal["text", "value"]
Found = tuple[str, str, Kind]


def templates(config: BaseModel, path: str = "") -> Iterator[Found]:
    """Every template in a config as `(field path, source, kind)`, in the order of the fields."""
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        here = _join(path, field.alias or name)
        mark = _mark(field.metadata)
        if mark:
            yield from _marked(mark, value, here)
        else:
            yield from _walk(field.annotation, value, here)


def _walk(annotation: Any, value: Any, path: str) -> Iterator[Found]:
    if value is None:
        return
    if isinstance(value, BaseModel):
        yield from templates(value, path)
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        mark = _mark(arguments[1:])
        if mark:
            yield from _marked(mark, value, path)
        else:
            yield from _walk(arguments[0], value, path)
    elif origin in (Union, UnionType):
        for argument in arguments:
            if _may_hold(argument, value):
                yield from _walk(argument, value, path)
                break
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _walk(arguments[0] if arguments else Any, item, f"{path}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(arguments[1] if len(arguments) == 2 else Any, item, _join(path, key))


def _marked(mark: TemplateMark, value: Any, path: str) -> Iterator[Found]:
    if isinstance(value, str):
        yield path, value, mark.kind
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _marked(mark, item, _join(path, key))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _marked(mark, item, f"{path}[{number}]")


def _may_hold(annotation: Any, value: Any) -> bool:
    """Whether a member of a union is the one that a value belongs to, judged by its outer shape."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if annotation is Any:
        return True
    shape = get_origin(annotation) or annotation
    return isinstance(shape, type) and isinstance(value, shape)


def _mark(metadata: Any) -> TemplateMark | None:
    return next((item for item in metadata if isinstance(item, TemplateMark)), None)


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step
