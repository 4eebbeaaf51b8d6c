"""Describe a browser by its name and system."""

# The first match counts: most browsers also claim to be those below them.
BROWSERS = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}

SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Macintosh": "Mac",
    "Linux": "Linux",
}


def name(user_agent: str | None) -> str:
    """'Firefox on Windows', or as much of it as can be told."""
    browser, system = _found(BROWSERS, user_agent), _found(SYSTEMS, user_agent)
    if not browser and not system:
        return "An unknown browser"
    return f"{browser or 'A browser'}{f' on {system}' if system else ''}"


def _found(signs: dict[str, str], user_agent: str | None) -> str:
    return next((word for sign, word in signs.items() if sign in (user_agent or "")), "")
