"""Parts of the OpenAPI document that belong to a dialect as a whole: security, headers and error models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .schema import Schema


@dataclass(frozen=True)
class DialectDocs:
    """`errors` has the body's model by status; under None stands the one for all others.

    `header_statuses` are those of a header that cannot be read, whatever the operation. `content_statuses` are what
    a body can be refused with before it is read, beside 413 and 415.
    """

    errors: Mapping[int | None, type[BaseModel]]
    security: Sequence[str] = ("bearer", "session")
    header_parameters: Sequence[Mapping[str, Any]] = ()
    header_statuses: Sequence[int] = ()
    content_statuses: Sequence[int] = ()


class Detail(Schema):
    detail: str


class ValidationError(Schema):
    """One deviation of a request from its shape, or a value in it that cannot be used."""

    model_config = ConfigDict(title="ValidationError")

    type: str = Field(title="Error Type")
    loc: list[str | int] = Field(title="Location")
    msg: str = Field(title="Message")
    input: Any = Field(default=None, title="Input")
    ctx: dict[str, Any] = Field(default={}, title="Context")


class HTTPValidationError(Schema):
    model_config = ConfigDict(title="HTTPValidationError")

    detail: list[ValidationError] = Field(default=[], title="Detail")


FASTAPI_STYLE = DialectDocs(errors={None: Detail, 422: HTTPValidationError})
