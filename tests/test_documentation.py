"""Documentation and deployment files that name links, commands and settings of this project."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from invite_app.config import FALLBACKS, Settings
from invite_app.services.rate_limits import limits
from tests.support.databases import on_sqlite
from tests.support.server import BIN, ServerProcess, clean_environ

ROOT = Path(__file__).parents[1]
OTHERS = ("invite_app/README.md", "invite_app/deploy/README.md", "tests/README.md", "tests/benchmarks/README.md")
DEPLOY = ROOT / "invite_app" / "deploy"
READMES = [ROOT / name for name in ("README.md", *OTHERS)]
DEPLOYMENT = sorted(path for path in DEPLOY.iterdir() if path.suffix != ".md")
MAX_LINES = 200

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"[\w./-]+\.(?:py|md|toml|txt|html)")
IDENTIFIER = re.compile(r"(?!test_)(?:\w+\.)*(?:[a-z]\w*_\w*[a-z0-9]|[A-Z][a-z]\w*[A-Z]\w*)")
MODULE = re.compile(r"python -m ([\w.]+)")
INLINE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SETTING = re.compile(r"\bINVITE_[A-Z][A-Z_]*[A-Z]\b")
TABLE_ROW = re.compile(r"^\| `([A-Z_]+)` \| *(.*?) *\| ", re.MULTILINE)

SETTINGS = {f"INVITE_{name.upper()}": name for name in Settings.model_fields}
# Read by gunicorn.conf.py, and by containers and tests.
OTHER_VARIABLES = {"WEB_CONCURRENCY", "WEB_THREADS"}
TEST_VARIABLES = {"INVITE_TEST_FAULTS_COUNT", "INVITE_TEST_POSTGRES_URL"}

each_readme = pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
each_file = pytest.mark.parametrize("file", [*READMES, *DEPLOYMENT], ids=lambda path: str(path.relative_to(ROOT)))


def anchors(text: str) -> set[str]:
    """Return the fragments of a page's headings as GitHub derives them."""
    titles = (heading.lower() for heading in HEADING.findall(FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def commands(text: str, program: str) -> Iterator[list[str]]:
    """Yield the words after `program` in code, up to the end of the command; a `#` begins a comment."""
    blocks = [(block if language == "sh" else "") for language, block in FENCE.findall(text)]
    code = "\n".join([*blocks, *INLINE.findall(FENCE.sub("", text))]).replace("\\\n", " ")
    for match in re.finditer(rf"(?:^|[\s(/]){program}((?: +[^\n|;)#]+)?)", code):
        try:
            yield shlex.split(match[1])
        except ValueError:  # an apostrophe, not a quote
            yield match[1].split()


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MAX_LINES


@each_readme
def test_links_resolve(readme: Path) -> None:
    text = readme.read_text()
    for link in LINK.findall(FENCE.sub("", text)):
        target, _, fragment = link.partition("#")
        if target.startswith("https://"):
            continue
        file = (readme.parent / target).resolve() if target else readme
        assert file.exists(), link
        assert not fragment or fragment in anchors(file.read_text()), link


@each_readme
def test_named_files_exist(readme: Path) -> None:
    named = {code for code in INLINE.findall(FENCE.sub("", readme.read_text())) if FILE.fullmatch(code)}
    files = {f"/{path.relative_to(ROOT)}" for top in ("invite_app", "tests", "templates") for path in _files(top)}
    files |= {f"/{path.name}" for path in ROOT.iterdir()}
    assert {name for name in named if not any(file.endswith(f"/{name}") for file in files)} == set()


def _files(folder: str) -> Iterator[Path]:
    return (path for path in (ROOT / folder).rglob("*.*") if "__pycache__" not in path.parts)


@each_readme
def test_named_code_exists(readme: Path) -> None:
    """Identifiers with an underscore or inner capitals occur in the code."""
    codes = INLINE.findall(FENCE.sub("", readme.read_text()))
    named = {code for code in codes if IDENTIFIER.fullmatch(code) and not FILE.fullmatch(code)}
    words = {word for folder in ("invite_app", "tests") for file in _files(folder) for word in _words(file)}
    words |= _words(ROOT / "gunicorn.conf.py") | {path.stem for path in (*_files("invite_app"), *_files("tests"))}
    assert {name for name in named if name.split(".")[-1] not in words} == set()


def _words(file: Path) -> set[str]:
    return set(re.findall(r"\w+", file.read_text())) if file.suffix == ".py" else set()


@each_readme
def test_modules_to_run_exist(readme: Path) -> None:
    for module in set(MODULE.findall(readme.read_text())) - {"pytest"}:
        file = ROOT / module.replace(".", "/")
        assert file.with_suffix(".py").exists() or (file / "__main__.py").exists(), module


@each_readme
def test_make_targets_exist(readme: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words[0] for words in commands(readme.read_text(), "make") if words}
    assert named <= targets


@on_sqlite
@each_readme
def test_commands_exist(readme: Path, app: Flask) -> None:
    for words in commands(readme.read_text(), "flask"):
        check_command(app.cli, words)


def check_command(group: click.Command, words: list[str]) -> None:
    """Follow the words into the groups of commands and check the options of the last one."""
    context = click.Context(group)
    if words[:1] in ([], ["--help"], ["run"]):
        return
    while isinstance(group, click.Group):
        command = group.get_command(context, words[0])
        assert command is not None, words
        if words[1:] in ([], ["--help"]):
            return
        group, words = command, words[1:]
    known = {option for parameter in group.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known, words


@on_sqlite
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_api_example_works(start_process: Callable[..., ServerProcess], environ: dict[str, str]) -> None:
    """Run the blocks of the section one after another, as a reader does."""
    server = start_process("flask run")
    section = (ROOT / "README.md").read_text().partition("## The API by example")[2].partition("\n## ")[0]
    script = "\n".join(block for _, block in FENCE.findall(section)).replace("http://localhost:5000", server.url)
    variables = clean_environ({**environ, "INVITE_EXTERNAL_URL": server.url})
    variables["PATH"] = f"{BIN}{os.pathsep}{variables['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", f"{script}\nfield sign_in_url"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "201 CREATED" in done.stdout
    assert '"accepted":1' in done.stdout
    assert '"total":2' in done.stdout  # pending invitations
    assert f"{server.url}/sign-in/" in done.stdout


@each_file
def test_settings_exist(file: Path) -> None:
    assert set(SETTING.findall(file.read_text())) <= SETTINGS.keys() | TEST_VARIABLES


def test_table_names_every_setting() -> None:
    rows = dict(TABLE_ROW.findall((ROOT / "README.md").read_text()))
    named = {SETTINGS.get(name) or {other: field for field, other in FALLBACKS.items()}[name] for name in rows}
    assert named == set(Settings.model_fields)


def test_table_has_the_defaults() -> None:
    for name, default in TABLE_ROW.findall((ROOT / "README.md").read_text()):
        field = SETTINGS.get(name) or {other: field for field, other in FALLBACKS.items()}[name]
        value = Settings.model_fields[field].default
        if isinstance(value, bool):
            assert default == f"`{value}`".lower(), name
        elif isinstance(value, int | float) or value in ("normal", "immediate", "embedded", "on", "console"):
            assert default == f"`{value:g}`" if isinstance(value, float) else default == f"`{value}`", name


def test_example_settings_are_known() -> None:
    lines = (DEPLOY / "environment.example").read_text().splitlines()
    named = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert named <= SETTINGS.keys() | OTHER_VARIABLES


@on_sqlite
def test_units_and_containers_start_known_commands(app: Flask) -> None:
    units = [line for unit in DEPLOY.glob("*.service") for line in unit.read_text().splitlines()]
    started = [line.partition("/.venv/bin/")[2].split() for line in units if line.startswith("Exec")]
    containers = (DEPLOY / "compose.yaml").read_text() + (DEPLOY / "Containerfile").read_text()
    started += [
        [word.strip('" ') for word in found.split(",")]
        for found in re.findall(r"(?:command: |CMD )\[((?:flask|\"gunicorn)[^\]]*)\]", containers)
    ]
    assert {words[0] for words in started} == {"flask", "gunicorn"}
    for words in started:
        if words[0] == "flask":
            check_command(app.cli, words[1:])


def test_containerfile_copies_what_exists() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []


def test_limits_table_has_the_rate_limits() -> None:
    section = (DEPLOY / "README.md").read_text().partition("### Rate limits")[2].partition("### ")[0]
    rows = re.findall(r"^\| .+ \| ([\d,]+) (an hour|a minute|in 5 minutes) \|$", section, re.MULTILINE)
    seconds = {"a minute": 60, "in 5 minutes": 300, "an hour": 3600}
    assert [(int(count.replace(",", "")), seconds[period]) for count, period in rows] == [
        (rule.amount, rule.seconds) for rule in limits.RULES.values()
    ]
