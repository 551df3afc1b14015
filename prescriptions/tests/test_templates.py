"""A doctor's own templates."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError
from django.http import Http404

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from prescriptions.models import PrescriptionTemplate
from prescriptions.services.issuing import Item, Order
from prescriptions.services.templates import (
    NameTaken,
    TooManyTemplates,
    delete_template,
    order_of,
    save_template,
)
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL
from prescriptions.tests.test_pages import AMOXICILLIN, form

pytestmark = pytest.mark.django_db
PATH = "/api/v1/prescription-templates"
ORDER = Order(items=[AMLODIPINE, PARACETAMOL], diagnosis="Hypertension", notes="Rest.")


def save(doctor: User, name: str = "Throat", **options: Any) -> PrescriptionTemplate:
    return save_template(actor=doctor, name=name, order=options.pop("order", ORDER), **options)


def body(**changes: Any) -> dict[str, Any]:
    item = {"medicine": "Ramipril", "frequency": 1, "quantity": 30}
    return {"name": "Blood pressure", "items": [item]} | changes


def test_template_gives_back_what_was_kept(doctor: User) -> None:
    template = save(doctor)
    template.refresh_from_db()

    assert order_of(template) == ORDER


def test_template_is_put_in_the_place_of_one(doctor: User) -> None:
    template = save(doctor)

    save(doctor, "THROAT", template_id=template.pk, order=Order(items=[PARACETAMOL]))

    kept = PrescriptionTemplate.objects.get()
    assert (kept.pk, kept.name, len(kept.items), kept.notes) == (template.pk, "THROAT", 1, "")


def test_name_is_given_once_whatever_its_case(doctor: User, other_doctor: User) -> None:
    save(doctor)
    save(other_doctor)

    with pytest.raises(NameTaken):
        save(doctor, "throat")


@pytest.mark.parametrize(
    ("kept", "again"),
    [("\N{KELVIN SIGN}", "k"), ("\N{ANGSTROM SIGN}", "å"), ("k", "\N{KELVIN SIGN}")],
    ids=["kelvin", "angstrom", "k"],
)
def test_letters_with_the_same_small_one_are_one_name(doctor: User, kept: str, again: str) -> None:
    save(doctor, kept)

    with pytest.raises(NameTaken):
        save(doctor, again)


@pytest.mark.django_db(transaction=True)
def test_name_given_twice_at_once_is_given_once(doctor: User) -> None:
    racers = race(lambda: save(doctor), lambda: save(doctor), gate=PrescriptionTemplate)

    assert sorted(errors(racers)) == ["", "NameTaken"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_second_breaks_on_the_database(doctor: User) -> None:
    racers = race(lambda: save(doctor), lambda: save(doctor), gate=PrescriptionTemplate)

    assert sorted(errors(racers)) == ["", "IntegrityError"]
    assert any(isinstance(racer.error, IntegrityError) for racer in racers)


def test_hundred_are_kept_at_most(doctor: User) -> None:
    PrescriptionTemplate.objects.bulk_create(
        PrescriptionTemplate(doctor=doctor, name=f"{number}", items=[])
        for number in range(PrescriptionTemplate.MOST)
    )

    with pytest.raises(TooManyTemplates):
        save(doctor)
    first = PrescriptionTemplate.objects.first()
    assert save(doctor, template_id=first.pk).pk == first.pk


@pytest.mark.parametrize("items", [[], [Item(medicine="Ramipril", quantity=1)]], ids=["none", "x"])
def test_order_that_is_not_whole_is_refused(doctor: User, items: list[Item]) -> None:
    with pytest.raises(InvalidInput):
        save(doctor, order=Order(items=items))


@pytest.mark.parametrize("who", ["patient", "admin"])
def test_only_doctors_keep_templates(who: str, request: pytest.FixtureRequest) -> None:
    actor = request.getfixturevalue(who)

    with pytest.raises(NotAllowed):
        save(actor)


def test_nobody_reaches_anothers(doctor: User, other_doctor: User) -> None:
    template = save(doctor)

    with pytest.raises(Http404):
        save(other_doctor, template_id=template.pk)
    with pytest.raises(Http404):
        delete_template(actor=other_doctor, template_id=template.pk)
    assert api_client(other_doctor).get(f"{PATH}/{template.pk}").status_code == 404


def test_api_keeps_changes_lists_and_deletes(doctor: User) -> None:
    app = api_client(doctor)

    made = app.post(PATH, body())
    one = f"{PATH}/{made.json()['id']}"
    changed = app.put(one, body(name="Heart", notes="Rest."))

    assert (made.status_code, changed.status_code) == (201, 200)
    assert [row["name"] for row in app.get(PATH).json()] == ["Heart"]
    assert app.get(one).json()["items"][0]["medicine"] == "Ramipril"
    assert app.delete(one).status_code == 204
    assert app.get(PATH).json() == []


@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"items": []}, "items"),
        ({"items": [{"medicine": "x"}]}, "items.0.quantity"),
        ({"patient": "x"}, "patient"),
    ],
    ids=str,
)
def test_what_cannot_be_right_is_refused_by_name(
    doctor: User, change: dict[str, Any], attr: str
) -> None:
    answer = api_client(doctor).post(PATH, body(**change))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"].startswith(attr)


def test_pages_keep_change_and_delete(doctor: User) -> None:
    browser = page_client(doctor)
    assert "No templates yet" in browser.get("/prescription-templates").content.decode()

    browser.post("/prescription-templates/new", form(AMOXICILLIN, name="Throat"))
    template = PrescriptionTemplate.objects.get()
    one = f"/prescription-templates/{template.pk}"
    page = browser.get(one)
    assert page.context["rows"].forms[0]["medicine"].value() == "Amoxicillin"

    browser.post(one, form(AMOXICILLIN, AMOXICILLIN, name="Ear"))
    template.refresh_from_db()
    assert (template.name, len(template.items)) == ("Ear", 2)

    browser.post(f"{one}/delete")
    assert not PrescriptionTemplate.objects.exists()


def test_page_says_what_is_wrong_and_loses_nothing(doctor: User) -> None:
    save(doctor)
    browser = page_client(doctor)
    new = "/prescription-templates/new"

    unnamed = browser.post(new, form(AMOXICILLIN, name=""))
    taken = browser.post(new, form(AMOXICILLIN, name="Throat"))
    added = browser.post(new, form(AMOXICILLIN, name="Ear", add="row"))

    assert (unnamed.status_code, taken.status_code, added.status_code) == (400, 409, 200)
    assert taken.context["form"].errors["name"]
    assert 'value="Amoxicillin"' in taken.content.decode()
    assert added.context["rows"].total_form_count() == 2
    assert PrescriptionTemplate.objects.count() == 1
