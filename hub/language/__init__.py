"""The template language: `{{ path | filter: argument }}` inside plain text, and what conditions compare with.

It is small on purpose. People write templates and strangers send the values, so a template can look values up and
pass them through known filters, and nothing else.
"""

from hub.language.comparison import OPERATORS, Operator, compare, is_empty
from hub.language.dates import parse_moment
from hub.language.errors import TemplateError, TemplateFailure
from hub.language.grammar import Path, parse_path
from hub.language.lookup import Found, Missing, resolve
from hub.language.names import LINK_NAMES, ROOT_NAMES, SYSTEM_NAMES, field_problem
from hub.language.patterns import compile_pattern, matches
from hub.language.phones import normalise_phone
from hub.language.scope import Scope, system_values
from hub.language.template import Evaluated, Place, Rendered, Template, compile_template

__all__ = [
    "LINK_NAMES",
    "OPERATORS",
    "ROOT_NAMES",
    "SYSTEM_NAMES",
    "Evaluated",
    "Found",
    "Missing",
    "Operator",
    "Path",
    "Place",
    "Rendered",
    "Scope",
    "Template",
    "TemplateError",
    "TemplateFailure",
    "compare",
    "compile_pattern",
    "compile_template",
    "field_problem",
    "is_empty",
    "matches",
    "normalise_phone",
    "parse_moment",
    "parse_path",
    "resolve",
    "system_values",
]
