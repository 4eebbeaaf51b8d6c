"""Inviting many people at once: every row is answered by itself, as it would be alone."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import FailFast, Field, TypeAdapter

from invite_app.access import Actor
from invite_app.api import request_parsing
from invite_app.api.idempotency_key import StoreResponse
from invite_app.api.schema import MAX_ITEMS, Schema, at_most
from invite_app.models import Batch
from invite_app.services import imports, invitations

from .dialect import deepset

MAX_BYTES = 10 * 1024 * 1024


class InvitationRow(Schema):
    email: str
    role: str
    given_name: str | None = None
    family_name: str | None = None
    workspace_ids: Annotated[list[UUID], FailFast()] = Field(default=[], max_length=MAX_ITEMS)
    note: str = ""


class Rows(Schema):
    invitations: Annotated[list[dict[str, Any]], at_most(imports.MAX_ROWS)] = Field(
        max_length=imports.MAX_ROWS,
        description="Up to 10,000 of `InvitationRow`. One that cannot be read does not hold back the others.",
    )


class BulkQuery(Schema):
    dry_run: bool = Field(default=False, description="Only say what would become of each row.")


class RowAnswer(Schema):
    row: int
    email: str | None
    status: int = Field(description="The status that this row would have had alone.")
    detail: Any = None
    invitation_id: UUID | None = None


class Answers(Schema):
    batch_id: UUID | None
    accepted: int
    refused: int
    results: list[RowAnswer]


class BatchProgress(Schema):
    batch_id: UUID
    total: int
    accepted: int
    refused: int
    queued: int
    sent: int
    failed: int
    is_finished: bool


@deepset.endpoint(
    "POST",
    "/organization/{organization_id}/invitations/bulk",
    permission="invitations:write",
    max_bytes=MAX_BYTES,
)
def invite_users_in_bulk(
    organization_id: str, body: Rows, query: BulkQuery, by: Actor, keep: StoreResponse
) -> Answers:
    """Invites everybody on the list who could be invited alone; the mails are sent one after the other."""
    read = [_read(row) for row in body.invitations]
    drafts = [draft for draft in read if isinstance(draft, invitations.Draft)]
    batch = None
    if query.dry_run:
        judged = imports.dry_run(organization_id, drafts, by=by)
    else:
        batch, judged = imports.send_batch(organization_id, drafts, by=by, then=keep(_begun))
    results = _answers(body.invitations, read, judged)
    accepted = sum(result.status == 201 for result in results)
    return Answers(
        batch_id=batch.id if batch else None,
        accepted=accepted,
        refused=len(results) - accepted,
        results=results,
    )


@deepset.endpoint("GET", "/organization/{organization_id}/invitations/bulk/{batch_id}", permission="invitations:read")
def get_bulk_progress(organization_id: str, batch_id: str, by: Actor) -> BatchProgress:
    """Get the progress of a list's mails."""
    progress = imports.batch_progress(organization_id, batch_id, by=by)
    batch = progress.batch
    return BatchProgress(
        batch_id=batch.id,
        total=batch.total,
        accepted=batch.sent,
        refused=batch.refused,
        queued=progress.queued,
        sent=progress.sent,
        failed=progress.failed,
        is_finished=batch.finished_at is not None,
    )


def _begun(batch: Batch) -> Answers:
    """Build the stored response for a request that died: the batch knows how far it came."""
    return Answers(batch_id=batch.id, accepted=0, refused=0, results=[])


ROW: TypeAdapter[InvitationRow] = TypeAdapter(InvitationRow)


def _read(row: dict[str, Any]) -> invitations.Draft | request_parsing.RequestInvalid:
    try:
        return invitations.Draft(**request_parsing.validate(ROW, row, "body").model_dump())
    except request_parsing.RequestInvalid as error:
        return error


def _answers(
    rows: list[dict[str, Any]],
    read: list[invitations.Draft | request_parsing.RequestInvalid],
    judged: list[imports.RowResult],
) -> list[RowAnswer]:
    """One answer per row; `judged` holds results only for the rows that could be read."""
    results, answers = iter(judged), []
    for number, (row, item) in enumerate(zip(rows, read, strict=True), start=1):
        result = next(results) if isinstance(item, invitations.Draft) else None
        error = result.error if result else item
        email = result.draft.email if result else None
        if isinstance(error, Exception):
            answers.append(_refusal(number, row, email, error))
        else:
            invitation_id = result.invitation_id if result else None
            answers.append(RowAnswer(row=number, email=email, status=201, invitation_id=invitation_id))
    return answers


def _refusal(number: int, row: dict[str, Any], email: str | None, error: Exception) -> RowAnswer:
    answer = deepset.response_for(error)
    assert answer is not None
    with request_parsing.with_body(row):
        detail = answer.body(error)["detail"]
    return RowAnswer(row=number, email=email, status=answer.status or 500, detail=detail)
