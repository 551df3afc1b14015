"""The catalogue is public to read."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from medisync.tests.client import api_client
from specializations.models import Specialization

pytestmark = pytest.mark.django_db
URL = "/api/v1/specializations"


def add(code: str, **changes: object) -> Specialization:
    return Specialization.objects.create(
        code=code, name_en=f"Science of {code}", name_ar=f"علم {code}", **changes
    )


def codes() -> set[str]:
    return {row["code"] for row in api_client().get(URL).json()}


def test_anyone_may_read_it() -> None:
    add("phrenology")

    assert "phrenology" in codes()


def test_retired_ones_are_offered_to_nobody() -> None:
    retired = add("alchemy", is_retired=True)

    assert "alchemy" not in codes()
    assert api_client().get(f"{URL}/{retired.pk}").status_code == 404


def test_name_follows_the_language_of_the_request() -> None:
    added = add("phrenology")

    row = api_client().get(f"{URL}/{added.pk}", headers={"Accept-Language": "ar"}).json()

    assert row["name"] == row["name_ar"] == "علم phrenology"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_over_the_api(admin: User, method: str) -> None:
    added = add("phrenology")
    client = api_client(admin)

    for url in (URL, f"{URL}/{added.pk}"):
        assert getattr(client, method)(url, {"code": "x"}).status_code == 405


@pytest.mark.parametrize("field", ["code", "name_en", "name_ar"])
def test_names_are_taken_once(field: str) -> None:
    first, second = add("first"), add("second")

    with pytest.raises(IntegrityError), transaction.atomic():
        Specialization.objects.filter(pk=second.pk).update(**{field: getattr(first, field)})


def test_names_are_compared_without_regard_to_case() -> None:
    add("first")
    second = add("second")

    with pytest.raises(IntegrityError), transaction.atomic():
        Specialization.objects.filter(pk=second.pk).update(name_en="SCIENCE OF FIRST")


def test_list_is_one_question(django_assert_num_queries) -> None:
    add("first")
    with django_assert_num_queries(1):
        api_client().get(URL)
    for n in range(4):
        add(f"more-{n}")

    with django_assert_num_queries(1):
        api_client().get(URL)
