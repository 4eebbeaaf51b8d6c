"""Pages of the organization: overview, settings, workspaces, roles, API keys, audit log, local outbox."""

from . import (  # noqa: F401 - importing a module adds its views to the blueprint
    api_keys,
    audit,
    outbox,
    overview,
    roles,
    settings,
    workspaces,
)
