"""The selection of a bulk action: the checked rows, or all that match the list's filter."""

from typing import Any, ClassVar

from flask import request
from wtforms import BooleanField, IntegerField, SelectMultipleField
from wtforms.validators import Optional

from .fields import PageForm

CHANGED = "The list has changed since. Look at it again."


class SelectionForm(PageForm):
    """Starts from the address that the list leads to, and is sent along with what is to be done. `number` is how
    many rows the page has shown, so that nothing is changed which it did not. A list adds its filter as hidden
    fields, named in `filters`.
    """

    filters: ClassVar[tuple[str, ...]] = ()

    id = SelectMultipleField(validate_choice=False, choices=[])
    all = BooleanField()
    number = IntegerField(validators=[Optional()])

    def __init__(self) -> None:
        filters = {name: request.args.get(name, "") for name in self.filters}
        super().__init__(id=request.args.getlist("id"), all="all" in request.args, **filters)

    @property
    def narrows(self) -> dict[str, Any]:
        """The filter that all the selected match, as parameters of an address."""
        return self.place if self.all.data else {}

    @property
    def place(self) -> dict[str, Any]:
        """The filter of the list that the selection was made in, as parameters of an address."""
        return {name: self[name].data for name in self.filters if self[name].data}

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The selection as names and values of hidden fields."""
        chosen = [("all", "1")] if self.all.data else [("id", one) for one in self.id.data or ()]
        return [*chosen, *self.place.items()]

    def has_shown(self, number: int) -> bool:
        """Return whether the page has shown the current number of affected rows; if not, add an error."""
        is_same: bool = self.number.data == number
        if not is_same:
            self.form_errors: list[str] = [CHANGED]
        return is_same
