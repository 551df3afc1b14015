"""Roles, licences and reviewed names change by two administrators, never by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError
from django.db import connection as database
from django.http import Http404
from django.utils import timezone

from accounts.models import AccountChange, DeviceSession, DoctorProfile, Role, Status, User
from accounts.policies import (
    ChangeDecided,
    ConfirmationNeeded,
    ProposerGone,
    SecondFactorNeeded,
    can_decide_change,
    can_withdraw_change,
)
from accounts.services import changes
from accounts.services.applications import LicenceTaken
from accounts.services.users import deactivate_user, suspend_user
from accounts.tests.factories import AdminFactory, DoctorFactory, UserFactory
from common.clock import clinic_date
from common.errors import InvalidInput, NotAllowed
from common.ids import uuid7
from medisync.tests.client import page_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification

pytestmark = pytest.mark.django_db
DAY = dt.date(2099, 1, 31)


@pytest.fixture
def proposer(admin: User) -> DeviceSession:
    return sign_in(admin)


@pytest.fixture
def second(db: None) -> DeviceSession:
    return sign_in(AdminFactory(first_name="Nadia", last_name="Second"))


def to_admin(session: DeviceSession, user: User, role: Role = Role.ADMIN) -> AccountChange:
    return changes.propose_role(
        session=session, user_id=user.pk, role=role, reason="Joins the office."
    )


def renewal(session: DeviceSession, user: User, number: str = "EG-NEW") -> AccountChange:
    return changes.propose_licence(
        session=session, user_id=user.pk, licence_number=number, licence_expiry_date=DAY,
        reason="Renewed.",
    )  # fmt: skip


def renaming(session: DeviceSession, user: User) -> AccountChange:
    return changes.propose_name(
        session=session, user_id=user.pk, first_name="Karim", last_name="Fouad", reason="Court."
    )


def approve(session: DeviceSession, change: AccountChange) -> AccountChange:
    return changes.approve_change(session=session, change_id=change.pk)


def test_proposal_changes_nothing_yet(proposer: DeviceSession, doctor: User) -> None:
    change = to_admin(proposer, doctor)

    doctor.refresh_from_db()
    assert doctor.role == Role.DOCTOR
    assert (change.old_values, change.new_values) == ({"role": "DOCTOR"}, {"role": "ADMIN"})


def test_role_changes_with_the_second_administrator_and_ends_sessions(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    session = sign_in(doctor)

    decided = approve(second, to_admin(proposer, doctor))

    doctor.refresh_from_db()
    session.refresh_from_db()
    assert doctor.role == Role.ADMIN
    assert session.revoked_reason == "role_changed"
    assert (decided.decision, decided.decided_by) == ("APPROVED", second.user)
    assert Notification.objects.get(recipient=doctor).kind == "ROLE_CHANGED"


def test_licence_changes(proposer: DeviceSession, second: DeviceSession, doctor: User) -> None:
    approve(second, renewal(proposer, doctor))

    profile = DoctorProfile.objects.get(user=doctor)
    assert (profile.licence_number, profile.licence_expiry_date) == ("EG-NEW", DAY)
    assert Notification.objects.get(recipient=doctor).kind == "LICENCE_CHANGED"


def test_name_changes(proposer: DeviceSession, second: DeviceSession, doctor: User) -> None:
    approve(second, renaming(proposer, doctor))

    doctor.refresh_from_db()
    assert doctor.full_name == "Karim Fouad"
    assert Notification.objects.get(recipient=doctor).kind == "NAME_CHANGED"


def test_nobody_approves_what_they_proposed(proposer: DeviceSession, doctor: User) -> None:
    change = to_admin(proposer, doctor)

    for decide in (
        lambda: approve(proposer, change),
        lambda: changes.refuse_change(session=proposer, change_id=change.pk, note="No."),
    ):
        with pytest.raises(NotAllowed, match="Another administrator"):
            decide()


def test_database_holds_it_whoever_writes(proposer: DeviceSession, doctor: User) -> None:
    change = to_admin(proposer, doctor)

    with pytest.raises(IntegrityError, match="account_change_four_eyes"):
        AccountChange.objects.filter(pk=change.pk).update(
            decision="APPROVED", decided_by=proposer.user, decided_at=timezone.now()
        )


def test_nobody_has_a_say_in_their_own_role(proposer: DeviceSession, second: DeviceSession) -> None:
    with pytest.raises(NotAllowed):
        to_admin(proposer, proposer.user)
    third = sign_in(AdminFactory())
    change = approve(second, renewal(proposer, DoctorFactory()))
    AccountChange.objects.filter(pk=change.pk).update(
        user=third.user, decision="", decided_by=None, decided_at=None
    )

    with pytest.raises(NotAllowed):
        approve(third, change)


def test_database_refuses_a_proposal_about_oneself(proposer: DeviceSession) -> None:
    with pytest.raises(IntegrityError, match="account_change_not_own"):
        AccountChange.objects.create(
            user=proposer.user, proposed_by=proposer.user, kind="ROLE", old_values={},
            new_values={}, reason="Mine.",
        )  # fmt: skip


def test_administrator_without_a_second_factor_does_nothing(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = to_admin(proposer, doctor)
    plain = sign_in(AdminFactory(), factor="")

    for act in (
        lambda: renewal(plain, doctor),
        lambda: approve(plain, change),
        lambda: changes.refuse_change(session=plain, change_id=change.pk, note="No."),
        lambda: changes.withdraw_change(session=plain, change_id=change.pk),
    ):
        with pytest.raises(SecondFactorNeeded):
            act()


def test_approving_asks_who_is_at_the_keyboard(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = to_admin(proposer, doctor)

    with (
        time_machine.travel(timezone.now() + DeviceSession.CONFIRMATION_LASTS),
        pytest.raises(ConfirmationNeeded),
    ):
        approve(second, change)

    doctor.refresh_from_db()
    assert doctor.role == Role.DOCTOR


def test_nobody_else_proposes(patient: User, doctor: User) -> None:
    with pytest.raises(NotAllowed):
        to_admin(sign_in(patient), doctor)


def test_role_needs_its_profile(proposer: DeviceSession, patient: User, doctor: User) -> None:
    with pytest.raises(changes.RoleNotPossible):
        to_admin(proposer, patient, Role.DOCTOR)
    with pytest.raises(changes.RoleNotPossible):
        to_admin(proposer, doctor, Role.PATIENT)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_only_an_account_in_good_standing_takes_another_role(
    proposer: DeviceSession, status: Status
) -> None:
    with pytest.raises(changes.RoleNotPossible):
        to_admin(proposer, DoctorFactory(status=status))


@pytest.mark.parametrize("propose", [renewal, renaming])
def test_only_what_was_reviewed_is_changed_so(
    proposer: DeviceSession, patient: User, propose
) -> None:
    for user in (patient, DoctorFactory(status=Status.PENDING_APPROVAL)):
        with pytest.raises(changes.NotReviewed):
            propose(proposer, user)


@pytest.mark.parametrize("propose", [renewal, renaming])
def test_account_closed_before_it_was_reviewed_has_nothing_reviewed(
    proposer: DeviceSession, propose
) -> None:
    without_profile = UserFactory(role=Role.DOCTOR, status=Status.EMAIL_VERIFIED)
    for user in (without_profile, DoctorFactory(status=Status.PENDING_APPROVAL)):
        deactivate_user(session=proposer, user_id=user.pk, reason="Left.")

        with pytest.raises(changes.NotReviewed):
            propose(proposer, user)


@pytest.mark.parametrize("propose", [renewal, renaming])
def test_closed_account_of_somebody_who_practised_is_changed(
    proposer: DeviceSession, doctor: User, propose
) -> None:
    suspend_user(session=proposer, user_id=doctor.pk, reason="A complaint.")

    change = propose(proposer, doctor)

    assert change.user == doctor


def test_licence_of_somebody_else_is_refused(
    proposer: DeviceSession, second: DeviceSession, doctor: User, other_doctor: User
) -> None:
    with pytest.raises(LicenceTaken):
        renewal(proposer, doctor, other_doctor.doctor_profile.licence_number)
    change = renewal(proposer, doctor, "EG-SOON")
    DoctorProfile.objects.filter(user=other_doctor).update(licence_number="EG-SOON")

    with pytest.raises(LicenceTaken):
        approve(second, change)


def test_what_is_so_already_is_not_proposed(proposer: DeviceSession, doctor: User) -> None:
    with pytest.raises(changes.NothingChanges):
        to_admin(proposer, doctor, Role.DOCTOR)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"licence_number": "9" * 41}, "At most 40 characters"),
        ({"licence_number": " "}, "cannot be empty"),
        ({"licence_number": "EG\x00"}, "on one line"),
        ({"licence_expiry_date": clinic_date() - dt.timedelta(days=1)}, "This licence has ended"),
    ],
)
def test_licence_that_cannot_be_is_not_proposed(
    proposer: DeviceSession, doctor: User, wrong: dict[str, Any], said: str
) -> None:
    right = {"licence_number": "EG-NEW", "licence_expiry_date": DAY, "reason": "Renewed."}

    with pytest.raises(InvalidInput, match=said) as refusal:
        changes.propose_licence(session=proposer, user_id=doctor.pk, **right | wrong)

    assert refusal.value.attr == next(iter(wrong))


def test_longest_licence_number_is_taken_over(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    approve(second, renewal(proposer, doctor, number="9" * DoctorProfile.LICENCE_LENGTH))

    assert DoctorProfile.objects.get(user=doctor).licence_number == "9" * 40


@pytest.mark.parametrize(
    ("name", "said"), [("x" * 81, "At most 80 characters"), (" ", "cannot be empty")]
)
@pytest.mark.parametrize("part", ["first_name", "last_name"])
def test_name_that_cannot_be_is_not_proposed(
    proposer: DeviceSession, doctor: User, part: str, name: str, said: str
) -> None:
    right = {"first_name": "Karim", "last_name": "Fouad", "reason": "Court."}

    with pytest.raises(InvalidInput, match=said) as refusal:
        changes.propose_name(session=proposer, user_id=doctor.pk, **right | {part: name})

    assert refusal.value.attr == part


def test_one_proposal_at_a_time(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    to_admin(proposer, doctor)

    with pytest.raises(changes.AlreadyProposed):
        to_admin(second, doctor)


@pytest.mark.parametrize("reason", ["", " ", "x" * 2001])
def test_proposal_and_refusal_give_a_reason(
    proposer: DeviceSession, second: DeviceSession, doctor: User, reason: str
) -> None:
    change = to_admin(proposer, doctor)

    with pytest.raises(InvalidInput):
        changes.propose_name(
            session=proposer, user_id=doctor.pk, first_name="A", last_name="B", reason=reason
        )
    with pytest.raises(InvalidInput):
        changes.refuse_change(session=second, change_id=change.pk, note=reason)


def test_changed_account_is_not_changed_by_an_old_proposal(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = renewal(proposer, doctor)
    DoctorProfile.objects.filter(user=doctor).update(licence_number="EG-MEANWHILE")

    with pytest.raises(changes.ChangeOutdated):
        approve(second, change)

    assert AccountChange.objects.undecided().get() == change


def test_refused_change_changes_nothing(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = to_admin(proposer, doctor)

    decided = changes.refuse_change(session=second, change_id=change.pk, note="Not now.")

    doctor.refresh_from_db()
    assert (decided.decision, decided.note, doctor.role) == ("REFUSED", "Not now.", "DOCTOR")
    with pytest.raises(ChangeDecided):
        approve(second, change)


def test_only_the_proposer_withdraws(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = to_admin(proposer, doctor)

    with pytest.raises(NotAllowed):
        changes.withdraw_change(session=second, change_id=change.pk)
    decided = changes.withdraw_change(session=proposer, change_id=change.pk)

    assert decided.decision == "WITHDRAWN"
    with pytest.raises(ChangeDecided):
        changes.withdraw_change(session=proposer, change_id=change.pk)


def test_unknown_change_is_not_found(second: DeviceSession) -> None:
    with pytest.raises(Http404):
        changes.withdraw_change(session=second, change_id=uuid7())
    with pytest.raises(Http404):
        changes.propose_role(session=second, user_id=uuid7(), role=Role.ADMIN, reason="?")


def test_can_tells_what_the_page_offers(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = to_admin(proposer, doctor)

    assert (can_decide_change(proposer, change), can_withdraw_change(proposer, change)) == (
        False, True,
    )  # fmt: skip
    assert (can_decide_change(second, change), can_withdraw_change(second, change)) == (
        True, False,
    )  # fmt: skip


def office_of_three() -> tuple[list[DeviceSession], list[AccountChange]]:
    """Three doctors who are administrators, each proposing that the next be one no longer."""
    people = [DoctorFactory() for _ in range(3)]
    User.objects.filter(pk__in=[user.pk for user in people]).update(role=Role.ADMIN)
    sessions = [sign_in(User.objects.get(pk=user.pk)) for user in people]
    proposals = [
        to_admin(sessions[place], sessions[(place + 1) % 3].user, Role.DOCTOR) for place in range(3)
    ]
    return sessions, proposals


def approvals(sessions: list[DeviceSession], proposals: list[AccountChange]):
    """Each approved by the one whom it does not concern."""
    return [
        lambda place=place: approve(sessions[(place + 2) % 3], proposals[place])
        for place in range(3)
    ]


@pytest.mark.django_db(transaction=True)
def test_administrators_cannot_all_take_each_other_out_of_office() -> None:
    racers = race(*approvals(*office_of_three()), gate=User)

    assert errors(racers).count("") < 3
    assert User.objects.active().filter(role=Role.ADMIN).exists()


@pytest.fixture
def no_triggers_on_users(transactional_db: None) -> Iterator[None]:
    """The version of the catalogue, which a change of role turns as well, happens to make those
    who change one wait for each other."""
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user DISABLE TRIGGER USER")
        yield
        cursor.execute("ALTER TABLE accounts_user ENABLE TRIGGER USER")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks", "no_triggers_on_users")
def test_without_the_lock_nobody_would_be_left() -> None:
    """What holding all administrators is for."""
    race(*approvals(*office_of_three()), gate=AccountChange)

    assert User.objects.filter(role=Role.ADMIN).count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once_are_one(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change, third = renaming(proposer, doctor), sign_in(AdminFactory())

    racers = race(lambda: approve(second, change), lambda: approve(third, change), gate=User)

    assert errors(racers) == ["", "ChangeDecided"]
    assert Notification.objects.filter(recipient=doctor).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_both_approvals_would_count(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    """What the lock is for."""
    change, third = renaming(proposer, doctor), sign_in(AdminFactory())

    race(lambda: approve(second, change), lambda: approve(third, change), gate=User)

    assert Notification.objects.filter(recipient=doctor).count() == 2


@pytest.mark.django_db(transaction=True)
def test_approved_and_withdrawn_at_once_is_one_of_the_two(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = renaming(proposer, doctor)

    racers = race(
        lambda: changes.withdraw_change(session=proposer, change_id=change.pk),
        lambda: approve(second, change),
        gate=AccountChange,
    )

    doctor.refresh_from_db()
    assert errors(racers) == ["", "ChangeDecided"]
    assert doctor.full_name == "Karim Nabil"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_it_would_be_both(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    """What the lock is for."""
    change = renaming(proposer, doctor)

    racers = race(
        lambda: changes.withdraw_change(session=proposer, change_id=change.pk),
        lambda: approve(second, change),
        gate=AccountChange,
    )

    assert errors(racers) == ["", ""]


PAGES = "/admin/accounts/accountchange/"


def test_change_is_proposed_on_a_page(admin: User, doctor: User) -> None:
    page = f"{PAGES}propose/{doctor.pk}/LICENCE/"
    browser = page_client(admin)
    number = doctor.doctor_profile.licence_number

    shown = browser.get(page).content.decode()
    answer = browser.post(
        page, {"licence_number": number, "licence_expiry_date": DAY, "reason": "Renewed."}
    )

    change = AccountChange.objects.get()
    assert number in shown
    assert answer.url == f"{PAGES}{change.pk}/change/"
    assert change.new_values["licence_expiry_date"] == "2099-01-31"


def test_page_says_why_nothing_can_be_proposed(admin: User, doctor: User, patient: User) -> None:
    browser = page_client(admin)

    same = browser.post(f"{PAGES}propose/{doctor.pk}/ROLE/", {"role": "DOCTOR", "reason": "?"})
    blank = browser.post(f"{PAGES}propose/{doctor.pk}/ROLE/", {})
    other = browser.get(f"{PAGES}propose/{patient.pk}/LICENCE/")

    assert (same.status_code, blank.status_code) == (400, 400)
    assert "This is how it is already." in same.content.decode()
    assert other.url == f"/admin/accounts/user/{patient.pk}/change/"
    assert browser.get(f"{PAGES}propose/{doctor.pk}/STATUS/").status_code == 404


def test_second_administrator_sees_old_beside_new_and_approves(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = to_admin(proposer, doctor)
    browser = page_client(second.user)

    listed = browser.get(PAGES).content.decode()
    shown = browser.get(f"{PAGES}{change.pk}/change/")
    answer = browser.post(f"{PAGES}{change.pk}/approve/", follow=True)

    assert "Karim Nabil" in listed
    assert [(old, new) for _label, old, new in shown.context["compared"]] == [
        ("Doctor", "Administrator")
    ]
    assert "The change is approved." in answer.content.decode()
    doctor.refresh_from_db()
    assert doctor.role == Role.ADMIN


def test_page_asks_first_who_is_at_the_keyboard(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = to_admin(proposer, doctor)
    browser = page_client(second.user)
    DeviceSession.objects.update(confirmed_at=timezone.now() - DeviceSession.CONFIRMATION_LASTS)

    answer = browser.post(f"{PAGES}{change.pk}/approve/")

    assert answer.url == f"/confirm?next={PAGES}{change.pk}/change/"
    doctor.refresh_from_db()
    assert doctor.role == Role.DOCTOR


def test_proposer_withdraws_on_the_page(proposer: DeviceSession, doctor: User) -> None:
    change = to_admin(proposer, doctor)
    browser = page_client(proposer.user)

    shown = browser.get(f"{PAGES}{change.pk}/change/").content.decode()
    tried = browser.post(f"{PAGES}{change.pk}/approve/")
    browser.post(f"{PAGES}{change.pk}/withdraw/")

    assert f"{PAGES}{change.pk}/approve/" not in shown
    assert tried.status_code == 403
    change.refresh_from_db()
    assert change.decision == "WITHDRAWN"


def test_refusal_needs_a_reason_on_the_page_as_well(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = to_admin(proposer, doctor)
    browser = page_client(second.user)

    blank = browser.post(f"{PAGES}{change.pk}/refuse/", {})
    browser.post(f"{PAGES}{change.pk}/refuse/", {"refuse-note": "Not now."})

    assert blank.status_code == 400
    change.refresh_from_db()
    assert (change.decision, change.note) == ("REFUSED", "Not now.")


def test_who_proposed_it_has_to_be_in_office_still(
    proposer: DeviceSession, second: DeviceSession, doctor: User
) -> None:
    change = to_admin(proposer, doctor)
    User.objects.filter(pk=proposer.user_id).update(status=Status.SUSPENDED)

    with pytest.raises(ProposerGone):
        approve(second, change)

    doctor.refresh_from_db()
    assert doctor.role == Role.DOCTOR
    refused = changes.refuse_change(session=second, change_id=change.pk, note="They left.")
    assert refused.decision == "REFUSED"
