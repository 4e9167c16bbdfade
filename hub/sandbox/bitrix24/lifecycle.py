"""Installing, finishing, updating and removing an application."""

from typing import TYPE_CHECKING

from hub.sandbox.bitrix24.events import Hit
from hub.sandbox.bitrix24.model import App, Handler, Installation, Portal, User, application_token

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud


def install(cloud: "Cloud", portal: Portal, app: App, user: User) -> Installation:
    """Put an application on the portal; one that is there already stays as it is.

    With a wizard it is not installed until its page says so. Without a page, ONAPPINSTALL is bound to the install URL
    and sent at once.
    """
    with cloud.lock:
        if app.client_id in portal.installations:
            return portal.installations[app.client_id]
        installation = Installation(
            app=app,
            number=portal.crm.number("application", 7),
            application_token=application_token(portal, app),
            installed_by=user.id,
            scope=list(app.scope),
            version=app.version,
            installed=app.api_only or not app.install_url,
        )
        installation.options, installation.user_options = portal.kept.pop(app.client_id, ({}, {}))
        portal.installations[app.client_id] = installation
        if app.api_only and app.install_url:
            installation.handlers.append(Handler(_number(portal), "ONAPPINSTALL", app.install_url))
            _tell_installed(cloud, portal, installation, user)
    return installation


def finish(cloud: "Cloud", portal: Portal, installation: Installation, user: User) -> bool:
    """End the wizard: the application counts as installed and is told; False when it was installed already."""
    with cloud.lock:
        if installation.installed:
            return False
        installation.installed = True
        _tell_installed(cloud, portal, installation, user)
    return True


def uninstall(cloud: "Cloud", portal: Portal, client_id: str, *, clean: bool) -> bool:
    """Remove an application with all it registered, and tell it; False when it is not there.

    Its tokens stop working at once. Options of a local application go in any case, of another one only with `clean`.
    """
    with cloud.lock:
        installation = portal.installations.pop(client_id, None)
        if installation is None:
            return False
        hit = Hit(cloud, portal, None)
        data = {"LANGUAGE_ID": portal.lang, "CLEAN": 1 if clean else 0}
        hit.tell_one(installation, installation.handlers, "ONAPPUNINSTALL", data)
        forget_registrations(installation)
        if installation.app.status != "L" and not clean:
            portal.kept[client_id] = (installation.options, installation.user_options)
        for token in cloud.tokens.by_access.values():
            if (token.client_id, token.member_id) == (client_id, portal.member_id):
                token.revoked = True
        cloud.automation.forget(portal, client_id)
        cloud.frames.forget(portal.member_id, client_id)
    return True


def update(cloud: "Cloud", portal: Portal, installation: Installation, version: int, user: User) -> None:
    """Bring a newer version: what the old one registered is gone, and its installer has to run again."""
    with cloud.lock:
        bound, before = list(installation.handlers), installation.version
        forget_registrations(installation)
        installation.version = installation.app.version = version
        installation.scope = list(installation.app.scope)
        installation.installed = installation.app.api_only or not installation.app.install_url
        data = {"VERSION": version, "PREVIOUS_VERSION": before, "LANGUAGE_ID": portal.lang}
        Hit(cloud, portal, user).tell_one(installation, bound, "ONAPPUPDATE", data)


def pay(cloud: "Cloud", portal: Portal, installation: Installation, paid: bool, user: User) -> None:
    """Let the application's subscription end or begin, and tell it."""
    with cloud.lock:
        installation.paid = paid
        data = {
            "CODE": installation.app.client_id,
            "VERSION": installation.version,
            "STATUS": installation.app.status,
            "PAYMENT_EXPIRED": "N" if paid else "Y",
            "DAYS": 30 if paid else 0,
            "LANGUAGE_ID": portal.lang,
        }
        Hit(cloud, portal, user).tell_one(installation, installation.handlers, "ONAPPPAYMENT", data)


def forget_registrations(installation: Installation) -> None:
    """Drop handlers, placements, robots, senders and connectors."""
    installation.handlers = []
    installation.placements = []
    installation.activities = {}
    installation.senders = {}
    installation.connectors = {}
    installation.offline = []


def _tell_installed(cloud: "Cloud", portal: Portal, installation: Installation, user: User) -> None:
    data = {"VERSION": installation.version, "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": portal.lang}
    if not portal.modern:
        data = {"VERSION": installation.version, "LANGUAGE_ID": portal.lang}
    Hit(cloud, portal, user).tell_one(installation, installation.handlers, "ONAPPINSTALL", data)


def _number(portal: Portal) -> int:
    return portal.crm.number("handler", 3)
