"""What the API answers to a document that cannot be kept."""

from collections.abc import Sequence

from hub.errors import HubError, Invalid
from hub.scenarios.block import Problem


def refused(problems: Sequence[Problem]) -> HubError:
    """400 for what is not even JSON or YAML, else 422 with every problem and its pointer into the document."""
    first = problems[0]
    if first.code == "unreadable":
        unreadable = HubError(first.message, code="unreadable")
        unreadable.status = 400
        return unreadable
    errors = [{"pointer": _pointer(problem), **problem.as_dict()} for problem in problems]
    return Invalid(first.message, code="validation" if first.code == "schema" else first.code, errors=errors)


def _pointer(problem: Problem) -> str:
    if problem.block is not None or problem.field is None:
        return ""
    return "/" + problem.field.replace("]", "").replace("[", "/").replace(".", "/")
