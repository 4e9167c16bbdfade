"""Who is looking in the frame: `BX24.getAuth()` against a short signed token, and the steps of an installation."""

from flask import Blueprint, Response, request

from hub.bitrix24 import install
from hub.bitrix24.connections import Connection
from hub.bitrix24.verify import Forged, Proof, claim_of_auth, prove
from hub.errors import Forbidden, Invalid, Unauthorized
from hub.values import Value, dumps_bytes
from hub.web.access import frame
from hub.web.access.identity import Identity, asking
from hub.web.bitrix24 import received


def register(blueprint: Blueprint) -> None:
    """Add the addresses."""
    blueprint.add_url_rule("/session", view_func=session, methods=["HEAD", "POST"])
    blueprint.add_url_rule("/steps", view_func=steps, methods=["HEAD", "GET", "POST"])


def session() -> Response:
    """A token for whoever the portal says is looking: `{"token", "role", "expires_in"}`, verified like an install."""
    received.admit()
    bitrix24 = received.bitrix24()
    try:
        claim = claim_of_auth(received.fields())
        proof = prove(bitrix24, claim)
    except Forged:
        received.note_failure()
        raise
    connection = install.find(bitrix24.hub, proof)
    if connection is None:
        raise Forbidden("The application is not installed on this portal.", code="not_installed")
    install.heal(bitrix24, claim, proof)
    person = identity(connection, proof)
    secret = bitrix24.hub.settings.secret_key
    return _json({"token": frame.issue(secret, person), "role": person.role, "expires_in": frame.LIFE_S})


def steps() -> Response:
    """`{"steps", "next", "may_finish"}`; a POST of `{"step"}` takes that step first. For administrators only."""
    person, bitrix24 = _administrator(), received.bitrix24()
    if request.method == "POST":
        wanted = received.fields().get("step")
        step = next((name for name in install.STEPS if name == wanted), None)
        if step is None:
            raise Invalid("There is no such step.")
        install.take(bitrix24, person.portal_id, step)
    install.note_overdue_test(bitrix24.hub, person.portal_id)
    return _json(shown(person.portal_id))


def shown(portal_id: int) -> dict[str, Value]:
    """The steps of a portal as the page shows them."""
    found = install.steps(received.hub(), portal_id)
    return {"steps": found, "next": install.next_step(found), "may_finish": install.may_finish(found)}


def identity(connection: Connection, proof: Proof, language: str = "") -> Identity:
    """A proven user as the pages know one: administrators of the portal are administrators here, others look on."""
    return Identity(
        key=f"bitrix24:{connection.member_id}:{proof.user_id}",
        portal_id=connection.portal_id,
        role="admin" if proof.admin else "viewer",
        name=proof.name,
        language=language or None,
        framed=True,
    )


def _administrator() -> Identity:
    person = asking()
    if person is None or not person.framed:
        raise Unauthorized("Open the application on the portal again.")
    if not person.may("admin"):
        raise Forbidden("Your role does not allow this.")
    return person


def _json(value: Value) -> Response:
    made = Response(dumps_bytes(value), content_type="application/json")
    made.headers["Cache-Control"] = "no-store"
    return made
