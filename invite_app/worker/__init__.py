"""The worker: the process or thread that sends due messages and runs maintenance."""

from .loop import prepare_embedded, register, run

__all__ = [
    "prepare_embedded",
    "register",
    "run",
]
