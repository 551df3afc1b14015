"""The API does what its OpenAPI description says, for whatever fits it or does not."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi import checks

from medisync.tests.world import World

api = schemathesis.openapi.from_wsgi("/api/schema", get_wsgi_application())

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.ignored_auth,
]


@pytest.fixture(autouse=True)
def _connection_stays_open() -> Iterator[None]:
    """As Django's own test client does it: the end of a request is not that of the test's
    transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def call(case: schemathesis.Case, world: World, who: str) -> None:
    """One request about what is there, undone afterwards. Bodies are held to the description;
    in queries and headers more is forgiven, such as what nobody asked for."""
    route = case.path.strip("/").replace("{", "<").replace("}", ">").replace("<id>", "<pk>")
    for name in case.path_parameters or {}:
        known_as = "pk" if name == "id" else name
        case.path_parameters[name] = str(world.argument(route, known_as))
    # Ids and credentials are put right here, so where the body is right nothing is left wrong.
    is_strict = case.method in {"POST", "PATCH"} and is_wrong_in_its_body(case)
    strict = [checks.negative_data_rejection] if is_strict else []
    cache.clear()
    with transaction.atomic():
        case.call_and_validate(
            checks=CHECKS + strict,
            headers={"Authorization": world.apps[who]._credentials["HTTP_AUTHORIZATION"]},
        )
        transaction.set_rollback(True)


def is_wrong_in_its_body(case: schemathesis.Case) -> bool:
    body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
    return body is not None and body.mode == GenerationMode.NEGATIVE


@pytest.mark.parametrize("who", ["patient", "doctor"])
@api.exclude(path="/api/schema").parametrize()
@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_described(case: schemathesis.Case, world: World, who: str) -> None:
    call(case, world, who)


def test_description_is_valid_and_without_warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    GENERATOR_STATS.reset()

    description = SchemaGenerator().get_schema(public=True)

    validate_schema(description)
    assert not GENERATOR_STATS
    assert caplog.text == ""


def test_every_refusal_is_described_in_the_one_shape() -> None:
    paths = SchemaGenerator().get_schema(public=True)["paths"]

    undescribed = [
        f"{method} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "application/problem+json" not in operation["responses"]["4XX"]["content"]
    ]

    assert undescribed == []
