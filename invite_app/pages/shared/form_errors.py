"""Map domain errors to form fields and messages.

An error without a field, or with one that the form does not have, goes to the summary at the top. Links lead only to
pages that the person may open.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Literal

from flask import Response, after_this_request, flash, g, url_for
from markupsafe import Markup, escape
from sqlalchemy.exc import SQLAlchemyError

from invite_app.access import Principal
from invite_app.db import busy_fact, is_conflict
from invite_app.errors import (
    AccountExists,
    AlreadyMember,
    AlreadySetUp,
    BuiltInRole,
    CannotGrantRole,
    CannotManageMember,
    DeliveryFailed,
    DomainError,
    DomainNotAllowed,
    InvalidCredentials,
    InvalidEmail,
    InvalidValue,
    InvitationPending,
    LastOwner,
    NameTaken,
    OwnershipTransferNotFound,
    PlanUpgradeRequired,
    RateLimited,
    RedirectNotAllowed,
    RoleDeleted,
    RoleInUse,
    RoleNotFound,
    SeatLimitReached,
    ServiceBusy,
    SoleOwner,
    WorkspaceNotFound,
)
from invite_app.observability import metrics

from . import dates, permission_texts
from .fields import PageForm
from .layout import has_endpoint

Text = str | Markup


@dataclass(frozen=True)
class ErrorText:
    """One fact: the field it belongs to, its sentence, and the status of the page that shows it."""

    field: str | Callable[[Any], str] = ""
    sentence: Callable[[Any], Text] = str
    status: int = 422


def _already_member(error: AlreadyMember) -> Text:
    link = _link("Open the list of members", "pages.members", needs="members:read", q=error.email)
    return Markup("{}{}").format(str(error), _link_sentence(link, " to change the role."))


def _pending(error: InvitationPending) -> Text:
    link = _link(
        "Open the invitation", "pages.invitation", needs="invitations:read", invitation_id=error.invitation_id
    )
    invited = f"{error.email} is invited since {dates.day(error.invited_at)}."
    return Markup("{}{}").format(invited, _link_sentence(link, ""))


def _domain_not_allowed(error: DomainNotAllowed) -> Text:
    link = _link("Open settings", "pages.settings", needs="organization:write")
    return Markup("{}{}").format(str(error), _link_sentence(link, "") or " Ask an owner to change that.")


def _role_above_own(error: CannotGrantRole) -> Text:
    missing = permission_texts.list_permissions(error.missing)
    return f"You cannot grant {error.role}: your own role does not let you {missing}."


def _role_unknown(error: RoleNotFound) -> Text:
    return f"{error} Choose another one."


def _role_in_use(error: RoleInUse) -> Text:
    members = f"{error.members:,} members" if error.members != 1 else "member"
    return f"Choose a role for its {members} first."


def _plan(_: PlanUpgradeRequired) -> Text:
    change = "An owner can change the plan in settings."
    link = _link(change, "pages.settings", needs="organization:write")
    return Markup("On the free plan nobody can be invited. {}").format(link or change)


def _seats(error: SeatLimitReached) -> Text:
    link = _link("Revoke an invitation", "pages.invitations", needs="invitations:write")
    return Markup("All {:,} seats are in use. {} or raise the limit.").format(
        error.limit, link or "Revoke an invitation"
    )


def _wait(error: RateLimited) -> Text:
    return f"Too many {error.what}. Try again {dates.retry_time(error.retry_after)}."


ErrorTexts = Mapping[type[DomainError], ErrorText]

ERROR_TEXTS: ErrorTexts = {
    InvalidValue: ErrorText(lambda error: str(error.field)),
    InvalidEmail: ErrorText("email"),
    DomainNotAllowed: ErrorText("email", _domain_not_allowed),
    AlreadyMember: ErrorText("email", _already_member),
    InvitationPending: ErrorText("email", _pending),
    AccountExists: ErrorText("email"),
    AlreadySetUp: ErrorText(),
    NameTaken: ErrorText("name"),
    RoleNotFound: ErrorText("role", _role_unknown),
    CannotGrantRole: ErrorText("role", _role_above_own),
    RoleDeleted: ErrorText("role", lambda error: f"The role “{error.role}” no longer exists. Choose another one."),
    BuiltInRole: ErrorText(),
    RoleInUse: ErrorText("replacement", _role_in_use),
    WorkspaceNotFound: ErrorText(
        "workspace_ids", lambda _: "One of these workspaces no longer exists. Choose again."
    ),
    RedirectNotAllowed: ErrorText(),
    PlanUpgradeRequired: ErrorText("", _plan),
    SeatLimitReached: ErrorText("", _seats),
    CannotManageMember: ErrorText(),
    LastOwner: ErrorText(),
    SoleOwner: ErrorText(),
    OwnershipTransferNotFound: ErrorText(),
    InvalidCredentials: ErrorText(),
    RateLimited: ErrorText("", _wait, status=429),
    ServiceBusy: ErrorText("", str, status=503),
    DeliveryFailed: ErrorText("", str, status=503),
}


def row_of(error: DomainError, table: ErrorTexts = ERROR_TEXTS) -> ErrorText | None:
    """The row of the error's class, or of the nearest class above it."""
    return next((table[kind] for kind in type(error).__mro__ if kind in table), None)


def message(error: DomainError) -> Text:
    row = row_of(error)
    return row.sentence(error) if row else str(error)


class FormErrors(AbstractContextManager["FormErrors"]):
    """Around the call of a service: a refusal that the table knows is shown by the form, or without one by a note
    on the next page, and goes no further. `rows` are those that say or place something otherwise here.
    """

    def __init__(self, form: PageForm | None = None, rows: ErrorTexts | None = None) -> None:
        self._form = form
        self._table = {**ERROR_TEXTS, **(rows or {})}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        fact = busy_fact(error) if isinstance(error, SQLAlchemyError) and not is_conflict(error) else error
        if not isinstance(fact, DomainError) or (row := row_of(fact, self._table)) is None:
            return False
        metrics.record_error(fact)
        if isinstance(fact, RateLimited | ServiceBusy):
            after_this_request(partial(_add_retry_after, seconds=fact.retry_after))
        if self._form is None:
            flash(row.sentence(fact), "bad")
        else:
            _add_to_form(self._form, row, fact)
        return True


def _add_retry_after(response: Response, *, seconds: int) -> Response:
    if response.status_code in {429, 503}:
        response.headers["Retry-After"] = str(seconds)
    return response


def _add_to_form(form: PageForm, row: ErrorText, error: DomainError) -> None:
    name = row.field if isinstance(row.field, str) else row.field(error)
    form.refusal_status = row.status
    if name in form:
        form[name].errors = [*form[name].errors, row.sentence(error)]
    else:
        form.form_errors = [*form.form_errors, row.sentence(error)]


def _link(label: str, endpoint: str, *, needs: str, **values: Any) -> Markup | Literal[""]:
    here: Principal | None = g.get("principal")
    if here is None or not here.can(needs) or not has_endpoint(endpoint):
        return ""
    return Markup('<a href="{}">{}</a>').format(url_for(endpoint, **values), label)


def _link_sentence(link: Markup | Literal[""], rest: str) -> Markup:
    return Markup(" {}{}").format(link, rest or ".") if link else escape("")
