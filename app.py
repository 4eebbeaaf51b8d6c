"""The application that `flask run` and gunicorn serve."""

from invite_app import create_app

app = create_app()
