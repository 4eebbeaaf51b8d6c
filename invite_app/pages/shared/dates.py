"""Moments in words, in the zone of the person who reads them."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo, available_timezones

from flask import Flask, request
from markupsafe import Markup

from invite_app.models.types import now

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def register(app: Flask) -> None:
    for read in (time_ago, full_date, day, short_day, day_and_time, time_until, duration):
        app.add_template_filter(read)


def zone() -> ZoneInfo | None:
    """The reader's time zone, as the browser's script has left it in a cookie; None for UTC."""
    name = unquote(request.cookies.get("tz", ""))
    return ZoneInfo(name) if name in _zones() else None


def time_ago(moment: datetime) -> str:
    """'12 min ago' and the like within a day, then '17 Nov, 09:10'."""
    passed = now() - moment
    if passed < MINUTE:
        return "now"
    if passed < HOUR:
        return f"{passed // MINUTE} min ago"
    if passed < DAY:
        return f"{passed // HOUR} h ago"
    local = _local(moment)
    if local.year == _local(now()).year:
        return f"{local.day} {local:%b, %H:%M}"
    return f"{local.day} {local:%b %Y}"


def time_until(moment: datetime) -> str:
    """'in 27 h', 'in 6 days': how far the future is."""
    left = moment - now()
    if left < HOUR:
        return f"in {max(round(left / MINUTE), 1)} min"
    if left < 2 * DAY:
        return f"in {round(left / HOUR)} h"
    return f"in {round(left / DAY)} days"


def time_tag(moment: datetime) -> Markup:
    """The same moment in both ways: relative words, with the exact ones as title."""
    parts = moment.isoformat(), full_date(moment), time_ago(moment)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(*parts)


def full_date(moment: datetime) -> str:
    """'17 November 2026, 09:10'."""
    local = _local(moment)
    return f"{local.day} {local:%B %Y, %H:%M}"


def day(moment: datetime) -> str:
    """'17 November', with the year when it is not this one."""
    local = _local(moment)
    return f"{local.day} {local:%B}" + (f" {local.year}" if local.year != _local(now()).year else "")


def short_day(moment: datetime) -> str:
    """'3 Mar 2025'."""
    local = _local(moment)
    return f"{local.day} {local:%b %Y}"


def day_and_time(moment: datetime) -> str:
    """'17 November at 09:10'."""
    return f"{day(moment)} at {_local(moment):%H:%M}"


def retry_time(seconds: int) -> str:
    """'at 14:05': the first full minute after so many seconds, with the zone when it may not be the reader's."""
    moment = _local(now() + timedelta(seconds=seconds + 59)).replace(second=0, microsecond=0)
    at = f"at {moment:%H:%M}" if moment.date() == _local(now()).date() else f"on {day_and_time(moment)}"
    return at if zone() else f"{at} UTC"


def parse_date(text: str) -> date | None:
    """The day that a date field holds; None for anything else, or a year that only a slip can mean."""
    try:
        typed = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return typed if 1900 <= typed.year <= 2999 else None


def start_of(day: date) -> datetime:
    """When the day begins where the reader is."""
    return datetime.combine(day, time.min, zone() or UTC)


def end_of(day: date) -> datetime:
    """When the next day begins there."""
    return start_of(day + DAY)


def duration(length: timedelta) -> str:
    """'7 days', '36 hours'."""
    if length % DAY:
        hours = length // HOUR
        return f"{hours} hour{'s' if hours != 1 else ''}"
    return f"{length.days} day{'s' if length.days != 1 else ''}"


def _local(moment: datetime) -> datetime:
    return moment.astimezone(zone() or UTC)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
