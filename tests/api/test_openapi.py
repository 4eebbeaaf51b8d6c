"""The document at /openapi.json is valid, complete, and equal to the published documents."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from openapi_spec_validator import validate
from playwright.sync_api import Page

from invite_app.api import DIALECTS
from tests.api.almanac.published import (
    HOSTED_ORGANIZATION_INVITATION,
    HTTP_VALIDATION_ERROR,
    INVITE_ORGANIZATION_MEMBER_REQUEST,
    VALIDATION_ERROR,
)
from tests.support.databases import on_sqlite
from tests.support.factories import make_api_key, make_organization
from tests.support.server import LiveServer

pytestmark = on_sqlite
SEED = "/api/v1/organization/{organization_id}/invitation"


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    return dict(answer.get_json())


def resolved(document: dict[str, Any], value: Any) -> Any:
    """Replace every reference by its target."""
    if isinstance(value, list):
        return [resolved(document, item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return resolved(document, document["components"]["schemas"][value["$ref"].rpartition("/")[2]])
    return {name: resolved(document, item) for name, item in value.items()}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def published(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without our additions: defaults that the types imply, descriptions, lengths of lists."""
    documented = {name: value for name, value in schema.items() if name not in ("default", "description", "maxItems")}
    properties = documented.get("properties", {})
    if properties:
        documented["properties"] = {name: published(value) for name, value in properties.items()}
    return documented


def test_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_covers_every_endpoint_of_every_dialect(app: Flask, document: dict[str, Any]) -> None:
    names = {dialect.name for dialect in DIALECTS}
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in names
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _ in operations(document)} == served


def test_names_every_operation_once(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_names_statuses_and_schemas(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            assert re.fullmatch(r"[245]\d\d", status), (path, method)
            if status != "204" and (path, status) != (SEED, "201"):
                assert answer["content"]["application/json"]["schema"], (path, method, status)


def test_contains_no_module_names(document: dict[str, Any]) -> None:
    assert not [name for name in document["components"]["schemas"] if "__" in name]


class TestDeepset:
    """The published document of the operation."""

    def test_parameters(self, document: dict[str, Any]) -> None:
        path = [given for given in document["paths"][SEED]["post"]["parameters"] if given["in"] == "path"]
        assert [(given["name"], given["required"], given["schema"]["type"]) for given in path] == [
            ("organization_id", True, "string")
        ]
        assert path[0]["schema"]["title"] == "Organization ID"

    def test_body(self, document: dict[str, Any]) -> None:
        body = document["paths"][SEED]["post"]["requestBody"]
        assert body["required"]
        schema = resolved(document, body["content"]["application/json"]["schema"])
        texts = {"email": "Email", "family_name": "Family name", "given_name": "Given name", "role": "User Role"}
        assert schema["description"] == "The definition of the user you want to invite to the organization."
        assert published(schema) == {
            "properties": {
                **{name: {"title": title, "type": "string"} for name, title in texts.items()},
                "workspace_ids": {
                    "items": {"format": "uuid", "type": "string"},
                    "title": "Workspace IDs",
                    "type": "array",
                },
            },
            "required": ["given_name", "family_name", "email", "role"],
            "title": "User Invitation",
            "type": "object",
        }
        assert schema["properties"]["workspace_ids"]["default"] == []

    def test_answers(self, document: dict[str, Any]) -> None:
        answers = document["paths"][SEED]["post"]["responses"]
        assert {"201", "402", "409", "422", "503"} <= set(answers)
        assert answers["201"]["content"] == {"application/json": {"schema": {}}}
        schema = resolved(document, answers["422"]["content"]["application/json"]["schema"])
        detail = schema["properties"]["detail"]
        assert (schema["title"], schema["type"], list(schema["properties"])) == (
            "HTTPValidationError",
            "object",
            ["detail"],
        )
        assert (detail["title"], detail["type"]) == ("Detail", "array")
        assert same(published(detail["items"]), VALIDATION_ERROR)


class TestAlmanac:
    """The published document of the operation."""

    @pytest.fixture
    def operation(self, document: dict[str, Any]) -> dict[str, Any]:
        path = "/v1/organizations/{organization_id}/members/invite"
        return dict(resolved(document, document["paths"][path]["post"]))

    def test_parameters(self, operation: dict[str, Any]) -> None:
        assert operation["parameters"] == [
            {
                "in": "path",
                "name": "organization_id",
                "required": True,
                "schema": {"title": "Organization Id", "type": "string"},
            },
            {
                "in": "header",
                "name": "authorization",
                "required": False,
                "schema": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Authorization"},
            },
        ]
        name = "invite_organization_member_v1_organizations__organization_id__members_invite_post"
        assert (operation["operationId"], operation["summary"]) == (name, "Invite Organization Member")

    def test_body(self, operation: dict[str, Any]) -> None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert operation["requestBody"]["required"]
        assert published(schema) == published(INVITE_ORGANIZATION_MEMBER_REQUEST)

    def test_answers(self, operation: dict[str, Any]) -> None:
        documented = {
            status: operation["responses"][status]["content"]["application/json"]["schema"]
            for status in ("200", "422")
        }
        assert published(documented["200"]) == published(HOSTED_ORGANIZATION_INVITATION)
        assert documented["200"]["properties"]["state"]["default"] == "pending"
        assert documented["422"]["title"] == HTTP_VALIDATION_ERROR["title"]
        assert same(published(documented["422"]["properties"]["detail"]["items"]), VALIDATION_ERROR)


def same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Compare schemas, ignoring the order of `required` and explicit additional properties."""
    ours["required"] = sorted(ours["required"])
    ours["properties"]["ctx"].pop("additionalProperties", None)
    return ours == theirs


def test_docs_let_an_admin_try_operations(serve: Callable[..., LiveServer], open_page: Callable[..., Page]) -> None:
    server = serve()
    with server.app.app_context():
        key = make_api_key(make_organization(), role="admin")
    page = open_page(server)
    page.goto("/docs")
    page.get_by_role("button", name="Authorize", exact=True).first.click()
    page.locator(".auth-container", has_text="bearer").get_by_role("textbox").first.fill(key.secret)
    page.locator(".auth-container", has_text="(http, Bearer)").get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()
    operation = page.locator(".opblock", has_text="/api/v1/me").first
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    operation.locator(".live-responses-table .response-col_status", has_text="200").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_docs_are_readable_in_both_color_schemes(
    scheme: str, serve: Callable[..., LiveServer], open_page: Callable[..., Page]
) -> None:
    page = open_page(serve(), color_scheme=scheme)
    page.goto("/docs")
    for method in ("get", "post", "put", "patch", "delete"):
        page.locator(f".opblock-{method} .opblock-summary-control").first.click()
    page.locator(".opblock-post .try-out__btn").first.click()
    page.locator(".opblock-post .execute").first.wait_for()
    found = Axe().run(page, options={"runOnly": {"type": "rule", "values": ["color-contrast"]}})
    assert not found.violations_count, found.generate_report()
