"""Which members a bulk action is about."""

from wtforms import HiddenField

from invite_app.services.members import Filter

from . import member_filters
from .shared import SelectionForm


class MemberSelectionForm(SelectionForm):
    filters = ("q", "role", "workspace")

    q = HiddenField()
    role = HiddenField()
    workspace = HiddenField()

    @property
    def only(self) -> Filter | None:
        """None when nobody is selected."""
        if self.all.data:
            return member_filters.read(self.narrows).only
        return Filter(user_ids=self.id.data) if self.id.data else None
