"""Which members a bulk action is about: the checked rows, or all that match the filter of the list."""

from typing import Any

from flask import request
from wtforms import BooleanField, HiddenField, IntegerField, SelectMultipleField
from wtforms.validators import Optional

from invite_app.services.member_lists import Filter

from . import member_filters
from .fields import PageForm

CHANGED = "The list has changed since. Look at it again."
NARROWS = ("q", "role", "workspace")


class SelectionForm(PageForm):
    """Starts from the address that the list leads to, and is sent along with what is to be done. `number` is how
    many people the page has shown, so that nobody is changed whom it did not.
    """

    id = SelectMultipleField(validate_choice=False, choices=[])
    all = BooleanField()
    q = HiddenField()
    role = HiddenField()
    workspace = HiddenField()
    number = IntegerField(validators=[Optional()])

    def __init__(self) -> None:
        narrows = {name: request.args.get(name, "") for name in NARROWS}
        super().__init__(id=request.args.getlist("id"), all="all" in request.args, **narrows)

    @property
    def only(self) -> Filter | None:
        """None when nobody is selected."""
        if self.all.data:
            return member_filters.read(self.narrows).only
        return Filter(user_ids=self.id.data) if self.id.data else None

    @property
    def narrows(self) -> dict[str, Any]:
        """The filter that all the selected match, as parameters of an address."""
        return {name: self[name].data for name in NARROWS if self.all.data and self[name].data}

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The selection as names and values of hidden fields."""
        if self.all.data:
            return [("all", "1"), *self.narrows.items()]
        return [("id", one) for one in self.id.data or ()]

    def has_shown(self, number: int) -> bool:
        """Whether the page that was sent has shown as many people as are concerned now; if not, it says so."""
        is_same: bool = self.number.data == number
        if not is_same:
            self.form_errors: list[str] = [CHANGED]
        return is_same
