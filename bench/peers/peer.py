"""What every other product is to the benchmark."""

from dataclasses import dataclass

from bench.processes import Running


@dataclass(frozen=True)
class Peer:
    """Another product at work. `links`: its address for each mark; `goals`: times its rate that are aimed at."""

    name: str
    running: Running
    links: dict[str, str]
    goals: dict[str, float]
