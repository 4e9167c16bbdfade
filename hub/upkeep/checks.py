"""What a check says."""

from dataclasses import dataclass, field
from typing import Literal

from hub.clock import rfc3339
from hub.values import Value

State = Literal["ok", "warning", "failed", "not_installed"]


@dataclass(frozen=True)
class Check:
    """One check: how it stands, in a sentence, and what to do about it. `more` holds the figures behind it; `good_at`:
    when it was last known to be good, µs."""

    name: str
    state: State
    detail: str
    action: str = ""
    more: dict[str, Value] = field(default_factory=dict)
    good_at: int | None = None

    @property
    def ok(self) -> bool:
        """Nothing has to be done at once."""
        return self.state != "failed"

    def to_dict(self) -> dict[str, Value]:
        """As the API shows it."""
        shown: dict[str, Value] = {
            "name": self.name,
            "ok": self.ok,
            "state": self.state,
            "detail": self.detail,
            "action": self.action,
            "good_at": rfc3339(self.good_at),
        }
        return shown | self.more
