"""A name reads as it is written, whichever door it came through."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.services.changes import propose_name
from accounts.services.profiles import update_own_account
from accounts.services.users import suspend_user
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from accounts.tests.registering import registering
from common.errors import InvalidInput
from medisync.tests.client import api_client, page_client, sign_in

pytestmark = pytest.mark.django_db
HIDDEN = [
    "Mona\nAdel",
    "Mona\u2028",
    "Mo\x07na",
    "\u202eanoM",
    "Mona\u2066",
    "\u2069Mona",
    "Mo\x85na",
]


# Nothing to be read, however long.
UNSEEN = ["\u200b", "\u200e\u200f", "\u00ad \u2060", "\u3164", "\u2800", "\u2065", "\U000e0fff"]


def in_registration(name: str) -> None:
    registering(first_name=name)


def in_the_profile(name: str) -> None:
    update_own_account(actor=PatientFactory(), changes={"last_name": name})


def in_a_proposal(name: str) -> None:
    propose_name(
        session=sign_in(AdminFactory()), user_id=DoctorFactory().pk, first_name=name,
        last_name="Nabil", reason="Court.",
    )  # fmt: skip


@pytest.mark.parametrize("tell", [in_registration, in_the_profile, in_a_proposal])
@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_characters_are_refused(name: str, tell: Callable[[str], None]) -> None:
    before = set(User.objects.values_list("first_name", "last_name"))

    with pytest.raises(InvalidInput, match="on one line"):
        tell(name + "x")

    names = set(User.objects.values_list("first_name", "last_name")) - before
    assert not any(name in part for pair in names for part in pair)


@pytest.mark.parametrize("tell", [in_registration, in_the_profile, in_a_proposal])
@pytest.mark.parametrize("name", UNSEEN)
def test_name_that_nobody_sees_is_none(name: str, tell: Callable[[str], None]) -> None:
    with pytest.raises(InvalidInput, match="cannot be empty"):
        tell(name)


@pytest.mark.parametrize("reason", UNSEEN)
def test_reason_that_nobody_sees_is_none(reason: str) -> None:
    with pytest.raises(InvalidInput, match="give the reason"):
        suspend_user(session=sign_in(AdminFactory()), user_id=DoctorFactory().pk, reason=reason)


@pytest.mark.parametrize("name", HIDDEN)
def test_command_line_refuses_them_too(name: str) -> None:
    with pytest.raises(ValidationError, match="on one line"):
        User._meta.get_field("first_name").clean(name, None)


@pytest.mark.parametrize("name", ["منى", "Anne-Marie", "O\u2019Neill", "Émile", "\u200fمنى\u200f"])
def test_names_as_people_have_them_are_taken(name: str, patient: User) -> None:
    assert update_own_account(actor=patient, changes={"first_name": name}).first_name == name


def test_both_doors_say_so_beside_the_field(patient: User) -> None:
    app = api_client(patient).patch("/api/v1/users/profile", {"first_name": "\u202eanoM"})
    page = page_client(patient).post(
        "/profile", {"first_name": "\u202eanoM", "last_name": "Adel", "phone": "+201001234567",
         "language": "en", "time_zone": "Africa/Cairo"},
    )  # fmt: skip

    assert (app.status_code, app.json()["errors"][0]["attr"]) == (400, "first_name")
    assert page.status_code == 400
    assert "first_name" in page.context["form"].errors
