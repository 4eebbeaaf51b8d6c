"""Bounds on the threads of this process that one organization or one slow server may keep waiting."""

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask, current_app

from .errors import ServiceBusy

# Seconds without anybody coming or going, after which nobody waits for a place any more.
PATIENCE = 1.0
# Rows of a list that is worked on like any other request.
SHORT_LIST = 100
# Seconds after which somebody who was turned away may try again.
RETRY_AFTER = 5


@dataclass
class _Room:
    """The threads inside and those at its door, and when one of them last came into an empty room or left."""

    inside: int = 0
    waiting: int = 0
    moved_at: float = 0.0


class Bound:
    """Hold room for up to `most` threads for each key.

    Others wait for a place while those inside come and go, and are turned away once nobody has for PATIENCE seconds.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rooms: dict[Hashable, _Room] = {}
        self._changed = threading.Condition()

    @contextmanager
    def place(self, key: Hashable = None) -> Iterator["Place | None"]:
        """Give a place inside, until the block or the place is left, or None where there is none."""
        place = Place(self, key) if self._enter(key) else None
        try:
            yield place
        finally:
            if place is not None:
                place.leave()

    @contextmanager
    def required_place(self, key: Hashable = None) -> Iterator["Place"]:
        """Give a place inside. Raises ServiceBusy."""
        with self.place(key) as place:
            if place is None:
                raise ServiceBusy(RETRY_AFTER)
            yield place

    def leave(self, key: Hashable) -> None:
        with self._changed:
            room = self._rooms[key]
            room.inside -= 1
            room.moved_at = time.monotonic()
            self._forget_if_empty(key, room)
            self._changed.notify_all()

    def _enter(self, key: Hashable) -> bool:
        with self._changed:
            room = self._rooms.setdefault(key, _Room())
            room.waiting += 1
            try:
                return self._wait(room)
            finally:
                room.waiting -= 1
                self._forget_if_empty(key, room)

    def _wait(self, room: _Room) -> bool:
        while room.inside >= self._most:
            left = room.moved_at + PATIENCE - time.monotonic()
            if left <= 0:
                return False
            self._changed.wait(left)
        if not room.inside:
            room.moved_at = time.monotonic()
        room.inside += 1
        return True

    def _forget_if_empty(self, key: Hashable, room: _Room) -> None:
        if not room.inside and not room.waiting:
            self._rooms.pop(key, None)


class Place:
    """A thread's place inside; leaving it twice is leaving it once."""

    def __init__(self, bound: Bound, key: Hashable) -> None:
        self._bound, self._key, self._is_held = bound, key, True

    def leave(self) -> None:
        if self._is_held:
            self._is_held = False
            self._bound.leave(self._key)


class Bounds:
    """Limits for the threads of one process: half may wait for one thing, a quarter for lists."""

    def __init__(self, threads: int) -> None:
        half = max(1, threads // 2)
        # waiting for an organization's lock, by organization
        self.organizations = Bound(half)
        # waiting for the mail server
        self.mail = Bound(half)
        # judging or sending long lists, by organization and in all
        self.lists_of_organization = Bound(1)
        self.lists = Bound(max(1, threads // 4))

    @contextmanager
    def list_of(self, organization_id: Hashable, rows: int) -> Iterator[None]:
        """Work on a list of so many rows. Raises ServiceBusy when too many long ones are worked on."""
        if rows <= SHORT_LIST:
            yield
            return
        with self.lists_of_organization.required_place(organization_id), self.lists.required_place():
            yield


def register(app: Flask) -> None:
    """Give the application its bounds, which are for each process."""
    app.extensions["invite_app.bounds"] = Bounds(app.config["WEB_THREADS"])


def bounds() -> Bounds:
    """Return the bounds of this application."""
    found: Bounds = current_app.extensions["invite_app.bounds"]
    return found
