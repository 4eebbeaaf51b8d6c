"""Logs, the context that they carry, and metrics."""
