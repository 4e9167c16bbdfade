"""Pages of an application inside the portal: what is posted into the frame, and the frame's commands.

The commands come from the portal's own page, which passes on what the application's page sends by postMessage.
"""

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from hub.sandbox.bitrix24 import lifecycle
from hub.sandbox.bitrix24.model import Installation, Portal, User
from hub.sandbox.bitrix24.refusals import Refusal
from hub.sandbox.bitrix24.tokens import Token

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

KEPT = 500


@dataclass
class Frame:
    """One render of a page: `action` is the address with its query, `fields` the form, `name` the iframe's name."""

    sid: str
    member_id: str
    client_id: str
    user_id: int
    placement: str
    action: str
    name: str
    origin: str
    fields: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    token: Token | None = None


class Frames:
    """The renders that may still send commands, by APP_SID."""

    def __init__(self) -> None:
        self._frames: dict[str, Frame] = {}

    def add(self, frame: Frame) -> None:
        """Remember a render."""
        self._frames[frame.sid] = frame
        for old in list(self._frames)[:-KEPT]:
            del self._frames[old]

    def find(self, sid: str) -> Frame:
        """A render. Raises Refusal."""
        frame = self._frames.get(sid)
        if frame is None:
            raise Refusal("UNKNOWN_APP_SID", "There is no such frame", 404)
        return frame

    def forget(self, member_id: str, client_id: str) -> None:
        """Drop the renders of an application that is gone."""
        for sid, frame in list(self._frames.items()):
            if (frame.member_id, frame.client_id) == (member_id, client_id):
                del self._frames[sid]


def render(
    cloud: "Cloud",
    portal: Portal,
    installation: Installation,
    user: User,
    *,
    placement: str = "DEFAULT",
    url: str = "",
    options: dict[str, Any] | None = None,
    finished: bool = False,
) -> Frame:
    """A page of the application for one person: the install page until the wizard is finished.

    Raises Refusal where the portal shows a notice in place of a frame.
    """
    app = installation.app
    with cloud.lock:
        if not installation.installed:
            if not user.admin:
                raise Refusal("NOT_INSTALLED", "Приложение установлено не до конца. Обратитесь к администратору.", 403)
            placement, url, options = "DEFAULT", app.install_url, {}
        if user.id in installation.barred:
            raise Refusal("user_access_error", "У вас нет доступа к приложению.", 403)
        target = url or app.app_url
        if not target:
            raise Refusal("NO_PAGE", "У приложения нет страницы.", 404)
        sid = secrets.token_hex(16)
        token = cloud.tokens.mint(app.client_id, portal.member_id, user.id, cloud.now())
        query = {"DOMAIN": portal.domain, "PROTOCOL": "0", "LANG": portal.lang, "APP_SID": sid}
        if finished:
            query["install_finished"] = "Y"
        shown = dict(options or {})
        if portal.modern:
            shown.setdefault("URI", _opened_at(installation, placement, shown))
        parts = urlsplit(target)
        frame = Frame(
            sid=sid,
            member_id=portal.member_id,
            client_id=app.client_id,
            user_id=user.id,
            placement=placement,
            action=target + ("&" if parts.query else "?") + urlencode(query),
            name=f"{portal.domain}|0|{sid}",
            origin=f"{parts.scheme}://{parts.netloc}",
            fields=_form(cloud, portal, installation, token, placement, shown),
            options=shown,
            token=token,
        )
        cloud.frames.add(frame)
    return frame


def _opened_at(installation: Installation, placement: str, options: dict[str, Any]) -> str:
    """The portal's own address of the page around the frame."""
    if placement == "REST_APP_URI":
        params = urlencode({f"params[{name}]": value for name, value in options.items()})
        return f"/marketplace/view/{installation.app.client_id}/?{params}"
    card = re.match(r"CRM_([A-Z]+)_DETAIL_", placement)
    if card is None:
        return f"/marketplace/app/{installation.number}/"
    return f"/crm/{card[1].lower()}/details/{options.get('ID', 0)}/?IFRAME=Y&IFRAME_TYPE=SIDE_SLIDER"


def _form(
    cloud: "Cloud", portal: Portal, installation: Installation, token: Token, placement: str, options: dict[str, Any]
) -> dict[str, str]:
    fields = {
        "AUTH_ID": token.access,
        "AUTH_EXPIRES": str(round(token.expires - cloud.now())),
        "REFRESH_ID": token.refresh,
    }
    if portal.modern:
        fields |= {
            "SERVER_ENDPOINT": cloud.server_endpoint,
            "APPLICATION_TOKEN": installation.application_token,
            "APPLICATION_SCOPE": ",".join(installation.scope),
        }
    fields |= {"member_id": portal.member_id, "status": installation.app.status, "PLACEMENT": placement}
    if options or placement != "DEFAULT":
        fields["PLACEMENT_OPTIONS"] = json.dumps(options, separators=(",", ":")).replace("/", "\\/")
    return fields


def command(cloud: "Cloud", portal: Portal, sid: str, name: str, params: dict[str, Any]) -> Any:
    """Carry out a command of the frame's page that changes or asks the portal. Raises Refusal."""
    with cloud.lock:
        frame = cloud.frames.find(sid)
        installation = portal.installations.get(frame.client_id)
        if installation is None or frame.member_id != portal.member_id:
            raise Refusal("NOT_INSTALLED", "The application is not on this portal", 404)
        user = portal.user(frame.user_id)
        if name == "getInitData":
            return _init_data(cloud, portal, installation, user, frame)
        if name == "setInstallFinish":
            finished = lifecycle.finish(cloud, portal, installation, user)
            return {"reload": finished}
        if name == "setInstall":
            return {"install": bool(params.get("install", True))}
        if name == "refreshAuth":
            frame.token = cloud.tokens.mint(frame.client_id, portal.member_id, user.id, cloud.now())
            return _auth(cloud, frame.token)
        if name in ("setAppOption", "setUserOption"):
            return _set_option(installation, user, name, params)
        if name == "setPropertyValue":
            return cloud.automation.set_properties(portal, frame.options, params)
    raise Refusal("UNKNOWN_COMMAND", f"The frame has no command {name}", 400)


def _init_data(cloud: "Cloud", portal: Portal, installation: Installation, user: User, frame: Frame) -> dict[str, Any]:
    token = frame.token
    assert token is not None
    return {
        "LANG": portal.lang,
        "DOMAIN": portal.domain,
        "PROTOCOL": 0,
        "PATH": "/rest",
        **_auth(cloud, token),
        "MEMBER_ID": portal.member_id,
        "FIRST_RUN": not installation.installed,
        "IS_ADMIN": user.admin,
        "INSTALL": not installation.installed,
        "USER_OPTIONS": installation.user_options.get(user.id, {}),
        "APP_OPTIONS": installation.options,
        "PLACEMENT": frame.placement,
        "PLACEMENT_OPTIONS": frame.options,
    }


def _auth(cloud: "Cloud", token: Token) -> dict[str, Any]:
    return {
        "AUTH_ID": token.access,
        "AUTH_EXPIRES": str(round(token.expires - cloud.now())),
        "REFRESH_ID": token.refresh,
    }


def _set_option(installation: Installation, user: User, name: str, params: dict[str, Any]) -> dict[str, Any]:
    if name == "setAppOption" and not user.admin:
        raise Refusal("ACCESS_DENIED", "Administrator authorization required", 403)
    held = installation.options if name == "setAppOption" else installation.user_options.setdefault(user.id, {})
    held[str(params.get("name", ""))] = params.get("value")
    return held
