"""flask outbox: the process that sends mail, and how it is doing."""

import dataclasses
import gc
import signal
import threading
from uuid import UUID

import click
from flask import current_app

from invite_app import worker
from invite_app.models import OutboxMessage
from invite_app.services import delivery

from .commands import BY_OPERATOR, Commands
from .output import Facts, Result

group = Commands("outbox", help="Send mail, see how it goes, and try again what failed.")


@group.command("run")
def run() -> Result:
    """Send what is due until stopped (SIGTERM, Ctrl-C). As many of these may run as you like."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the loop needs the app itself
    click.echo("Sending what is in the outbox. Ctrl-C stops after the message in flight.", err=True)
    # Objects from the start live as long as the process, so exempt them from garbage collection.
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    worker.run(app, _stop_on_signal())
    return Result({}, message="Stopped.")


@group.command("status")
def status() -> Result:
    """Show how much waits, how much was sent, and how much failed."""
    return Result(dataclasses.asdict(delivery.outbox_status()), hint=delivery.read_heartbeat().problem)


@group.command("failed")
def failed() -> Result:
    """List the messages that were given up, the latest first."""
    rows = [_summary(row) for row in delivery.list_failed()]
    return Result(rows, message="" if rows else "No message was given up.")


@group.command("retry")
@click.argument("message_ids", nargs=-1, type=click.UUID, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Every failed message whose invitation is still pending.")
def retry(message_ids: tuple[UUID, ...], everything: bool) -> Result:
    """Try failed messages again: those with the IDs that 'flask outbox failed' shows, or all."""
    if bool(message_ids) == everything:
        raise click.UsageError("Name the IDs of failed messages, or use --all.")
    if everything:
        count = delivery.retry_all(by=BY_OPERATOR)
        return Result({"queued": count}, message=f"{count} queued again.")
    queued = delivery.retry(message_ids, by=BY_OPERATOR)
    left = [message_id for message_id in message_ids if message_id not in queued]
    message = f"{len(queued)} queued again." + (f" {len(left)} had not failed, or do not exist." if left else "")
    return Result({"queued": len(queued), "left": [str(item) for item in left]}, message=message, ok=not left)


def _stop_on_signal() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set.

    A thread waits for them, because a signal handler could interrupt the main thread inside the event's lock.
    """
    stop, signals = threading.Event(), {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def wait() -> None:
        signal.sigwait(signals)
        stop.set()

    threading.Thread(target=wait, daemon=True, name="signals").start()
    return stop


def _summary(row: OutboxMessage) -> Facts:
    recipient = row.invitation or row.user
    return {
        "id": row.id,
        "kind": row.kind,
        "email": recipient.email if recipient else None,
        "attempts": row.attempts,
        "last_attempt_at": row.next_attempt_at,
        "reason": row.reason,
    }
