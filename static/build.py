"""Makes app.css and icons.svg out of vendor/ and css/. Run it by hand: `python static/build.py`.

`python static/build.py --check` changes nothing and fails when a result is out of date.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent

OURS = ("tokens", "base", "frame", "controls", "cards", "lists", "tables", "parts", "phone")

# Tabler is 600 kB. A rule stays when all its classes are named here, or when it has none.
TABLER_CLASSES = {
    "btn", "card", "card-body", "card-header", "card-title", "form-check-input",
    "form-control", "form-hint", "form-label", "form-select", "visually-hidden",
}  # fmt: skip
# Widgets and elements of Tabler that none of our pages has.
TABLER_UNUSED = re.compile(
    r"data-|:host|link-|kbd|blockquote|scrollbar|abbr|\bpre\b|\bsamp|\bh[4-6]\b|dialog|selection"
    r"|datetime|date-and|color-swatch|calendar|outer-spin|:-moz-focusring|address|\bmark\b|\bsu[bp]\b"
)
# The strict content security policy forbids data: images, so each becomes a file.
IMAGES = {
    "m2 5 6 6 6-6": "img/select.svg",
    "M4 8.5l2.5 2.5l5.5 -5.5": "img/check.svg",
    "circle r='3'": "img/radio.svg",
    "M6 10h8": "img/mixed.svg",
}

TOKEN = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[{}]", re.DOTALL)


def app_css() -> str:
    ours = "".join(minified((HERE / f"css/{name}.css").read_text()) for name in OURS)
    tabler = picked((HERE / "vendor/tabler/tabler.min.css").read_text())
    tabler = without_unused_variables(with_image_files(tabler), ours)
    licence = "/*! Contains parts of Tabler 1.6.1, MIT, https://tabler.io */\n"
    return f"{licence}{tabler}\n{ours}\n"


def icons_svg() -> str:
    symbols = []
    for path in sorted((HERE / "vendor/tabler-icons/outline").glob("*.svg")):
        shapes = "".join(re.findall(r"<path d=[^>]*/>", path.read_text()))
        symbols.append(f'<symbol id="{path.stem}" viewBox="0 0 24 24">{shapes}</symbol>')
    licence = "<!-- Tabler Icons 3.51.0, MIT, https://tabler.io/icons -->"
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', licence, *symbols, "</svg>", ""])


def picked(css: str) -> str:
    kept = []
    for head, body in blocks(css):
        if head.startswith("@"):
            wanted = head.startswith("@media") and not re.search("print|reduced-motion", head)
            rule = (head, picked(body) if wanted else "")
        else:
            rule = (",".join(part for part in split_selectors(head) if is_used(part)), body)
        if all(rule):
            kept.append("{}{{{}}}".format(*rule))
    return "".join(kept)


def blocks(css: str) -> Iterator[tuple[str, str]]:
    """The rules of one level: what stands before the braces, and what is inside."""
    depth = start = body = 0
    for token in TOKEN.finditer(css):
        if token.group() == "{":
            depth += 1
            if depth == 1:
                body = token.end()
        elif token.group() == "}":
            depth -= 1
            if depth == 0:
                head = re.sub(r"/\*.*?\*/|@charset[^;]*;", "", css[start : body - 1], flags=re.DOTALL)
                yield head.strip(), css[body : token.start()]
                start = token.end()


def split_selectors(head: str) -> list[str]:
    return re.split(r",(?![^(]*\))", head)


def is_used(selector: str) -> bool:
    classes = set(re.findall(r"\.([A-Za-z][\w-]*)", selector))
    return classes <= TABLER_CLASSES and not TABLER_UNUSED.search(selector)


def with_image_files(css: str) -> str:
    def file_of(image: re.Match[str]) -> str:
        return next(f"url({name})" for sign, name in IMAGES.items() if sign in image.group())

    return re.sub(r'url\("data:[^"]*"\)', file_of, css)


def without_unused_variables(css: str, ours: str) -> str:
    """Nor those of `:root` which our tokens set again."""
    root_rule = re.compile(r":root\{[^{}]*\}")
    ours_at_root = set(re.findall(r"(--tblr-[\w-]+):", "".join(root_rule.findall(ours))))
    css = root_rule.sub(lambda rule: without_variables(rule.group(), ours_at_root), css)
    while True:
        set_here = set(re.findall(r"[{;](--[\w-]+):", css))
        used = set(re.findall(r"var\((--[\w-]+)", css + ours))
        shorter = without_variables(css, set_here - used)
        shorter = re.sub(r"(?<=[{}])[^{}]*\{\}|^[^{}]*\{\}", "", shorter)
        if shorter == css:
            return css
        css = shorter


def without_variables(css: str, names: set[str]) -> str:
    declaration = re.compile(r"(?<=[{;])(--[\w-]+):[^;{}]*(?:;|(?=\}))")
    return declaration.sub(lambda one: "" if one.group(1) in names else one.group(), css)


def minified(css: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,]) ?", r"\1", css)
    css = re.sub(r"([\w-]): (?=[^{}]*[;}])", r"\1:", css)
    return css.replace(";}", "}").strip() + "\n"


def main() -> int:
    results = {HERE / "app.css": app_css(), HERE / "icons.svg": icons_svg()}
    stale = [p.name for p, text in results.items() if not p.exists() or p.read_text() != text]
    if "--check" in sys.argv:
        if stale:
            print(f"out of date: {', '.join(stale)}; run python static/build.py")
        return 1 if stale else 0
    for path, text in results.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
