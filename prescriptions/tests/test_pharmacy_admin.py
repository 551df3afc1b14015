"""The list of approved pharmacies, as administrators see it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import User
from medisync.tests.client import page_client
from prescriptions.models import ApprovedPharmacy

pytestmark = pytest.mark.django_db
LIST = "/admin/prescriptions/approvedpharmacy/"
SAID = {"name": "Central Pharmacy", "licence_number": "EG-77"}


@pytest.fixture
def browser_of_admin(admin: User) -> Client:
    return page_client(admin)


def code_on(page: str) -> str:
    return re.findall(r'code-big">([0-9A-Z-]{11})<', page)[0]


def test_administrator_approves_renews_and_takes_off(browser_of_admin: Client) -> None:
    assert "Approve a pharmacy" in browser_of_admin.get(LIST).content.decode()
    made = browser_of_admin.post(f"{LIST}new/", SAID)
    code = code_on(made.content.decode())
    pharmacy = ApprovedPharmacy.objects.get()
    page = browser_of_admin.get(f"{LIST}{pharmacy.pk}/change/").content.decode()
    assert code not in page
    assert "no-store" in made["Cache-Control"]

    renewed = code_on(browser_of_admin.post(f"{LIST}{pharmacy.pk}/renew/").content.decode())
    assert renewed != code

    taken = browser_of_admin.post(f"{LIST}{pharmacy.pk}/deactivate/", follow=True)
    assert "It dispenses no controlled medicines any more." in taken.content.decode()
    pharmacy.refresh_from_db()
    assert not pharmacy.is_active


def test_pharmacy_on_the_list_is_refused_beside_its_licence(browser_of_admin: Client) -> None:
    browser_of_admin.post(f"{LIST}new/", SAID)

    answer = browser_of_admin.post(f"{LIST}new/", SAID)

    assert answer.status_code == 409
    assert list(answer.context["form"].errors) == ["licence_number"]


@pytest.mark.parametrize("name", ["", "a\x00b", "a\u202eb", "x" * 161])
def test_name_that_is_none_is_refused_beside_it(browser_of_admin: Client, name: str) -> None:
    answer = browser_of_admin.post(f"{LIST}new/", SAID | {"name": name})

    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["name"]
