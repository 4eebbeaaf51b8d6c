"""Which invitations a bulk action is about."""

from wtforms import HiddenField

from invite_app.services.invitations import Filter

from . import invitation_filters
from .shared import SelectionForm


class InvitationSelectionForm(SelectionForm):
    filters = ("state", "soon", "role", "q")

    state = HiddenField()
    soon = HiddenField()
    role = HiddenField()
    q = HiddenField()

    @property
    def only(self) -> Filter | None:
        """None when none is selected."""
        if self.all.data:
            return invitation_filters.read(self.narrows).only
        return Filter(invitation_ids=self.id.data) if self.id.data else None
