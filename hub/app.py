"""The web application: builds, wires, registers."""

from pathlib import Path

from flask import Flask

from hub.core import make_hub
from hub.endpoints.waiting import Waiting
from hub.logs import configure as configure_logs
from hub.portals.service import local_portal
from hub.presence import Presence
from hub.runtime import make_runtime
from hub.settings import Settings
from hub.upkeep.keeper import OF_WEB, Keeper, Task
from hub.web import access, api, assets, bitrix24, channels, health, hooks, i18n, pages, problems, sentences
from hub.web.limiter import LinkRates
from hub.web.proxies import TrustedProxies
from hub.web.security import secured
from hub.web.stopping import stopping

RECOVER_EVERY_S = 1.0
RECOVER_AFTER_S = 30.0
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def create_app(settings: Settings | None = None) -> Flask:
    """The application of one process. Without settings they come from the environment."""
    settings = settings or Settings.from_env()
    configure_logs(settings.log_format, settings.log_level)
    hub = make_hub(settings)
    with hub.db.write() as session:
        local_portal(session, settings)
    app = Flask(__name__, static_folder="web/static", template_folder=str(TEMPLATES))
    app.config.update(SECRET_KEY=settings.secret_key, MAX_CONTENT_LENGTH=None)
    app.extensions["hub"] = hub
    runtime = make_runtime(hub)
    app.extensions["hub.runtime"] = runtime
    presence = Presence(hub, "web").start()
    recover = Task("recover", RECOVER_EVERY_S, lambda _hub, _stop: runtime.recover(older_than_s=RECOVER_AFTER_S))
    Keeper(hub, (*OF_WEB, recover)).start()
    waiting = Waiting(
        hub,
        runtime.runner,
        runtime.postman,
        most=settings.result_waiters,
        wait=presence.wait,
        stopping=stopping.is_set,
    )
    problems.register(app)
    hooks.register(app, runtime.intake, waiting, LinkRates(settings))
    app.register_blueprint(channels.blueprint)
    app.register_blueprint(health.blueprint)
    api.register(app)
    access.register(app)
    i18n.register(app)
    sentences.register(app)
    assets.register(app)
    pages.register(app)
    bitrix24.register(app)
    app.after_request(secured)
    if settings.trusted_proxies:
        proxies = TrustedProxies(app.wsgi_app, settings.trusted_proxies)
        app.extensions["hub.links"].proxies = proxies
        app.wsgi_app = proxies  # type: ignore[method-assign]
    return app
