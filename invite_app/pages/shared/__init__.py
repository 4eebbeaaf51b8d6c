"""Parts that all pages share: layout, forms and their errors, dates, and the person at the browser."""

from . import (
    browser_session,
    csv_download,
    dates,
    form_errors,
    layout,
    page_links,
    permission_texts,
    saved_forms,
    security_headers,
    user_agents,
)
from .current import LATEST, current_account, current_actor, current_device, last_organization, principal
from .dates import HOUR, MINUTE
from .fields import (
    PageForm,
    ValidatedBy,
    choice,
    email_field,
    name_field,
    new_password_field,
    role_choices,
    workspace_choices,
)
from .form_errors import ErrorText, ErrorTexts, FormErrors
from .layout import THEMES, local_only_url, render_page, theme
from .page_links import Links
from .parsing import EachLineValid, parse_int, seat_limit, split_lines
from .selection import SelectionForm
from .urls import local_path, local_path_or_home

__all__ = [
    "HOUR",
    "LATEST",
    "MINUTE",
    "THEMES",
    "EachLineValid",
    "ErrorText",
    "ErrorTexts",
    "FormErrors",
    "Links",
    "PageForm",
    "SelectionForm",
    "ValidatedBy",
    "browser_session",
    "choice",
    "csv_download",
    "current_account",
    "current_actor",
    "current_device",
    "dates",
    "email_field",
    "form_errors",
    "last_organization",
    "layout",
    "local_only_url",
    "local_path",
    "local_path_or_home",
    "name_field",
    "new_password_field",
    "page_links",
    "parse_int",
    "permission_texts",
    "principal",
    "render_page",
    "role_choices",
    "saved_forms",
    "seat_limit",
    "security_headers",
    "split_lines",
    "theme",
    "user_agents",
    "workspace_choices",
]
