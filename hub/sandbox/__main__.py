"""`python -m hub.sandbox --port N`: the simulated messengers as a program of their own."""

import argparse
import sys

from hub.sandbox.server import Sandbox


def main() -> int:
    """Serve until interrupted. Exits with 1 when the port is busy."""
    parser = argparse.ArgumentParser(prog="hub.sandbox", description="Simulated messengers for trials and tests.")
    parser.add_argument("--port", type=int, default=8003, help="the port on 127.0.0.1 (0 takes a free one)")
    port = parser.parse_args().port
    try:
        sandbox = Sandbox(port)
    except OSError:
        sys.stderr.write(f"Port {port} is busy; choose another with --port.\n")
        return 1
    sys.stdout.write(f"Sandbox: {sandbox.url}\n")
    sys.stdout.flush()
    sandbox.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
