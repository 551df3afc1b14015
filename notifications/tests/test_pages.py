"""The page of notifications."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from accounts.tests.factories import PatientFactory
from common.templatetags.ui import icon
from medisync.tests.client import page_client
from notifications.models import Notification
from notifications.services import notify
from notifications.views import ICONS
from notifications.wording import WORDING, Kind

pytestmark = pytest.mark.django_db
LIST = "/notifications"


def tell(user: User, url: str = "/prescriptions") -> Notification:
    other = PatientFactory(first_name="Karim", last_name="<b>")
    return notify(recipient=user, kind=Kind.CONNECTION_MADE, about=other, url=url)


def address(notification: Notification, verb: str) -> str:
    return f"/notifications/{notification.pk}/{verb}"


def test_list_shows_ones_own_with_the_unread_marked(patient: User, stranger: User) -> None:
    read, unread, foreign = tell(patient), tell(patient), tell(stranger)
    browser = page_client(patient)
    browser.post(address(read, "open"))

    page = browser.get(LIST).content.decode()

    assert page.count('row__title">You are now connected with Karim &lt;b&gt;.</span>') == 2
    assert page.count("row--unread") == 1
    assert address(unread, "open") in page
    assert address(foreign, "open") not in page


def test_every_kind_that_the_list_shows_has_an_icon() -> None:
    shown = {kind for kind, wording in WORDING.items() if wording.title}

    assert set(ICONS) == shown
    for name in ICONS.values():
        assert "<svg" in icon(name)


def test_empty_list_says_what_comes_here(patient: User) -> None:
    page = page_client(patient).get(LIST).content.decode()

    assert "No notifications" in page
    assert "Mark all read" not in page


def test_list_takes_the_same_queries_however_long(
    patient: User, django_assert_num_queries: Any
) -> None:
    for _ in range(6):
        tell(patient)
    browser = page_client(patient)

    with django_assert_num_queries(5):  # cookie, device session, notifications, unread counts
        browser.get(LIST)


def test_opening_one_marks_it_read_and_goes_where_it_points(patient: User) -> None:
    told = tell(patient, "/connections/01a2042d-d581-7528-b0f1-e4e1fc89c7e9")

    answer = page_client(patient).post(address(told, "open"))

    assert answer.status_code == 302
    assert answer.url == told.url
    told.refresh_from_db()
    assert told.read_at is not None


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""],
)
def test_opening_one_never_leaves_the_site(url: str, patient: User) -> None:
    told = tell(patient, url)

    answer = page_client(patient).post(address(told, "open"))

    assert answer.url == LIST


def test_all_are_marked_read_but_only_ones_own(patient: User, stranger: User) -> None:
    tell(patient), tell(patient), tell(stranger)

    answer = page_client(patient).post(f"{LIST}/read-all")

    assert answer.url == LIST
    unread = Notification.objects.unread()
    assert [told.recipient_id for told in unread] == [stranger.pk]


def test_one_is_taken_out_of_the_list(patient: User) -> None:
    kept, deleted = tell(patient), tell(patient)

    answer = page_client(patient).post(address(deleted, "delete"))

    assert answer.url == LIST
    assert list(Notification.objects.all()) == [kept]


@pytest.mark.parametrize("verb", ["open", "delete"])
def test_nobody_touches_anothers(verb: str, patient: User, stranger: User) -> None:
    told = tell(patient)

    assert page_client(stranger).post(address(told, verb)).status_code == 404
    told.refresh_from_db()
    assert told.read_at is None


def test_nothing_changes_by_opening_an_address(patient: User) -> None:
    told = tell(patient)
    browser = page_client(patient)

    for path in (address(told, "open"), address(told, "delete"), f"{LIST}/read-all"):
        assert browser.get(path).status_code == 405


def test_unread_ones_have_a_list_of_their_own(patient: User) -> None:
    read, unread = tell(patient), tell(patient)
    browser = page_client(patient)
    browser.post(address(read, "open"))

    page = browser.get(f"{LIST}?unread=1").content.decode()
    browser.post(f"{LIST}/read-all")
    empty = browser.get(f"{LIST}?unread=1").content.decode()

    assert address(unread, "open") in page
    assert address(read, "open") not in page
    assert "Nothing unread" in empty


def test_more_unread_than_anybody_counts_are_99_and_more(patient: User) -> None:
    Notification.objects.bulk_create(
        Notification(recipient=patient, kind=Kind.PASSWORD_CHANGED, url="/") for _ in range(120)
    )

    page = page_client(patient).get(LIST).content.decode()

    assert "<span data-unread-number>99+</span>" in page


def test_scripts_count_as_far_as_the_server(patient: User) -> None:
    page = page_client(patient).get(LIST).content.decode()

    assert f'data-counted-to="{Notification.COUNTED_TO}"' in page
