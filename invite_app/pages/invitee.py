"""The invitee's side: what the link in the mail opens, whatever has become of the invitation."""

from contextlib import suppress
from typing import Any

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import TextAreaField

from invite_app.errors import (
    AlreadyMember,
    DomainError,
    DomainNotAllowed,
    EmailVerificationRequired,
    InvalidLink,
    InvitationClosed,
    InvitationPending,
    InviterNotAllowed,
    RoleDeleted,
    SeatLimitReached,
    SignInRequired,
    WrongAccount,
)
from invite_app.models import InvitationState, Membership
from invite_app.services import accounts, delivery, invitations, inviter_mail, validation
from invite_app.services.invitations import InvitationOffer, NewProfile

from .blueprint import pages, public
from .shared import (
    FormErrors,
    PageForm,
    ValidatedBy,
    browser_session,
    current_device,
    name_field,
    new_password_field,
    permission_texts,
    render_page,
    security_headers,
)

ONE = "/invitations/<token>"
# Errors by which a pending invitation cannot be accepted for now.
BLOCKS = (InviterNotAllowed, RoleDeleted, DomainNotAllowed, SeatLimitReached, EmailVerificationRequired)
# Errors after which the invitation's page is shown again.
CHANGED_MEANWHILE = (AlreadyMember, InvitationClosed, WrongAccount)


class AcceptForm(PageForm):
    """For people without an account."""

    given_name = name_field("Given name", say="a given name")
    family_name = name_field("Family name", say="a family name")
    password = new_password_field()

    @property
    def profile(self) -> NewProfile:
        return NewProfile(self.given_name.data or "", self.family_name.data or "", self.password.data or "")


class DeclineForm(PageForm):
    word = TextAreaField("A word to the admin", [ValidatedBy(validation.note)])


class AskForm(PageForm):
    word = TextAreaField("A word to the admin", [ValidatedBy(validation.note)])


@pages.get("/auth")
@public
def follow_app_link() -> ResponseReturnValue:
    """The link of clients that know the invitation as `inv_code`; at once on, to where no log keeps it."""
    security_headers.mark_url_secret()
    return redirect(url_for("pages.invitation_offer", token=request.args.get("inv_code") or "none"))


@pages.get(ONE)
@public
def invitation_offer(token: str) -> ResponseReturnValue:
    """Whatever fetches the link is taken for a machine until a browser says otherwise."""
    security_headers.mark_url_secret()
    invitations.record_scan(token)
    return _page(token, AcceptForm())


@pages.post(ONE)
@public
def accept_invitation(token: str) -> ResponseReturnValue:
    form = AcceptForm()
    with FormErrors(form):
        try:
            if current_user.is_authenticated:
                user_id = current_user.user_id
                return _enter(token, invitations.accept_with_account(token, user_id, ip=request.remote_addr))
            if form.validate():
                return _enter(token, invitations.accept_with_new_account(token, form.profile, ip=request.remote_addr))
        except BLOCKS as error:
            if isinstance(error, SeatLimitReached):
                invitations.record_no_seat(token)
            return _blocked(token, _look(token), error)
        except SignInRequired as error:
            flash(str(error), "wait")
            return redirect(url_for("pages.invitation_offer", token=token), 303)
        except CHANGED_MEANWHILE:
            return redirect(url_for("pages.invitation_offer", token=token), 303)
    return _page(token, form)


@pages.post(f"{ONE}/opened")
@public
def note_opened(token: str) -> ResponseReturnValue:
    """The page's script says that a person sees it."""
    security_headers.mark_url_secret()
    invitations.record_visit(token, current_user.user_id if current_user.is_authenticated else None)
    return "", 204


@pages.post(f"{ONE}/ask")
@public
def ask_for_fresh_one(token: str) -> ResponseReturnValue:
    offer, form = _look(token), AskForm()
    if not form.validate():
        return _expired(token, offer, form)
    with suppress(InvitationPending, InvitationClosed):  # the page says how it is
        invitations.request_new_invitation(token, form.word.data or "")
    return redirect(url_for("pages.invitation_offer", token=token), 303)


@pages.route(f"{ONE}/decline", methods=["GET", "POST"])
@public
def decline_invitation(token: str) -> ResponseReturnValue:
    offer, form = _look(token), DeclineForm()
    if offer.state != InvitationState.PENDING:
        return redirect(url_for("pages.invitation_offer", token=token), 303)
    if form.validate_on_submit():
        with FormErrors(form):
            invitations.decline(token, word=form.word.data or "", ip=request.remote_addr)
            return redirect(url_for("pages.invitation_offer", token=token), 303)
    return render_page("invitee/decline.html", status=form.status, form=form, token=token, **_facts(offer))


@pages.post(f"{ONE}/sign-in")
@public
def sign_in_to_accept(token: str) -> ResponseReturnValue:
    """The token waits in the session, where no address, log or other site sees it."""
    security_headers.mark_url_secret()
    session[browser_session.WAITING_INVITATION] = token
    return redirect(url_for("pages.sign_in"), 303)


@pages.post(f"{ONE}/sign-out")
@public
def sign_out_to_accept(token: str) -> ResponseReturnValue:
    security_headers.mark_url_secret()
    browser_session.end()
    return redirect(url_for("pages.invitation_offer", token=token), 303)


@pages.errorhandler(InvalidLink)
def show_broken_link(_: InvalidLink) -> ResponseReturnValue:
    return render_page("invitee/broken.html", status=404)


def _look(token: str) -> InvitationOffer:
    """Raises InvalidLink."""
    security_headers.mark_url_secret()
    offer = invitations.open_link(token)
    if offer.landing:
        security_headers.allow_form_redirect(validation.origin(offer.landing) or "")
    return offer


def _page(token: str, form: AcceptForm) -> ResponseReturnValue:
    offer = _look(token)
    if offer.state != InvitationState.PENDING:
        return _ended(token, offer)
    if offer.obstacle is not None:
        return _blocked(token, offer, offer.obstacle)
    user = current_user.user if current_user.is_authenticated else None
    if user is not None and user.email != offer.invitation.email:
        return render_page("invitee/other_account.html", token=token, signed_in=user, **_facts(offer))
    if user is not None:
        return render_page("invitee/confirm.html", status=form.status, form=form, token=token, **_facts(offer))
    if offer.has_account:
        return render_page("invitee/sign_in.html", token=token, **_facts(offer))
    if not form.is_submitted():
        form.given_name.data, form.family_name.data = offer.invitation.given_name, offer.invitation.family_name
    may_have_account = offer.has_account is None
    return render_page(
        "invitee/new.html",
        status=form.status,
        form=form,
        token=token,
        may_have_account=may_have_account,
        **_facts(offer),
    )


def _ended(token: str, offer: InvitationOffer) -> ResponseReturnValue:
    if offer.state == InvitationState.EXPIRED:
        return _expired(token, offer, AskForm(formdata=None))
    is_invitee = current_user.is_authenticated and current_user.user_id == offer.invitation.accepted_by_id
    status = 200 if is_invitee else 410
    told = offer.state == InvitationState.DECLINED and delivery.was_notified(inviter_mail.DECLINED, offer.invitation)
    return render_page(
        f"invitee/{offer.state}.html", status=status, is_invitee=is_invitee, told=told, **_facts(offer)
    )


def _expired(token: str, offer: InvitationOffer, form: AskForm) -> ResponseReturnValue:
    status = form.status if form.errors else 410
    return render_page("invitee/expired.html", status=status, form=form, token=token, **_facts(offer))


def _blocked(token: str, offer: InvitationOffer, error: DomainError) -> ResponseReturnValue:
    if isinstance(error, DomainNotAllowed):
        return render_page(
            "invitee/other_address.html", status=409, domains=error.domains, token=token, **_facts(offer)
        )
    needs_mail = isinstance(error, EmailVerificationRequired)
    return render_page("invitee/blocked.html", status=409, needs_mail=needs_mail, token=token, **_facts(offer))


def _facts(offer: InvitationOffer) -> dict[str, Any]:
    role = offer.invitation.role
    return {
        "invitation": offer.invitation,
        "organization": offer.invitation.organization,
        "role_line": permission_texts.role_summary(role.permissions) if role else "",
    }


def _enter(token: str, membership: Membership) -> ResponseReturnValue:
    """Sign the new member in, and lead where the invitation says."""
    security_headers.mark_url_secret()
    session.pop(browser_session.WAITING_INVITATION, None)
    browser_session.begin(accounts.start_session(membership.user_id, device=current_device()))
    landing = invitations.open_link(token).landing
    return redirect(landing or url_for("pages.overview", organization_id=membership.organization_id), 303)
