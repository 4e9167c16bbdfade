"""What a block sees while it runs: templates rendered against the run's variables, and a place for notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.language import Found, Scope, compile_template, parse_path, resolve
from hub.scenarios.block import LineInfo
from hub.values import Value, as_text

if TYPE_CHECKING:
    from hub.language import Place
    from hub.scenarios.advance import Environment
    from hub.scenarios.check import Program
    from hub.scenarios.state import Frame, State

SHOWN_CHARS = 2_000
PLACE_CHARS = 200


class Context:
    """The RunContext of one block in one advance."""

    def __init__(
        self, env: Environment, frame: Frame, program: Program, block_id: str, block_type: str, state: State
    ) -> None:
        self.now = env.now
        self.zone = env.zone
        self.quiet = env.quiet
        self.dry = env.dry
        self.iteration = frame.step
        self.resumed = state.resumed
        self.warnings: list[dict[str, str]] = []
        self.input: list[dict[str, Value]] | None = None
        self._env = env
        self._frame = frame
        self._program = program
        self._block_id = block_id
        self._known = state.known
        self._outermost = len(state.frames) == 1
        self._scope: Scope | None = None

    def text(self, template: str) -> str:
        """Render a text; every place that stays empty leaves a warning."""
        compiled = compile_template(template)
        if compiled.plain:
            return template
        rendered = compiled.render(self._scoped())
        self._note(template, rendered.text, rendered.places)
        return rendered.text

    def value(self, template: Value) -> Value:
        """Evaluate templates anywhere inside a JSON value; a single place keeps its type."""
        if isinstance(template, str):
            compiled = compile_template(template)
            if compiled.plain:
                return template
            evaluated = compiled.evaluate(self._scoped())
            self._note(template, evaluated.value, evaluated.places)
            return evaluated.value
        if isinstance(template, dict):
            return {key: self.value(item) for key, item in template.items()}
        if isinstance(template, list | tuple):
            return [self.value(item) for item in template]
        return template

    def lookup(self, path: str) -> Value | None:
        """The value at a bare path, None when it is missing."""
        found = resolve(parse_path(path), self._scoped())
        return found.value if isinstance(found, Found) else None

    def line(self, name: str) -> LineInfo | None:
        """The line with that name."""
        return self._env.line(name)

    def variable_type(self, name: str) -> str | None:
        """The declared type of a local variable."""
        declared = self._program.variables.get(name)
        return None if declared is None else declared[0]

    def warn(self, code: str, message: str, path: str = "") -> None:
        """Leave a warning on the run."""
        warning = {"code": code, "path": path, "block": self._block_id, "message": message}
        if warning not in self.warnings:
            self.warnings.append(warning)

    def _scoped(self) -> Scope:
        if self._scope is None:
            env = self._env
            self._scope = Scope(
                system={**env.system, **self._known},
                local=self._frame.variables,
                body=env.body if self._outermost else {},
                query=env.query if self._outermost else {},
                globals=env.globals,
                constants=env.constants,
                blocks=self._frame.outputs,
                request=env.request,
                run=env.run,
                bitrix=env.bitrix,
                zone=env.zone,
                language=env.language,
                country="RU",
                now=env.now,
            )
        return self._scope

    def _note(self, template: str, value: Any, places: tuple[Place, ...]) -> None:
        if self.input is None:
            self.input = []
        self.input.append(
            {
                "template": template[:SHOWN_CHARS],
                "value": as_text(value)[:SHOWN_CHARS],
                "places": [
                    {
                        "path": place.path,
                        "source": place.source,
                        "text": place.text[:PLACE_CHARS],
                        "missing": self._why_empty(place),
                    }
                    for place in places
                ],
            }
        )
        for place in places:
            if place.missing is not None:
                self.warn("missing_value", place.missing.hint, place.path)

    def _why_empty(self, place: Place) -> str | None:
        """Why nothing stands at a place: nobody has such a value, or what filled the variable had nothing to give."""
        if place.missing is not None:
            return place.missing.hint
        if place.text or not self._env.empty:
            return None
        return self._env.empty.get(place.path.removeprefix("local.").removeprefix("system."))
