"""Variables that look like ours and are none: a slip of the fingers must not pass for a setting."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

PREFIX = "INVITE_"
SIMILARITY = 0.8


def misspelled(environ: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """Those that are nearly a known name, with that name."""
    names = sorted(known)
    found = {name: get_close_matches(name, names, n=1, cutoff=SIMILARITY) for name in unknown(environ, known)}
    return {PREFIX + name: PREFIX + near[0] for name, near in found.items() if near}


def unrelated(environ: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Those that are like none of ours, such as the names that Kubernetes makes up for a service called 'invite'."""
    slips = misspelled(environ, known)
    return [PREFIX + name for name in unknown(environ, known) if PREFIX + name not in slips]


def unknown(environ: Mapping[str, str], known: Collection[str]) -> Iterator[str]:
    """Set and not known, without the prefix."""
    for variable, value in sorted(environ.items()):
        if variable.startswith(PREFIX) and value.strip() and variable.removeprefix(PREFIX) not in known:
            yield variable.removeprefix(PREFIX)
