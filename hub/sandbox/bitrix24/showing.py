"""What the control addresses tell of portals and applications."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hub.sandbox.bitrix24.crm.kinds import DEAL
from hub.sandbox.bitrix24.frames import Frame
from hub.sandbox.bitrix24.model import Installation, Portal

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

SETTABLE = (
    "title",
    "lang",
    "offset_h",
    "plan",
    "modern",
    "moved_to",
    "burst",
    "rate",
    "operating_limit_s",
    "operating_cost_s",
)


def state(cloud: "Cloud", portal: Portal) -> dict[str, Any]:
    """Everything there is to see."""
    return {
        "now": cloud.now(),
        "oauth_url": cloud.oauth_url,
        "here": portal.member_id,
        "stages": [
            {"category": category["id"], "id": row["STATUS_ID"], "name": row["NAME"]}
            for category in portal.crm.dictionaries.categories[DEAL]
            for row in portal.crm.dictionaries.stages(DEAL, category["id"])
        ],
        "apps": [asdict(app) for app in cloud.apps.values()],
        "portals": [portal_shown(cloud, one) for one in cloud.portals.values()],
        "processes": [asdict(process) for process in cloud.automation.processes],
        "sms": [asdict(sms) for sms in cloud.outbox.messages],
        "notifications": cloud.notifications,
        "refreshes": cloud.tokens.refreshes,
    }


def portal_shown(cloud: "Cloud", portal: Portal) -> dict[str, Any]:
    """A portal with its people, applications and robots."""
    robots = cloud.automation.stages(portal).items()
    return {
        **{name: getattr(portal, name) for name in SETTABLE},
        "domain": portal.domain,
        "member_id": portal.member_id,
        "client_endpoint": portal.client_endpoint,
        "features": sorted(portal.features),
        "users": [asdict(user) for user in portal.users.values()],
        "installations": [_installation_shown(one) for one in portal.installations.values()],
        "robots": [
            {"entityTypeId": kind, "stage": stage, "steps": [asdict(step) for step in steps]}
            for (kind, stage), steps in robots
        ],
    }


def _installation_shown(one: Installation) -> dict[str, Any]:
    return {
        "client_id": one.app.client_id,
        "number": one.number,
        "installed": one.installed,
        "paid": one.paid,
        "version": one.version,
        "application_token": one.application_token,
        "scope": one.scope,
        "handlers": [asdict(handler) for handler in one.handlers],
        "placements": [asdict(placement) for placement in one.placements],
        "activities": [asdict(activity) for activity in one.activities.values()],
        "senders": [asdict(sender) for sender in one.senders.values()],
        "connectors": [
            {"id": row.id, "name": row.name, "active": sorted(row.active)} for row in one.connectors.values()
        ],
        "offline": [asdict(row) for row in one.offline],
    }


def frame_shown(frame: Frame) -> dict[str, Any]:
    """A render of a page: where the form goes, and what is in it."""
    names = ("sid", "placement", "action", "name", "origin", "fields")
    return {name: getattr(frame, name) for name in names}
