"""Checks of a page's HTML alone."""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "rect", "line", "use", "path"}
UNNAMED = {"hidden", "submit", "button"}


@dataclass
class Tag:
    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page:
    """The tags of a page in their order, each with the text inside it."""

    tags: list[Tag] = field(default_factory=list)

    def all(self, tag_name: str, /, **attributes: str) -> list[Tag]:
        wanted = {key.rstrip("_"): value for key, value in attributes.items()}
        return [tag for tag in self.tags if tag.name == tag_name and wanted.items() <= tag.attributes.items()]

    def texts(self, name: str, css: str = "") -> list[str]:
        """Return the texts of tags of this name (and class), with white space collapsed."""
        found = [tag for tag in self.all(name) if not css or css in tag.attributes.get("class", "").split()]
        return [" ".join(tag.text.split()) for tag in found]

    @property
    def errors(self) -> list[str]:
        """Return the error messages at the fields."""
        return self.texts("p", "field-error")

    @property
    def summary(self) -> list[str]:
        """Return the error messages on top, for fields and for the whole form."""
        box = [tag for tag in self.all("div") if "summary" in tag.attributes.get("class", "").split()]
        return [" ".join(part.split()) for part in box[0].text.split("\n") if part.strip()][1:] if box else []

    @property
    def notes(self) -> list[str]:
        return self.texts("div", "note-text")

    @property
    def links(self) -> list[str]:
        return [tag.attributes["href"] for tag in self.all("a") if "href" in tag.attributes]

    def value(self, name: str) -> str:
        """Return the value of the field of this name."""
        for tag in self.tags:
            if tag.attributes.get("name") == name and tag.name == "textarea":
                return tag.text.removeprefix("\r\n")
            if tag.attributes.get("name") == name and tag.name == "input":
                return tag.attributes.get("value", "")
        raise KeyError(name)


def read(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    return reader.page


def faults(html: str) -> list[str]:
    """Return the problems of a page; empty for a valid one."""
    page = read(html)
    found = [] if len(page.all("h1")) == 1 else [f"{len(page.all('h1'))} h1"]
    if not any(page.texts("title")):
        found.append("no title")
    ids = Counter(tag.attributes["id"] for tag in page.tags if "id" in tag.attributes)
    found += [f"id {name} occurs {count} times" for name, count in ids.items() if count > 1]
    labelled = {tag.attributes.get("for") for tag in page.all("label")}
    for tag in page.tags:
        found += _faults_of(tag, labelled, set(ids))
    return found


def _faults_of(tag: Tag, labelled: set[str | None], ids: set[str]) -> list[str]:
    found = [f"{tag.name} has {name}" for name in tag.attributes if name == "style" or re.match(r"on[a-z]", name)]
    if tag.name == "style" or (tag.name == "script" and "src" not in tag.attributes):
        found.append(f"inline {tag.name}")
    if tag.name in ("input", "select", "textarea") and tag.attributes.get("type") not in UNNAMED:
        named = tag.attributes.get("id") in labelled or "aria-label" in tag.attributes
        found += [] if named else [f"no label for {tag.attributes.get('name')}"]
    for name in ("aria-describedby", "aria-labelledby", "aria-controls"):
        found += [f"{name} names {one}" for one in tag.attributes.get(name, "").split() if one not in ids]
    if tag.name == "form" and tag.attributes.get("method", "get") not in ("get", "post"):
        found.append("a form with a strange method")
    return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._open: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = Tag(tag, {name: value or "" for name, value in attrs})
        self.page.tags.append(found)
        if tag not in VOID:
            self._open.append(found)
        if tag in ("li", "p", "h2", "dd", "tr"):
            self._write("\n")

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index].name == tag:
                del self._open[index:]
                return

    def handle_data(self, data: str) -> None:
        self._write(" ".join(data.split("\n")) if not self._is_in("textarea") else data)

    def _write(self, text: str) -> None:
        for tag in self._open:
            tag.text += text

    def _is_in(self, name: str) -> bool:
        return any(tag.name == name for tag in self._open)
