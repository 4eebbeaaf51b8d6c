"""Rules for the files of the repository."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.metadata import distributions
from itertools import pairwise
from pathlib import Path
from tokenize import COMMENT, tokenize

import pytest

ROOT = Path(__file__).parents[1]
TOP_LEVEL = {
    "Makefile",
    "README.md",
    "app.py",
    "constraints.txt",
    "gunicorn.conf.py",
    "invite_app",
    "pyproject.toml",
    "static",
    "templates",
    "tests",
}
LOCK_FILES = {"package-lock.json", "pdm.lock", "Pipfile.lock", "poetry.lock", "pylock.toml", "uv.lock", "yarn.lock"}
TEXT = {
    ".cfg",
    ".conf",
    ".css",
    ".example",
    ".html",
    ".ini",
    ".js",
    ".json",
    ".mako",
    ".md",
    ".py",
    ".service",
    ".toml",
    ".txt",
    ".yaml",
    "",
}

# The brackets keep these patterns from finding themselves.
MACHINE_PATHS = re.compile(rf"{re.escape(str(ROOT))}/|/[h]ome/|/[U]sers/|/[r]oot/|[A-Z]:\\[U]sers")
REGISTRIES = re.compile(r"[p]ypi\.org|[p]ythonhosted\.org|[r]egistry\.npmjs|--[i]ndex-url")

# Folders whose prose follows invite_app/README.md.
PROSE = ["invite_app", "tests"]
RELATIVE_START = re.compile(r"(What|Who|Whoever|Whether|Which|Where|How|Of|That)\b")
FIGURE = re.compile(r"\d ?((ms|us|MiB)\b|%)")
MAX_TEST_WORDS = 8
MAX_TEMPLATE_LINE = 160
MAX_MODULES = 16


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Return the files that a clone has."""
    git = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if git.returncode:
        pytest.skip("not a git checkout")
    return [Path(name) for name in git.stdout.split("\0") if name]


@pytest.fixture(scope="module")
def project() -> dict[str, list[str]]:
    """Return the dependencies in pyproject.toml, by group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {"run": project["dependencies"], **project["optional-dependencies"]}


@pytest.fixture(scope="module")
def constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_top_level_holds_only_listed_files(tracked: list[Path]) -> None:
    names = {path.parts[0] for path in tracked if not path.parts[0].startswith(".")}
    assert names <= TOP_LEVEL


def test_no_lock_file_contains_addresses(tracked: list[Path]) -> None:
    assert not [path for path in tracked if path.name in LOCK_FILES]


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRIES], ids=["machine paths", "registries"])
def test_no_file_names_a_machine_or_registry(tracked: list[Path], pattern: re.Pattern[str]) -> None:
    ours = [path for path in tracked if path.suffix in TEXT and (ROOT / path).is_file()]
    found = [f"{path}: {match[0]}" for path in ours for match in pattern.finditer((ROOT / path).read_text())]
    assert not found


def test_no_generated_files_are_tracked(tracked: list[Path]) -> None:
    leftovers = {".env", ".venv", "instance", "__pycache__", ".hypothesis", "node_modules"}
    assert not [path for path in tracked if leftovers & set(path.parts)]


def test_constraints_are_exact_versions(constraints: list[str]) -> None:
    exact = re.compile(r"[a-z0-9][a-z0-9.-]*==[0-9][0-9a-z.+!]*(; [a-z_]+ (<|<=|==|!=|>=|>) '[^']+')?")
    assert not [line for line in constraints if not exact.fullmatch(line)]
    names = [line.partition("==")[0] for line in constraints]
    assert names == sorted(set(names))


def test_constraints_cover_every_dependency(project: dict[str, list[str]], constraints: list[str]) -> None:
    pinned = {line.partition("==")[0] for line in constraints}
    wanted = {_name(requirement) for group in project.values() for requirement in group}
    assert wanted <= pinned


def test_constraints_cover_everything_installed(constraints: list[str]) -> None:
    """Indirect dependencies are pinned as well, so that two installs are the same."""
    tools = {"pip", "setuptools", "wheel", "invite-app", "uv"}
    installed = {_name(distribution.metadata["Name"]) for distribution in distributions(path=_site_packages())}
    pinned = {line.partition("==")[0] for line in constraints}
    assert installed - tools <= pinned


@pytest.mark.parametrize("folder", PROSE)
def test_docstrings_begin_with_verb_or_noun(folder: str) -> None:
    docstrings = [text for path in _modules(folder) for text in _docstrings(path)]
    relative = [text.splitlines()[0] for text in docstrings if RELATIVE_START.match(text)]
    assert len(relative) < len(docstrings) * 0.03, relative


@pytest.mark.parametrize("folder", PROSE)
def test_constants_are_explained_by_comments(folder: str) -> None:
    assert [place for path in _modules(folder) for place in _strings_below_assignments(path)] == []


def test_test_names_have_at_most_eight_words() -> None:
    names = {
        node.name
        for path in _modules("tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert sorted(name for name in names if name.count("_") > MAX_TEST_WORDS) == []


def test_no_test_is_hidden_in_a_function() -> None:
    functions = [
        (path, node)
        for path in _modules("tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    hidden = [
        f"{path.relative_to(ROOT)}:{inner.lineno}"
        for path, function in functions
        for statement in function.body
        for inner in ast.walk(statement)
        if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test_")
    ]
    assert hidden == []


def test_code_contains_no_measured_figures() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in _modules("invite_app")
        for text in (*_docstrings(path), *_comments(path))
        if FIGURE.search(text)
    ]
    assert found == []


def test_folders_have_at_most_16_modules() -> None:
    folders = Counter(path.parent.relative_to(ROOT) for path in _modules("invite_app") if path.stem != "__init__")
    assert {folder: count for folder, count in folders.items() if count > MAX_MODULES} == {}


def test_template_lines_are_short() -> None:
    lines = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "templates").rglob("*.*")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > MAX_TEMPLATE_LINE
    ]
    assert lines == []


def _modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def _docstrings(path: Path) -> list[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds))
    return [text for node in nodes if (text := ast.get_docstring(node))]


def _comments(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [token.string for token in tokenize(file.readline) if token.type == COMMENT]


def _strings_below_assignments(path: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{text.lineno}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(body := getattr(node, "body", None), list)
        for assignment, text in pairwise(body)
        if isinstance(assignment, ast.Assign | ast.AnnAssign)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    ]


def _name(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def _site_packages() -> list[str]:
    return [path for path in sys.path if path.startswith(sys.prefix) and path.endswith("site-packages")]
