"""What a WSGI server imports: `gunicorn --config hub/web/gunicorn_conf.py wsgi:app`."""

from hub.app import create_app

app = create_app()
