"""One's own notifications: listing, reading, deleting."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import PatientFactory
from common.ids import uuid7
from medisync.tests.client import api_client
from notifications.jobs import delete_old_notifications
from notifications.models import EmailDelivery, Notification
from notifications.services import notify
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
URL = "/api/v1/notifications"


def tell(
    recipient: User, kind: Kind = Kind.DOCTOR_APPROVED, about: User | None = None
) -> Notification:
    return notify(recipient=recipient, kind=kind, url="/", about=about)


def test_list_is_ones_own_newest_first(patient: User, stranger: User) -> None:
    first, second = tell(patient), tell(patient)
    tell(stranger)

    rows = api_client(patient).get(URL).json()["results"]

    assert [row["id"] for row in rows] == [str(second.pk), str(first.pk)]


def test_title_follows_the_language_of_the_request(patient: User, doctor: User) -> None:
    tell(patient, Kind.CONNECTION_MADE, about=doctor)

    english = api_client(patient).get(URL, headers={"Accept-Language": "en"}).json()
    arabic = api_client(patient).get(URL, headers={"Accept-Language": "ar"}).json()

    assert english["results"][0]["title"] == "You are now connected with Dr Karim Nabil."
    assert arabic["results"][0]["title"] != english["results"][0]["title"]
    assert "Karim Nabil" in arabic["results"][0]["title"]


def test_percent_sign_in_a_name_is_only_a_percent_sign(patient: User) -> None:
    tell(patient, Kind.CONNECTION_MADE, about=PatientFactory(first_name="100 %(name)s %s %d"))

    rows = api_client(patient).get(URL).json()["results"]

    assert "100 %(name)s %s %d" in rows[0]["title"]


def test_pages_follow_each_other_without_gap_or_repeat(patient: User) -> None:
    expected = [str(tell(patient).pk) for _ in range(5)][::-1]
    client = api_client(patient)
    seen, url = [], f"{URL}?limit=2"

    while url:
        page = client.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]

    assert seen == expected


def test_page_is_steady_while_rows_arrive(patient: User) -> None:
    rows = [str(tell(patient).pk) for _ in range(4)][::-1]
    client = api_client(patient)
    first = client.get(f"{URL}?limit=2").json()
    tell(patient)

    second = client.get(first["next"]).json()

    assert [row["id"] for row in second["results"]] == rows[2:]


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "1000000", ""])
def test_page_size_stays_within_its_bounds(patient: User, limit: str) -> None:
    for _ in range(3):
        tell(patient)

    answer = api_client(patient).get(f"{URL}?limit={limit}")

    assert answer.status_code == 200
    assert len(answer.json()["results"]) <= 100


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD0lMDA=", "%00", "bz0tMSZwPTE=", "é"])
def test_cursor_that_is_not_ours_is_not_found(patient: User, cursor: str) -> None:
    answer = api_client(patient).get(URL, {"cursor": cursor})

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_reading_one_marks_it_and_counts_down(patient: User) -> None:
    first = tell(patient)
    tell(patient)
    client = api_client(patient)

    answer = client.put(f"{URL}/{first.pk}/read")

    assert answer.json()["read_at"].endswith("Z")
    assert client.get(f"{URL}/unread/count").json() == {"count": 1}


def test_reading_again_does_not_change_when_it_was_read(patient: User) -> None:
    told = tell(patient)
    client = api_client(patient)

    first = client.put(f"{URL}/{told.pk}/read").json()
    again = client.put(f"{URL}/{told.pk}/read").json()

    assert again == first


def test_reading_all_leaves_other_people_unread(patient: User, stranger: User) -> None:
    tell(patient)
    tell(patient)
    theirs = tell(stranger)

    answer = api_client(patient).put(f"{URL}/read-all")

    theirs.refresh_from_db()
    assert answer.json() == {"count": 0}
    assert theirs.read_at is None


def test_count_is_ones_own(patient: User, stranger: User) -> None:
    tell(patient)
    tell(stranger)

    assert api_client(patient).get(f"{URL}/unread/count").json() == {"count": 1}


def test_deleting_takes_it_out_of_the_list(patient: User) -> None:
    told = tell(patient)
    client = api_client(patient)

    answer = client.delete(f"{URL}/{told.pk}")

    assert answer.status_code == 204
    assert client.get(URL).json()["results"] == []
    assert client.delete(f"{URL}/{told.pk}").status_code == 404


def test_deleting_does_not_take_the_email_back(patient: User) -> None:
    told = tell(patient)

    api_client(patient).delete(f"{URL}/{told.pk}")

    assert EmailDelivery.objects.get().status == "QUEUED"


@pytest.mark.parametrize(("method", "suffix"), [("put", "/read"), ("delete", "")])
def test_what_somebody_else_is_told_is_not_there(
    patient: User, stranger: User, method: str, suffix: str
) -> None:
    theirs = tell(stranger)

    answer = getattr(api_client(patient), method)(f"{URL}/{theirs.pk}{suffix}")

    theirs.refresh_from_db()
    assert answer.status_code == 404
    assert theirs.read_at is None


def test_unknown_one_is_not_there(patient: User) -> None:
    assert api_client(patient).put(f"{URL}/{uuid7()}/read").status_code == 404


def test_nobody_is_told_nothing(patient: User) -> None:
    tell(patient)

    assert not Notification.objects.visible_to(AnonymousUser()).exists()


def test_list_asks_a_fixed_number_of_questions(patient: User, django_assert_num_queries) -> None:
    client = api_client(patient)
    tell(patient, about=PatientFactory())
    with django_assert_num_queries(2):
        client.get(URL)
    for _ in range(4):
        tell(patient, about=PatientFactory())

    with django_assert_num_queries(2):
        rows = client.get(URL).json()["results"]

    assert len(rows) == 5


def test_unread_ones_are_listed_alone(patient: User) -> None:
    read, unread = tell(patient), tell(patient)
    client = api_client(patient)
    client.put(f"{URL}/{read.pk}/read")

    rows = client.get(f"{URL}?unread=true").json()["results"]

    assert [row["id"] for row in rows] == [str(unread.pk)]
    assert len(client.get(f"{URL}?unread=false").json()["results"]) == 2
    assert client.get(f"{URL}?unread=maybe").status_code == 400


def test_pages_of_unread_ones_keep_to_them(patient: User) -> None:
    expected = [str(tell(patient).pk) for _ in range(3)][::-1]
    client = api_client(patient)
    client.put(f"{URL}/{tell(patient).pk}/read")

    first = client.get(f"{URL}?unread=true&limit=2").json()
    second = client.get(first["next"]).json()

    assert [row["id"] for row in first["results"] + second["results"]] == expected


def test_unread_are_counted_no_further_than_anybody_reads(patient: User) -> None:
    Notification.objects.bulk_create(
        Notification(recipient=patient, kind=Kind.NEW_DEVICE, url="/")
        for _ in range(Notification.COUNTED_TO + 20)
    )

    answer = api_client(patient).get(f"{URL}/unread/count")

    assert answer.json() == {"count": Notification.COUNTED_TO}


def test_what_was_read_is_forgotten_after_a_year(patient: User) -> None:
    old, fresh, unread = tell(patient), tell(patient), tell(patient)
    long_ago = timezone.now() - Notification.KEPT_FOR
    Notification.objects.filter(pk=old.pk).update(read_at=long_ago - dt.timedelta(minutes=1))
    Notification.objects.filter(pk=fresh.pk).update(read_at=long_ago + dt.timedelta(minutes=1))

    delete_old_notifications()

    assert set(Notification.objects.all()) == {fresh, unread}
    assert EmailDelivery.objects.count() == 3
