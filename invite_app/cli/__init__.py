"""The operator's commands, one module per group."""

from flask import Flask


def register(app: Flask) -> None:
    """Add every command to the application."""
