"""`python -m hub.sandbox --port N`: the simulated messengers and Bitrix24 as a program of their own."""

import argparse
import sys

from hub.sandbox.bitrix24.server import Bitrix24
from hub.sandbox.server import Sandbox


def main() -> int:
    """Serve until interrupted. Exits with 1 when a port is busy."""
    parser = argparse.ArgumentParser(prog="hub.sandbox", description="Simulated messengers and a simulated Bitrix24.")
    parser.add_argument("--port", type=int, default=8003, help="the messengers' port on 127.0.0.1 (0 takes free ones)")
    parser.add_argument("--portal-port", type=int, help="the portal's port on localhost (by default two less)")
    parser.add_argument("--oauth-port", type=int, help="the OAuth server's port on 127.0.0.1 (by default one less)")
    parser.add_argument("--app-url", default="http://127.0.0.1:8000", help="where the product is, for its installation")
    given = parser.parse_args()
    portal_port = given.portal_port if given.portal_port is not None else given.port and given.port - 2
    oauth_port = given.oauth_port if given.oauth_port is not None else given.port and given.port - 1
    try:
        sandbox = Sandbox(given.port)
        bitrix24 = Bitrix24(portal_port, oauth_port, sandbox.board, given.app_url)
    except OSError:
        ports = ", ".join(str(port) for port in (given.port, portal_port, oauth_port))
        sys.stderr.write(f"One of the ports {ports} is busy; choose others with --port.\n")
        return 1
    sys.stdout.write(
        f"Sandbox: {sandbox.url}\nPortal: {bitrix24.portal.url}\nOAuth server: {bitrix24.cloud.oauth_url}\n"
    )
    sys.stdout.flush()
    bitrix24.start()
    sandbox.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
