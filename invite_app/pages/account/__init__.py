"""Pages of one's own account: setup, signing in, profile and password."""

from . import (  # noqa: F401 - importing a module adds its views to the blueprint
    access,
    data,
    home,
    password_reset,
    profile,
    setup,
    sign_in,
)
