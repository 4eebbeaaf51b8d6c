"""Pages of imports: paste or upload a list of people, correct and send it, see its progress."""

from . import (  # noqa: F401 - importing a module adds its views to the blueprint
    progress,
    review,
    start,
)
