"""Who may see and do what in the web UI: people with a password outside, Bitrix24's users inside its frame."""

from flask import Flask

from hub.web.access import loading, setup, signin


def register(app: Flask) -> None:
    """Add sign-in, the first account's set-up, and the loading of who is asking."""
    loading.register(app)
    setup.announce(app.extensions["hub"])
    app.register_blueprint(signin.blueprint)
    app.register_blueprint(setup.blueprint)
