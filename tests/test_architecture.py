"""Architecture rules: import directions, writers, and authenticated routes."""

import ast
import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from invite_app import errors
from tests.support.databases import on_sqlite
from tests.support.factories import make_organization

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "invite_app"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
NAMES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in SOURCES}

INTERFACES = {"pages", "api", "cli"}
PAST_THE_SESSION = {"handover", "prepared", "reading", "rows"}
MAY_NOT_IMPORT = {
    "pages": {"api", "cli", "worker"} | PAST_THE_SESSION,
    "api": {"pages", "cli", "worker"} | PAST_THE_SESSION,
    "cli": {"pages", "api"} | PAST_THE_SESSION,
    "services": INTERFACES | {"worker"},
    "mail": INTERFACES | {"worker", "services", "access", "db"},
    "access": INTERFACES | {"worker", "services", "mail"},
    "tokens": INTERFACES | {"worker", "services", "access", "mail", "models", "db"},
    **dict.fromkeys(PAST_THE_SESSION, INTERFACES | {"worker", "services", "access", "mail", "errors"}),
    "db": INTERFACES | {"worker", "services", "access", "mail"} | PAST_THE_SESSION,
    "models": INTERFACES
    | {"worker", "services", "access", "mail", "db", "errors", "tokens", "extensions"}
    | PAST_THE_SESSION,
    "errors": INTERFACES | {"worker", "services", "access", "mail", "db", "tokens", "models", "extensions"},
    "worker": INTERFACES | PAST_THE_SESSION,
}
WRITERS = {"services", "access", "db", "worker"}
FLASK_FOR_SERVICES = {"Flask", "current_app"}
WEB_PACKAGES = {"flask_wtf", "wtforms", "flask_login", "flask_limiter", "werkzeug", "pydantic", "click"}

# Imports inside functions, for modules that startup skips: see test_cold_start.py.
LATE = {
    "email_validator",
    "flask_migrate",
    "invite_app.cli",
    "invite_app.services.rate_limits.redis",
    "rapidfuzz",
    "sqlalchemy.dialects.postgresql",
    "zxcvbn_rs_py",
}

# Services and pages from left to right: each group imports only groups to its left, and its own.
ORDER = {
    "services": (
        {
            "copied_links",
            "held_mail",
            "idempotency",
            "invited_domains",
            "inviter_mail",
            "inviter_rights",
            "pagination",
            "private_metadata",
            "rate_limits",
            "suggestions",
            "timeline",
            "validation",
        },
        {"search"},
        {"audit"},
        {"api_key_revocation", "delivery"},
        {"roles", "workspaces"},
        {"accounts"},
        {"api_keys", "organizations"},
        {"invitations"},
        {"imports"},
        {"members"},
        {"backups", "cross_search", "demo", "maintenance", "personal_data"},
    ),
    "pages": (
        {"shared"},
        {"blueprint"},
        {"account", "error_pages", "invitations", "invitee", "members"},
        {"imports", "organization"},
    ),
}

MAX_MODULES = 16

MAX_LINES, MAX_FUNCTION = 250, 40
# Files that consist of one long list, which is easy to read at any length.
LISTS = {"errors.py", "builder.py"}


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def layer_of(module: str) -> str:
    """Return the layer; a module of `db` that reads or writes past the session is one by itself."""
    _, *parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in PAST_THE_SESSION else "".join(parts[:1])


def imports_of(module: str, nodes: Iterable[ast.AST] | None = None) -> Iterator[tuple[str, str]]:
    """Return every import, or those among `nodes`, as (module, name); the name is empty for a plain `import`."""
    path = NAMES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree_of(path)) if nodes is None else nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            yield from ((source, alias.name) for alias in node.names)


def own_imports_of(module: str) -> set[str]:
    """Return the imported modules of invite_app; a name of a package may be a module."""
    found = set()
    for source, name in imports_of(module):
        target = f"{source}.{name}" if f"{source}.{name}" in NAMES else source
        if target in NAMES:
            found.add(target)
    return found


@pytest.mark.parametrize("module", NAMES)
class TestEachModule:
    def test_imports_only_from_lower_layers(self, module: str) -> None:
        forbidden = MAY_NOT_IMPORT.get(layer_of(module), set())
        assert {target for target in own_imports_of(module) if layer_of(target) in forbidden} == set()

    def test_uses_the_web_only_as_an_interface(self, module: str) -> None:
        if layer_of(module) in ("services", "access", "models", "tokens", "mail", "errors"):
            taken = {name for source, name in imports_of(module) if source == "flask"}
            allowed = FLASK_FOR_SERVICES | (
                {"render_template", "current_app"} if layer_of(module) == "mail" else set()
            )
            assert taken <= allowed
            packages = {source.split(".")[0] for source, _ in imports_of(module)}
            assert packages & WEB_PACKAGES <= ({"flask_login"} if layer_of(module) == "models" else set())

    def test_writes_only_in_the_services(self, module: str) -> None:
        if layer_of(module) in WRITERS:
            return
        for node in ast.walk(tree_of(NAMES[module])):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                assert called not in ("transaction", "commit", "flush", "locked"), f"line {node.lineno}: {called}()"

    def test_imports_lazily_only_what_startup_skips(self, module: str) -> None:
        functions = (node for node in ast.walk(tree_of(NAMES[module])) if isinstance(node, ast.FunctionDef))
        inner = [node for function in functions for node in ast.walk(function)]
        late = {name for name, _ in imports_of(module, inner)}
        assert {name for name in late if name.split(".")[0] not in LATE and name not in LATE} == set()

    def test_is_short(self, module: str) -> None:
        path = NAMES[module]
        if path.name not in LISTS:
            assert len(path.read_text().splitlines()) <= MAX_LINES
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION, node.name


def test_has_no_circular_imports() -> None:
    graph = {
        module: {target for target in own_imports_of(module) if not module.startswith(f"{target}.")} - {module}
        for module in NAMES
    }
    assert list(TopologicalSorter(graph).static_order())


def aggregate_of(module: str) -> tuple[str, str]:
    """Return the layer and the package (or single module) in it that a module of services or pages belongs to."""
    parts = module.split(".")
    return (parts[1], parts[2]) if len(parts) > 2 and parts[1] in ORDER else ("", "")


def public_names_of(package: str) -> set[str]:
    """Return what `__all__` of a package lists."""
    for node in tree_of(NAMES[package]).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def is_face(module: str) -> bool:
    layer, aggregate = aggregate_of(module)
    return module == f"invite_app.{layer}.{aggregate}" and NAMES[module].name == "__init__.py"


@pytest.mark.parametrize("module", NAMES)
def test_imports_packages_only_by_their_public_face(module: str) -> None:
    for source, name in imports_of(module):
        layer, aggregate = aggregate_of(source)
        face = f"invite_app.{layer}.{aggregate}"
        if not aggregate or aggregate_of(module) == (layer, aggregate) or not is_face(face):
            continue
        assert source == face, f"{source} is inside of a package"
        assert name in public_names_of(face), f"{name} is not public in {face}"


@pytest.mark.parametrize("package", [module for module in NAMES if is_face(module)])
def test_a_public_face_only_imports(package: str) -> None:
    docstring, *rest = tree_of(NAMES[package]).body
    assert isinstance(docstring, ast.Expr)
    names = [node for node in rest if not isinstance(node, ast.ImportFrom)]
    assert [ast.unparse(node.targets[0]) for node in names if isinstance(node, ast.Assign)] in ([], ["__all__"])
    assert len(names) <= 1
    assert all(node.level == 1 for node in rest if isinstance(node, ast.ImportFrom))


@pytest.mark.parametrize("module", [module for module in NAMES if aggregate_of(module)[1]])
def test_imports_only_packages_to_its_left(module: str) -> None:
    layer, aggregate = aggregate_of(module)
    place = {name: number for number, group in enumerate(ORDER[layer]) for name in group}
    targets = {aggregate_of(target) for target in own_imports_of(module)}
    assert [name for other, name in targets if other == layer and place[name] > place[aggregate]] == []


def test_no_folder_has_too_many_modules() -> None:
    counts = Counter(path.parent for path in SOURCES)
    assert {str(folder): count for folder, count in counts.items() if count > MAX_MODULES} == {}


def error_classes() -> Iterator[type[errors.DomainError]]:
    for _, found in inspect.getmembers(errors, inspect.isclass):
        if issubclass(found, errors.DomainError) and found is not errors.DomainError:
            yield found


@pytest.mark.parametrize("error", list(error_classes()), ids=lambda error: error.__name__)
def test_every_error_has_a_message(error: type[errors.DomainError]) -> None:
    kinds = inspect.get_annotations(error.__init__)
    examples = {
        name: 3 if "int" in str(kind) else ("a", "b") if "tuple" in str(kind) else "x" for name, kind in kinds.items()
    }
    values = {name: example for name, example in examples.items() if name != "return"}
    message = str(error(**values))
    assert message.strip()
    assert "{" not in message
    assert not hasattr(error, "status")
    assert not hasattr(error, "code")


# --- authentication ---

# Routes that respond without authentication. All others reject anonymous requests.
PUBLIC = {
    "GET /static/<path:filename>",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /docs",
    "GET /openapi.json",
    # with a token of their own
    "GET /auth",
    "GET /invitations/<token>",
    "POST /invitations/<token>",
    "GET /invitations/<token>/decline",
    "POST /invitations/<token>/decline",
    "POST /invitations/<token>/sign-out",
    "GET /api/v1/invitations/<token>",
    "POST /api/v1/invitations/<token>/accept",
    "POST /api/v1/invitations/<token>/decline",
    "POST /invitations/<token>/ask",
    "POST /invitations/<token>/opened",
    "GET /account/address/<token>",
    "POST /account/address/<token>",
    "GET /reset/<token>",
    "POST /reset/<token>",
    "GET /sign-in/<token>",
    "POST /sign-in/<token>",
    "GET /setup/<token>",
    "POST /setup/<token>",
    # authentication itself
    "GET /setup",
    "POST /setup",
    "GET /sign-in",
    "POST /sign-in",
    "GET /forgot",
    "GET /forgot/sent",
    "POST /forgot",
    "POST /appearance",
}


def address_of(rule: Rule) -> str:
    """Return a path that the rule matches, with ids of nothing."""
    values = {"uuid": "01980000-0000-7000-8000-000000000001", "string": "x", "path": "x", "int": "1"}
    return re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda found: values.get(found[1] or "string", "x"), rule.rule)


@on_sqlite
def test_every_route_is_guarded_or_public(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        make_organization()
    client: FlaskClient = app.test_client()
    open_to_all: dict[str, int] = {}
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            answer = client.open(address_of(rule), method=method)
            sent_away = answer.status_code in (302, 303) and "/sign-in" in answer.headers["Location"]
            if answer.status_code not in (401, 403) and not sent_away:
                open_to_all[f"{method} {rule.rule}"] = answer.status_code
            answer.close()
    assert {name: status for name, status in open_to_all.items() if name not in PUBLIC} == {}
