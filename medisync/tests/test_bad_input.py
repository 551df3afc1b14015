"""Bad input on every route of the API: a 4xx in the one error shape, and nothing written.

What is sent is made from the OpenAPI description, field by field, so a new route or field is
tried as soon as it is described, and a route without a right body to start from fails.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.cache import cache
from django.db import connection as database
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from accounts.models import CorrectionStep, DeviceSession, Status
from accounts.tests.factories import AdminFactory, DoctorFactory
from accounts.tests.registering import NATIONAL_ID, PHONE, verified
from accounts.tests.reviewing import send_back
from accounts.tokens import onboarding_token
from common.ids import uuid7
from medisync.tests.client import api_client, sign_in
from medisync.tests.test_access_matrix import lines
from medisync.tests.world import CAST, World

SCHEMA = SchemaGenerator().get_schema(public=True)
MEGABYTE = "x" * 1024 * 1024


@dataclass(frozen=True)
class Operation:
    """One method of one route, as the description has it."""

    method: str
    route: str
    definition: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def body(self) -> dict[str, Any] | None:
        content = self.definition.get("requestBody", {}).get("content", {})
        media = content.get("application/json")
        return resolved(media["schema"]) if media else None

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return self.definition.get("parameters", [])


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference."""
    while "$ref" in schema or "allOf" in schema:
        if "allOf" in schema:
            (schema,) = schema["allOf"]
        else:
            schema = SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


OPERATIONS = [
    Operation(method.upper(), path.strip("/").replace("{", "<").replace("}", ">"), definition)
    for path, methods in SCHEMA["paths"].items()
    for method, definition in methods.items()
]
WITH_BODY = [operation for operation in OPERATIONS if operation.body]
WRITING = [operation for operation in OPERATIONS if operation.method != "GET"]
WITH_ID = [operation for operation in OPERATIONS if "<" in operation.route]


@dataclass
class Caller:
    """Someone who may do it, and how they would do it right."""

    client: Client
    path: str
    right: dict[str, Any]

    def send(self, operation: Operation, content: bytes, kind: str = "application/json") -> Any:
        cache.clear()
        return self.client.generic(operation.method, self.path, content, content_type=kind)


def caller_of(operation: Operation, world: World) -> Caller:
    key = str(operation)
    if operation.route == "api/v1/users/<user_id>/profile":
        applicant = verified(email="applicant@example.org")
        client = api_client()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {onboarding_token(applicant)}")
        details = {
            "phone": PHONE,
            "national_id": NATIONAL_ID,
            "birth_date": "1990-05-17",
            "sex": "FEMALE",
        }
        return Caller(client, f"/api/v1/users/{applicant.pk}/profile", details)
    if key == "PATCH api/v1/users/application":
        returned = DoctorFactory(status=Status.PENDING_APPROVAL)
        send_back(sign_in(AdminFactory()), returned, CorrectionStep.NAME)
        right = {"first_name": "Hany", "last_name": "Fouad"}
        return Caller(api_client(returned), "/api/v1/users/application", right)
    cells = lines()[operation.method, route_of(operation)]
    who = next(name for name, cell in zip(CAST, cells, strict=True) if cell.startswith("2"))
    return Caller(
        world.apps[who], world.path(route_of(operation)), world.bodies.get(key_of(key), {})
    )


def route_of(operation: Operation) -> str:
    """The route as the URL resolver names it: the description calls some ids otherwise."""
    names = [name for method, name in lines() if method == operation.method]
    if operation.route in names:
        return operation.route
    return operation.route.replace("<id>", "<pk>")


def key_of(key: str) -> str:
    return key.replace("<id>", "<pk>")


def wrong_values(schema: dict[str, Any]) -> list[Any]:
    """Values that no reading of the field's type allows."""
    schema = resolved(schema)
    kinds = schema.get("type", "string")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    wrong: list[Any] = [{"a": 1}] if "object" in kinds else [{}, {"a": 1}]
    if "array" not in kinds:
        wrong += [[], [[]], ["x"]]
    if "null" not in kinds and None not in schema.get("enum", []) and "oneOf" not in schema:
        wrong += [None]
    if "string" in kinds or "enum" in schema:
        wrong += [True, 7, 1.5, "\x00", "a\x00b", "x" * 20_000]
    if {"integer", "number"} & kinds:
        wrong += ["x", True, 1.5, 10**30, -(10**30), 2**63, "1e400"]
    if "boolean" in kinds:
        wrong += ["perhaps", 7, "\x00"]
    if schema.get("format") in {"uuid", "date", "email"}:
        wrong += ["x", "2026-13-45", "\u202e", "01933c5e-0000-7000-8000-00000000000g"]
    return wrong


def mutations(
    schema: dict[str, Any], right: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The right body with one fault, and what the fault is."""
    properties = schema["properties"]
    yield "an unknown field", right | {"unknown_field": 1}
    yield "a field that pollutes", right | {"__proto__": {"is_admin": True}}
    for name in schema.get("required", []):
        yield f"{name} is missing", {key: right[key] for key in right if key != name}
    for name, field in properties.items():
        for value in wrong_values(field):
            yield f"{name} = {value!r:.40}", right | {name: value}
        if "properties" in resolved(field) and name in right:
            for fault, part in mutations(resolved(field), right[name]):
                yield f"{name}: {fault}", right | {name: part}
        inner = resolved(field).get("items")
        if inner and name in right:
            for fault, item in wrong_items(name, inner, right):
                yield fault, right | {name: [item]}


def wrong_items(
    name: str, schema: dict[str, Any], right: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """What a list may not hold."""
    yield f"{name} holds null", None
    yield f"{name} holds text", "x"
    if "properties" in resolved(schema):
        for fault, item in mutations(resolved(schema), right[name][0]):
            yield f"{name}.0: {fault}", item


def malformed(right: dict[str, Any]) -> Iterator[tuple[str, bytes, str]]:
    """Bodies that are not one JSON object in UTF-8, or are not said to be."""
    good = json.dumps(right).encode()
    json_type = "application/json"
    yield "an array", b"[]", json_type
    yield "an array of the right body", b"[" + good + b"]", json_type
    yield "text", b'"x"', json_type
    yield "a number", b"7", json_type
    yield "null", b"null", json_type
    yield "half a document", good[:-1], json_type
    yield "two documents", good + good, json_type
    yield "not JSON", b"role=PATIENT", json_type
    yield "invalid UTF-8", b'{"\xff\xfe": 1}', json_type
    yield "invalid UTF-8 in a value", good[:-1] + b', "x": "\xc3\x28"}', json_type
    yield "a lone surrogate", good[:-1] + b', "x": "\\ud800"}', json_type
    yield "UTF-16", json.dumps(right).encode("utf-16"), f"{json_type}; charset=utf-16"
    yield "NaN", good[:-1] + b', "x": NaN}', json_type
    yield "deep nesting", b"[" * 100_000, json_type
    yield "deep nesting, closed", b'{"a":' * 20_000 + b"1" + b"}" * 20_000, json_type
    yield "plain text", good, "text/plain"
    yield "no type", good, ""
    yield "XML", b"<role>PATIENT</role>", "application/xml"
    yield "a form", b"role=PATIENT", "application/x-www-form-urlencoded"
    yield "a broken multipart form", b"--x\r\nContent", "multipart/form-data; boundary=x"
    yield "a multipart form without boundary", good, "multipart/form-data"


def everything() -> dict[str, str]:
    """A fingerprint of every table, without the counter of tries left."""
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})
    row = "(to_jsonb({table}) - 'tries_left')::text"
    digest = f"md5(coalesce(string_agg({row}, ',' ORDER BY {row}), ''))"
    query = " UNION ALL ".join(
        f"SELECT '{table}', {digest.format(table=table)} FROM {table}" for table in tables
    )
    with database.cursor() as cursor:
        cursor.execute(query)
        return dict(cursor.fetchall())


def fault_of(answer: HttpResponse, path: str) -> str:
    """What is wrong with a refusal; empty when it is as it should be."""
    if not 400 <= answer.status_code < 500:
        return f"status {answer.status_code}"
    if answer["Content-Type"] != "application/problem+json":
        return f"{answer.status_code} as {answer['Content-Type']}"
    problem = json.loads(answer.content)
    is_problem = (
        set(problem) == {"type", "title", "status", "instance", "errors"}
        and (problem["status"], problem["instance"]) == (answer.status_code, path)
        and problem["title"]
        and problem["errors"]
        and all(set(error) == {"code", "detail", "attr"} for error in problem["errors"])
    )
    return "" if is_problem else str(problem)


def faults(
    operation: Operation, caller: Caller, bodies: Iterator[tuple[str, bytes, str]]
) -> dict[str, str]:
    """The bodies that were not refused as they should be, and how."""
    before = everything()
    found = {}
    for fault, content, kind in bodies:
        with transaction.atomic():
            answer = caller.send(operation, content, kind)
            wrong = fault_of(answer, caller.path)
            if not wrong and everything() != before:
                wrong = "something was written"
            transaction.set_rollback(True)
        if wrong:
            found[fault] = wrong
    return found


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_right_body_is_accepted(world: World, operation: Operation) -> None:
    """The control: what is refused below is refused for its fault."""
    caller = caller_of(operation, world)

    answer = caller.send(operation, json.dumps(caller.right).encode())

    assert 200 <= answer.status_code < 300, answer.content


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_wrong_field_is_refused(world: World, operation: Operation) -> None:
    caller = caller_of(operation, world)
    bodies = (
        (fault, json.dumps(body).encode(), "application/json")
        for fault, body in mutations(operation.body or {}, copy.deepcopy(caller.right))
    )

    assert faults(operation, caller, bodies) == {}


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_malformed_body_is_refused(world: World, operation: Operation) -> None:
    caller = caller_of(operation, world)

    assert faults(operation, caller, malformed(caller.right)) == {}


@pytest.mark.parametrize(
    "operation", [one for one in WITH_BODY if (one.body or {}).get("required")], ids=str
)
def test_empty_body_is_refused(world: World, operation: Operation) -> None:
    caller = caller_of(operation, world)
    bodies = iter([("nothing", b"", "application/json"), ("{}", b"{}", "application/json")])

    assert faults(operation, caller, bodies) == {}


@pytest.mark.parametrize("operation", WRITING, ids=str)
def test_megabyte_is_refused_unread(world: World, operation: Operation) -> None:
    caller = caller_of(operation, world)
    before = everything()

    answer = caller.send(operation, json.dumps(caller.right | {"x": MEGABYTE}).encode())

    assert answer.status_code == 413
    assert fault_of(answer, caller.path) == ""
    assert everything() == before


@pytest.mark.parametrize("operation", WITH_ID, ids=str)
def test_wrong_id_is_not_found(world: World, operation: Operation) -> None:
    caller = caller_of(operation, world)
    right_id = next(part for part in caller.path.split("/") if len(part) == 36)
    before = everything()
    found = {}

    for wrong_id in ("x", "1", "%00", "%ff", "..", "{}", "-1", "٣", right_id[:-1], str(uuid7())):
        path = caller.path.replace(right_id, wrong_id)
        answer = Caller(caller.client, path, {}).send(operation, json.dumps(caller.right).encode())
        if answer.status_code not in {403, 404, 405} or answer["Content-Type"] != (
            "application/problem+json"
        ):
            found[wrong_id] = answer.status_code

    assert found == {}
    assert everything() == before


@pytest.mark.parametrize(
    ("operation", "parameter"),
    [
        (operation, parameter)
        for operation in OPERATIONS
        for parameter in operation.parameters
        if parameter["in"] == "query" and parameter["name"] not in {"limit", "search", "city", "q"}
        if operation.route != "api/schema"
    ],
    ids=lambda part: part["name"] if isinstance(part, dict) else str(part),
)
def test_wrong_query_is_refused(
    world: World,
    operation: Operation,
    parameter: dict[str, Any],
) -> None:
    caller = caller_of(operation, world)
    path = caller.path.partition("?")[0]
    found = {}

    for value in ("perhaps", "%ff", "x" * 3000, "2026-13-45"):
        cache.clear()
        answer = caller.client.get(f"{path}?{parameter['name']}={value}")
        wrong = fault_of(answer, path)
        if wrong:
            found[value] = wrong

    assert found == {}


@pytest.mark.parametrize(
    "route",
    [
        "api/v1/auth/register/verify-email",
        "api/v1/auth/mfa/verify",
        "api/v1/auth/mfa/passkey",
        "api/v1/auth/passkeys/sign-in",
        "api/v1/auth/google",
        "api/v1/users/<user_id>/profile",
    ],
)
def test_what_works_once_is_refused_again(world: World, route: str) -> None:
    operation = next(one for one in WITH_BODY if one.route == route)
    caller = caller_of(operation, world)
    right = json.dumps(caller.right).encode()
    assert caller.send(operation, right).status_code in {200, 204}
    before = everything()

    answer = caller.send(operation, right)

    assert fault_of(answer, caller.path) == ""
    assert everything() == before


@pytest.mark.parametrize(
    "route",
    [
        "api/v1/auth/register/basic",
        "api/v1/auth/register/verify-email",
        "api/v1/auth/resend-otp",
        "api/v1/auth/verify-reset-otp",
        "api/v1/auth/reset-password",
        "api/v1/auth/change-email/verify",
        "api/v1/auth/refresh",
        "api/v1/auth/mfa/verify",
        "api/v1/auth/mfa/passkey",
        "api/v1/auth/passkeys/sign-in",
        "api/v1/auth/google",
        "api/v1/qr/scan",
        "api/v1/users/<user_id>/profile",
    ],
)
def test_what_has_expired_is_refused(world: World, route: str) -> None:
    operation = next(one for one in WITH_BODY if one.route == route)
    caller = caller_of(operation, world)
    before = everything()

    with time_machine.travel(timezone.now() + 2 * DeviceSession.LASTS):
        answer = caller.send(operation, json.dumps(caller.right).encode())

    assert fault_of(answer, caller.path) == ""
    assert everything() == before


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/v1/", "/api/v2/users", "/api/v1/%00"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_address_is_a_problem_too(path: str, method: str) -> None:
    answer = api_client().generic(method, path)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "nonsense"])
def test_other_formats_are_a_problem_or_json(world: World, accept: str) -> None:
    answer = world.apps["patient"].get("/api/v1/users/profile", headers={"Accept": accept})

    assert answer["Content-Type"] in {"application/json", "application/problem+json"}
    assert answer.status_code in {200, 406}


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["hex", "idna", "undefined", "utf-16"])
@pytest.mark.parametrize("path", ["/login", "/password/link/secret", "/api/v1/auth/login"])
def test_charset_that_nobody_writes_is_refused(path: str, charset: str) -> None:
    """Python knows more of them than can be read as text."""
    body = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n\xff\r\n--x--\r\n'

    answer = Client().generic(
        "POST", path, body, f"multipart/form-data; boundary=x; charset={charset}"
    )

    assert answer.status_code == 415


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "of-nobody"])
def test_utf_8_is_read_by_whichever_name(charset: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n\xff\r\n--x--\r\n'

    answer = Client().generic(
        "POST", "/login", body, f"multipart/form-data; boundary=x; charset={charset}"
    )

    assert answer.status_code == 400
