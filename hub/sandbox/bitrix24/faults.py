"""Plays the faults that are set for a service of the simulated Bitrix24.

Kinds, with `chat` naming a method (or `token`, an event, a robot): `error` answers `code` with `status`; `status` an
HTML page with that status, as a proxy would; `429` OPERATION_TIME_LIMIT; `hang`, `slow` by `seconds`; `hangup_after`
carries the call out and resets the connection.
"""

from dataclasses import dataclass

from flask import Response, jsonify

from hub.sandbox.faults import Board, hang

_page = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>"


@dataclass(frozen=True)
class Played:
    """What a fault does: an answer in place of the real one, or a reset after the call was carried out."""

    answer: Response | None = None
    hangs_up: bool = False


def play_before(board: Board, service: str, what: str) -> Played:
    """The fault that this call meets, if any; waits where it is a slow one."""
    fault = board.take(service, what)
    if fault is None:
        return Played()
    if fault.kind == "hang":
        return Played(hang(board, fault.seconds))
    if fault.kind == "slow":
        board.stopping.wait(fault.seconds)
        return Played()
    if fault.kind == "hangup_after":
        return Played(hangs_up=True)
    if fault.kind == "status":
        return Played(Response(_page.format(fault.status), fault.status, content_type="text/html"))
    code, status = ("OPERATION_TIME_LIMIT", 429) if fault.kind == "429" else (fault.code, fault.status)
    answer = jsonify(error=code)
    if code != "wrong_client":
        answer = jsonify(error=code, error_description=f"{code} (played by the sandbox)")
    answer.status_code = status
    return Played(answer)
