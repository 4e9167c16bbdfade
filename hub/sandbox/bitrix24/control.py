"""The control addresses under /_control of every portal: what tests and the portal's own page set up and read.

The package's docstring lists them. This file reads the requests; `work` does what they ask for.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, jsonify, request

from hub.sandbox.bitrix24 import frames, showing, work
from hub.sandbox.bitrix24.model import Portal
from hub.sandbox.bitrix24.refusals import Refusal
from hub.sandbox.faults import read_fault

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

Do = Callable[["Cloud", Portal, dict[str, Any]], Any]
actions: dict[str, Do] = {
    "app": work.set_app,
    "portals": work.add_portal,
    "portal": work.set_portal,
    "move": work.move_portal,
    "user": work.set_user,
    "webhook": work.add_webhook,
    "outgoing": work.add_outgoing,
    "install": work.install,
    "frame": work.open_frame,
    "uninstall": work.uninstall,
    "update": work.update,
    "pay": work.pay,
    "card": work.change_card,
    "event": work.fire_event,
    "robots": work.place_robots,
    "trigger": work.place_trigger,
    "process": work.run_robots,
    "sms": work.send_sms,
    "openline": work.say_in_open_line,
    "mint": work.mint,
    "expire": work.expire,
    "clock": work.advance,
}


def blueprint(cloud: "Cloud", portal: Portal) -> Blueprint:
    """The control addresses, on one portal unless the body's `portal` names another by domain or member_id."""
    pages = Blueprint("control", __name__, url_prefix="/_control")

    @pages.post("/<action>")
    def do(action: str) -> Response:
        run = actions.get(action)
        if run is None:
            abort(404)
        return _answer(lambda asked, on: run(cloud, on, asked))

    @pages.post("/frame/<sid>/<command>")
    def frame_command(sid: str, command: str) -> Response:
        return _answer(lambda asked, on: frames.command(cloud, on, sid, command, asked))

    @pages.post("/fault")
    def fault() -> Response:
        cloud.board.add(read_fault())
        return jsonify(ok=True)

    @pages.post("/reset")
    def reset() -> Response:
        cloud.board.reset()
        work.reset(cloud)
        return jsonify(ok=True)

    @pages.post("/wait")
    def wait() -> Response:
        asked: Any = request.get_json(silent=True) or {}
        return jsonify(idle=cloud.queue.wait_idle(float(asked.get("within_s", 10))))

    @pages.get("/state")
    def state() -> Response:
        with cloud.lock:
            return jsonify(showing.state(cloud, portal))

    @pages.get("/calls")
    def calls() -> Response:
        after = request.args.get("after", 0, type=int)
        with cloud.lock:
            return jsonify(calls=[asdict(row) for row in cloud.calls if row.number > after])

    @pages.get("/deliveries")
    def deliveries() -> Response:
        after = request.args.get("after", 0, type=int)
        return jsonify(deliveries=[asdict(row) for row in cloud.queue.deliveries(after)])

    @pages.get("/cards/<int:kind>")
    def cards(kind: int) -> Response:
        return _answer(lambda _asked, on: {"cards": work.show_cards(on, kind)})

    @pages.get("/card/<int:kind>/<int:number>")
    def card(kind: int, number: int) -> Response:
        return _answer(lambda _asked, on: work.show_card(on, kind, number))

    def _answer(run: Callable[[dict[str, Any], Portal], Any]) -> Response:
        asked: Any = request.get_json(silent=True)
        asked = dict(asked) if isinstance(asked, dict) else {}
        wanted = asked.pop("portal", None)
        with cloud.lock:
            on = cloud.portals.get(wanted) or cloud.portal_of(wanted) if wanted else portal
            if on is None:
                abort(400, "there is no such portal")
            try:
                return jsonify(run(asked, on))
            except Refusal as refusal:
                answered = jsonify(refusal.body())
                answered.status_code = refusal.status
                return answered
            except (KeyError, TypeError, ValueError) as error:
                abort(400, f"{type(error).__name__}: {error}")

    return pages
