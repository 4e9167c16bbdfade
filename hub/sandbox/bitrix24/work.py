"""What a person or a test does on a portal: installing, changing cards, setting faults of the portal's own."""

import secrets
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from hub.sandbox.bitrix24 import frames, lifecycle, messages, openlines
from hub.sandbox.bitrix24.crm import views
from hub.sandbox.bitrix24.events import Hit
from hub.sandbox.bitrix24.methods.crm_cards import multi_changes
from hub.sandbox.bitrix24.model import App, Installation, Outgoing, Portal, User, Webhook
from hub.sandbox.bitrix24.processes import KINDS, Step
from hub.sandbox.bitrix24.refusals import Refusal
from hub.sandbox.bitrix24.showing import SETTABLE, frame_shown, portal_shown
from hub.sandbox.bitrix24.tokens import Tokens

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

Asked = dict[str, Any]


def set_app(cloud: "Cloud", _portal: Portal, asked: Asked) -> Asked:
    """Register an application, or change some fields of one."""
    known = cloud.apps.get(asked["client_id"])
    return asdict(cloud.add_app(App(**asked) if known is None else replace(known, **asked)))


def add_portal(cloud: "Cloud", _portal: Portal, asked: Asked) -> Asked:
    """Another portal at an address of its own."""
    users = asked.pop("users", [])
    made = cloud.make_portal(**asked)
    for user in users:
        made.users[int(user["id"])] = User(**user)
    return portal_shown(cloud, made)


def set_portal(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Change settings of a portal; Enterprise brings its own limits."""
    for name, value in asked.items():
        if name == "features":
            portal.features = set(value)
        elif name in SETTABLE:
            setattr(portal, name, value)
        else:
            raise KeyError(name)
    if asked.get("plan") == "enterprise":
        portal.burst, portal.rate = asked.get("burst", 250), asked.get("rate", 5.0)
    cloud.limits.forget()
    return portal_shown(cloud, portal)


def move_portal(cloud: "Cloud", portal: Portal, _asked: Asked) -> Asked:
    """Give the portal a new domain."""
    assert cloud.move_portal is not None
    return {"domain": cloud.move_portal(portal)}


def set_user(_cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Add or change a person; `barred` takes the applications away from them."""
    barred = asked.pop("barred", None)
    number = int(asked["id"])
    known = portal.users.get(number)
    made = User(**asked) if known is None else replace(known, **asked)
    portal.users[number] = made
    for installation in portal.installations.values():
        if barred is not None:
            (installation.barred.add if barred else installation.barred.discard)(number)
    return asdict(made)


def add_webhook(_cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """An incoming webhook; its address ends in a slash."""
    hook = Webhook(int(asked.get("user", 1)), secrets.token_hex(8), list(asked.get("scope", ["crm"])))
    portal.webhooks.append(hook)
    return {"url": f"{portal.client_endpoint}{hook.user_id}/{hook.code}/", "code": hook.code}


def add_outgoing(_cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """An outgoing webhook, which needs no application."""
    hook = Outgoing(str(asked["event"]).upper(), str(asked["url"]), secrets.token_hex(16))
    portal.outgoing.append(hook)
    return asdict(hook)


def install(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Put an application on the portal, as an administrator does; the answer has the frame of its first page."""
    user = _user(portal, asked)
    if not user.admin:
        raise Refusal("ACCESS_DENIED", "Only an administrator may install applications", 403)
    app = cloud.apps[_client_id(cloud, asked)]
    installation = lifecycle.install(cloud, portal, app, user)
    shown: Asked = {"installed": installation.installed, "application_token": installation.application_token}
    if not app.api_only:
        shown["frame"] = frame_shown(frames.render(cloud, portal, installation, user))
    return shown


def open_frame(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """A page of the application for a person: the main one, or a placement with its options."""
    installation = _installation(cloud, portal, asked)
    placement, url, options = asked.get("placement", "DEFAULT"), asked.get("handler", ""), asked.get("options")
    if placement == "SETTING_CONNECTOR":
        url, options = openlines.settings_page(installation, str(asked["connector"]), int(asked["line"]))
    elif placement != "DEFAULT" and not url:
        bound = [row for row in installation.placements if row.placement == placement]
        if not bound:
            raise Refusal("ERROR_PLACEMENT_NOT_FOUND", "The placement is not bound")
        url = bound[0].handler
    frame = frames.render(
        cloud,
        portal,
        installation,
        _user(portal, asked),
        placement=placement,
        url=url,
        options=options,
        finished=bool(asked.get("finished")),
    )
    return frame_shown(frame)


def uninstall(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Remove an application."""
    gone = lifecycle.uninstall(cloud, portal, _client_id(cloud, asked), clean=bool(asked.get("clean")))
    return {"removed": gone}


def update(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Bring a newer version of an application."""
    installation = _installation(cloud, portal, asked)
    version = int(asked.get("version", installation.version + 1))
    lifecycle.update(cloud, portal, installation, version, _user(portal, asked))
    return {"version": version}


def pay(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Let a subscription end or begin."""
    lifecycle.pay(cloud, portal, _installation(cloud, portal, asked), bool(asked["paid"]), _user(portal, asked))
    return {"paid": bool(asked["paid"])}


def change_card(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Add, change or delete a card as a person (or as automation, with user 0). Fields have their legacy names."""
    kind = portal.crm.kind(int(asked.get("entityTypeId", 2)))
    person = portal.user(int(asked.get("user", 1))) if asked.get("user", 1) else None
    hit, given, number = Hit(cloud, portal, person), asked.get("fields", {}), int(asked.get("id", 0))
    do = asked.get("do", "update")
    if do == "add":
        number = portal.crm.add(hit, kind, given, multi_changes(given))
    elif do == "delete":
        portal.crm.delete(hit, kind, number)
    else:
        portal.crm.update(hit, kind, number, given, multi_changes(given), universal=True)
    hit.flush()
    return {"id": number}


def show_cards(portal: Portal, kind_number: int) -> list[Asked]:
    """All cards of a kind."""
    kind = portal.crm.kind(kind_number)
    return [views.legacy_card(portal.crm, kind, card) for card in portal.crm.items[kind.id].values()]


def show_card(portal: Portal, kind_number: int, number: int) -> Asked:
    """A card with what stands in its timeline."""
    kind = portal.crm.kind(kind_number)
    card = views.legacy_card(portal.crm, kind, portal.crm.get(kind, number))
    mine = [row for row in portal.crm.comments.values() if (row["kind"], row["item"]) == (kind_number, number)]
    notes = [row for row in portal.crm.log_messages.values() if (row["kind"], row["item"]) == (kind_number, number)]
    todo = [row for row in portal.crm.activities.values() if (row["kind"], row["item"]) == (kind_number, number)]
    return {"card": card, "comments": mine, "log_messages": notes, "activities": todo}


def fire_event(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Cause an event by hand."""
    person = portal.user(int(asked.get("user", 1))) if asked.get("user", 1) else None
    hit = Hit(cloud, portal, person)
    hit.fire(str(asked["event"]).upper(), asked.get("data", {}))
    hit.flush()
    return {"ok": True}


def place_robots(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Put robots on a stage of deals (or of another kind of card)."""
    steps = [_step(cloud, row) for row in asked["steps"]]
    cloud.automation.place(portal, int(asked.get("entityTypeId", 2)), str(asked["stage"]), steps)
    return {"steps": len(steps)}


def place_trigger(_cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Let a trigger lead to a stage: one of an application's, or with any other code the portal's own webhook."""
    portal.triggers[int(asked.get("entityTypeId", 2)), str(asked["code"])] = str(asked["stage"])
    return {"triggers": len(portal.triggers)}


def run_robots(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Run robots over a card at once, without a stage."""
    steps = [_step(cloud, row) for row in asked["steps"]]
    process = cloud.automation.run(portal, int(asked.get("entityTypeId", 2)), int(asked["id"]), steps)
    return asdict(process)


def send_sms(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Send a text from a card through a provider, as a person."""
    installation = _installation(cloud, portal, asked)
    owner = {"OWNER_TYPE_ID": int(asked.get("entityTypeId", 2)), "OWNER_ID": int(asked.get("id", 1))}
    sent = messages.send(
        cloud,
        portal,
        installation,
        str(asked["code"]),
        str(asked["to"]),
        str(asked["text"]),
        _user(portal, asked),
        {"bindings": [owner]},
    )
    return asdict(sent)


def say_in_open_line(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """An operator's answer in a chat of an open line."""
    hit = Hit(cloud, portal, _user(portal, asked))
    return cloud.open_lines.say(
        portal, hit, str(asked["connector"]), int(asked["line"]), str(asked["chat"]), str(asked["text"])
    )


def mint(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """A pair of tokens of a person, as if out of nowhere; `code` instead gives an authorization code."""
    client_id, user = _client_id(cloud, asked), _user(portal, asked)
    if asked.get("code"):
        return {"code": cloud.tokens.code(client_id, portal.member_id, user.id, cloud.now())}
    return asdict(cloud.tokens.mint(client_id, portal.member_id, user.id, cloud.now()))


def expire(cloud: "Cloud", portal: Portal, asked: Asked) -> Asked:
    """Let the access tokens of an application be over, or with `refresh` its refresh tokens."""
    client_id = _client_id(cloud, asked)
    refresh = bool(asked.get("refresh"))
    return {"expired": cloud.tokens.expire(client_id, portal.member_id, cloud.now(), refresh=refresh)}


def advance(cloud: "Cloud", _portal: Portal, asked: Asked) -> Asked:
    """Set the clock forward."""
    cloud.advance(float(asked["advance_s"]))
    return {"now": cloud.now()}


def reset(cloud: "Cloud") -> None:
    """Every portal as on its first day, without applications, records and faults. Applications stay registered."""
    with cloud.lock:
        cloud.queue.forget()
        cloud.automation.clear()
        cloud.outbox.messages.clear()
        cloud.limits.forget()
        cloud.calls.clear()
        cloud.notifications.clear()
        cloud.open_lines.chats.clear()
        cloud.tokens = Tokens()
        for portal in cloud.portals.values():
            portal.installations.clear()
            portal.triggers.clear()
            portal.kept.clear()
            portal.webhooks.clear()
            portal.outgoing.clear()
            cloud.furnish(portal)


def _client_id(cloud: "Cloud", asked: Asked) -> str:
    return str(asked.get("client_id") or next(iter(cloud.apps)))


def _installation(cloud: "Cloud", portal: Portal, asked: Asked) -> Installation:
    found = portal.installations.get(_client_id(cloud, asked))
    if found is None:
        raise Refusal("NOT_INSTALLED", "The application is not on this portal", 404)
    return found


def _user(portal: Portal, asked: Asked) -> User:
    return portal.user(int(asked.get("user", 1)))


def _step(cloud: "Cloud", row: Asked) -> Step:
    if row.get("kind") not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}")
    return Step(**{"client_id": _client_id(cloud, row), **row})
