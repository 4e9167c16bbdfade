"""What an application stores on the portal: for all, and for each person."""

from typing import Any

from hub.sandbox.bitrix24.calls import Call, registry
from hub.sandbox.bitrix24.refusals import Refusal, access_denied


def _get(held: dict[str, Any], call: Call) -> Any:
    name = call.arg("option")
    if name in (None, ""):
        return dict(held)
    return held.get(str(name), "")


def _set(held: dict[str, Any], call: Call) -> bool:
    options = call.arg("options")
    if not isinstance(options, dict) or not options:
        raise Refusal("ERROR_ARGUMENT", "Argument 'options' is null or empty", argument="options")
    held |= options
    return True


@registry.add("app.option.get", app_only=True)
def app_get(call: Call) -> Any:
    """One option or all."""
    return _get(call.app.options, call)


@registry.add("app.option.set", app_only=True)
def app_set(call: Call) -> bool:
    """Set options; for administrators."""
    if not call.user.admin:
        raise access_denied("Administrator authorization required")
    return _set(call.app.options, call)


@registry.add("user.option.get", app_only=True)
def user_get(call: Call) -> Any:
    """One of the person's options or all."""
    return _get(call.app.user_options.setdefault(call.user.id, {}), call)


@registry.add("user.option.set", app_only=True)
def user_set(call: Call) -> bool:
    """Set the person's options."""
    return _set(call.app.user_options.setdefault(call.user.id, {}), call)
