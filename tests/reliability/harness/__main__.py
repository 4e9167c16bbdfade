"""`python -m tests.reliability.harness`: one run, its line printed; exits with 1 when something did not hold."""

import argparse
import json
import logging
import os
import sys
from pathlib import Path

from tests.reliability.harness import report
from tests.reliability.harness.provider import CHANNELS
from tests.reliability.harness.run import Options, run


def main() -> int:
    """Read the command line, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.harness", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--channel", choices=sorted(CHANNELS), default="telegram")
    parser.add_argument("--on-unconfirmed", choices=("hold", "resend"), default="resend")
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=40, help="half of web processes, half of workers")
    parser.add_argument("--seed", type=int, default=1, help="of the kills and of the messenger's faults")
    parser.add_argument("--rate", type=float, default=100.0, help="events offered a second")
    parser.add_argument("--results", type=Path, help="a file that the line is added to")
    given = vars(parser.parse_args())
    results = given.pop("results")
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        del os.environ[name]
    # Else each answer that the simulator loses on purpose is printed with a trace.
    logging.getLogger("werkzeug").addFilter(lambda _record: False)
    line = run(Options(**given))
    if results is not None:
        report.append(line, results)
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return 0 if line["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
