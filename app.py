"""The application that `flask run` and gunicorn serve."""

import sys

from invite_app import create_app
from invite_app.errors import ConfigurationError

try:
    app = create_app()
except ConfigurationError as error:
    print(f"invite_app cannot start. {error}", file=sys.stderr)  # noqa: T201 - there is no log yet
    # gunicorn tries again for ever unless a worker ends with 3; to the reloader of `flask run` 3 means just that.
    sys.exit(3 if "gunicorn" in sys.modules else 1)
