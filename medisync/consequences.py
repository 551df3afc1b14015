"""What follows when an account is closed, anonymised, opened again or loses its second factor:
in words, for whoever is about to do it.

Nothing here is done by hand: each sentence says what the policies make of the new status. What
there is none of is not spoken of.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import AccountChange, ApplicationReview, DeviceSession, Role, Status, User
from appointments.models import Appointment, AppointmentQuerySet
from common.clock import clinic_date
from connections.models import AccessGrant, Connection, ConnectionRequest
from prescriptions.models import Prescription, RefillRequest
from qrverify.models import EmergencyCard, QrToken, SharedLink


def consequences_of_closing(user: User, status: Status) -> list[str]:
    """Of deactivating, suspending or anonymising, with the numbers of this moment."""
    about = {Role.DOCTOR: _for_doctor, Role.PATIENT: _for_patient, Role.ADMIN: _for_admin}
    return [*_for_everybody(user, status), *about[Role(user.role)](user, status)]


def consequences_of_reopening(user: User) -> list[str]:
    """Back to what was when it was closed."""
    sentences = [
        _("The account is what it was before it was closed. Its person can sign in, and is told.")
    ]
    if user.is_doctor:
        sentences.append(
            _("A doctor who was approved can prescribe, and connect with patients, at once.")
        )
    return sentences


def consequences_of_resetting(user: User) -> list[str]:
    """Of taking the second factor off."""
    sentences = [
        _("The authenticator app, the passkeys and the recovery codes of the account are removed."),
        _("Every device is signed out, and the password alone signs in. The person is told."),
        _("Make sure first that you speak with the right person, and not by e-mail alone."),
    ]
    if user.is_admin:
        sentences.append(_("The admin stays closed to them until they set up another one."))
    return sentences


def consequences_of_anonymising(user: User) -> list[str]:
    """The clinical record of what happened stays; who they were goes."""
    sentences = [
        _("The name, e-mail address, phone number, national ID and documents are erased. "
          "Nobody can bring them back."),
        _("Of the birth date the year stays."),
        _("Visits, connections and prescriptions stay, of a person without a name."),
        _("The words and pictures of requests to connect are erased."),
        _("What was written in requests to prescribe again is erased."),
        _("The access log keeps the number of the account, and no name."),
    ]  # fmt: skip
    if user.is_doctor:
        sentences.append(
            _("Prescriptions already issued keep the prescriber's name and licence number: they "
              "are part of a legal document that others hold on paper.")
        )  # fmt: skip
        sentences.append(_("Their templates for prescriptions are deleted."))
    return [*sentences, *consequences_of_closing(user, Status.ANONYMISED)]


def _for_everybody(user: User, status: Status) -> Iterator[str]:
    devices = DeviceSession.objects.live(timezone.now()).filter(user=user).count()
    yield ngettext(
        "%(n)s device is signed out within a second, and nobody can sign in to the account.",
        "%(n)s devices are signed out within a second, and nobody can sign in to the account.",
        devices,
    ) % {"n": devices}
    if status != Status.ANONYMISED:
        yield _("The person is told by e-mail that the account is closed; the reason is not in it.")


def _for_doctor(user: User, status: Status) -> Iterator[str]:
    connections = Connection.objects.active().filter(doctor=user).count()
    if connections:
        yield ngettext(
            "The connection with %(n)s patient pauses: no new prescriptions until the account is "
            "open again.",
            "The connections with %(n)s patients pause: no new prescriptions until the account is "
            "open again.",
            connections,
        ) % {"n": connections}
    shared = AccessGrant.objects.standing().filter(connection__doctor=user).count()
    if shared and status == Status.ANONYMISED:
        yield ngettext(
            "What %(n)s patient lets them see is taken back.",
            "What %(n)s patients let them see is taken back.",
            shared,
        ) % {"n": shared}
    yield from _invitations(user)
    yield from _requests_to_doctor(user, status)
    yield from _refills_of_doctor(user, status)
    yield from _prescriptions_of_doctor(user, status)
    yield from _visits(Appointment.objects.filter(doctor=user))


def _for_patient(user: User, status: Status) -> Iterator[str]:
    connections = Connection.objects.active().filter(patient=user).count()
    if connections:
        yield ngettext(
            "The connection with %(n)s doctor pauses: nothing new can be prescribed.",
            "The connections with %(n)s doctors pause: nothing new can be prescribed.",
            connections,
        ) % {"n": connections}
    shared = AccessGrant.objects.standing().filter(connection__patient=user).count()
    if shared and status == Status.ANONYMISED:
        yield ngettext(
            "What they let %(n)s doctor see of their data is taken back.",
            "What they let %(n)s doctors see of their data is taken back.",
            shared,
        ) % {"n": shared}
    yield from _requests_of_patient(user, status)
    yield from _refills_of_patient(user, status)
    in_force = Prescription.objects.active(clinic_date()).filter(patient=user).count()
    if in_force:
        yield ngettext(
            "%(n)s prescription in force stays valid on paper.",
            "%(n)s prescriptions in force stay valid on paper.",
            in_force,
        ) % {"n": in_force}
    yield from _card_of_patient(user, status)
    yield from _links_of_patient(user, status)
    yield from _visits(Appointment.objects.filter(patient=user))


def _for_admin(user: User, status: Status) -> Iterator[str]:
    now = timezone.now()
    held = ApplicationReview.objects.undecided().filter(
        claimed_by=user, claimed_at__gt=now - ApplicationReview.CLAIM_LASTS
    )
    claimed = held.count()
    if claimed:
        yield ngettext(
            "%(n)s application they are reviewing goes back to the queue within half an hour.",
            "%(n)s applications they are reviewing go back to the queue within half an hour.",
            claimed,
        ) % {"n": claimed}
    proposed = AccountChange.objects.undecided().filter(proposed_by=user).count()
    if proposed:
        yield ngettext(
            "%(n)s change they proposed still waits for another administrator.",
            "%(n)s changes they proposed still wait for another administrator.",
            proposed,
        ) % {"n": proposed}


def _invitations(user: User) -> Iterator[str]:
    shown = QrToken.objects.filter(issuer=user).usable(timezone.now()).count()
    if shown:
        yield ngettext(
            "%(n)s QR code they are showing connects nobody any more.",
            "%(n)s QR codes they are showing connect nobody any more.",
            shown,
        ) % {"n": shown}


def _requests_to_doctor(user: User, status: Status) -> Iterator[str]:
    waiting = ConnectionRequest.objects.waiting(timezone.now()).filter(doctor=user).count()
    if waiting and status == Status.ANONYMISED:
        yield ngettext(
            "%(n)s request that waits for their answer is declined.",
            "%(n)s requests that wait for their answer are declined.",
            waiting,
        ) % {"n": waiting}
    elif waiting:
        yield ngettext(
            "%(n)s request waits for their answer until it expires: nobody can accept it while "
            "the account is closed.",
            "%(n)s requests wait for their answer until they expire: nobody can accept them while "
            "the account is closed.",
            waiting,
        ) % {"n": waiting}


def _card_of_patient(user: User, status: Status) -> Iterator[str]:
    if not EmergencyCard.objects.live().filter(patient=user).exists():
        return
    if status == Status.ANONYMISED:
        yield _("Their emergency card opens nothing any more.")
    else:
        yield _("Their emergency card still opens for whoever holds it.")


def _links_of_patient(user: User, status: Status) -> Iterator[str]:
    if not SharedLink.objects.live(timezone.now()).filter(patient=user).exists():
        return
    if status == Status.ANONYMISED:
        yield _("The links to their data open nothing any more.")
    else:
        yield _("The links to their data open nothing while the account is closed; those to their "
                "emergency card still do.")  # fmt: skip


def _requests_of_patient(user: User, status: Status) -> Iterator[str]:
    waiting = ConnectionRequest.objects.waiting(timezone.now()).filter(patient=user).count()
    if waiting and status == Status.ANONYMISED:
        yield ngettext(
            "%(n)s request to a doctor is withdrawn.",
            "%(n)s requests to doctors are withdrawn.",
            waiting,
        ) % {"n": waiting}
    elif waiting:
        yield ngettext(
            "%(n)s request to a doctor waits until it expires: it cannot be accepted while the "
            "account is closed.",
            "%(n)s requests to doctors wait until they expire: they cannot be accepted while the "
            "account is closed.",
            waiting,
        ) % {"n": waiting}


def _refills_of_doctor(user: User, status: Status) -> Iterator[str]:
    waiting = RefillRequest.objects.pending().filter(prescription__doctor=user).count()
    if waiting and status == Status.ANONYMISED:
        yield ngettext(
            "%(n)s request to prescribe again is declined.",
            "%(n)s requests to prescribe again are declined.",
            waiting,
        ) % {"n": waiting}
    elif waiting:
        yield ngettext(
            "%(n)s request to prescribe again waits: nobody can answer it while the account is "
            "closed.",
            "%(n)s requests to prescribe again wait: nobody can answer them while the account is "
            "closed.",
            waiting,
        ) % {"n": waiting}


def _refills_of_patient(user: User, status: Status) -> Iterator[str]:
    waiting = RefillRequest.objects.pending().filter(prescription__patient=user).count()
    if waiting and status == Status.ANONYMISED:
        yield ngettext(
            "%(n)s request to prescribe again is withdrawn.",
            "%(n)s requests to prescribe again are withdrawn.",
            waiting,
        ) % {"n": waiting}
    elif waiting:
        yield ngettext(
            "%(n)s request to prescribe again waits: it can be declined, and not answered with a "
            "prescription, while the account is closed.",
            "%(n)s requests to prescribe again wait: they can be declined, and not answered with "
            "prescriptions, while the account is closed.",
            waiting,
        ) % {"n": waiting}


def _prescriptions_of_doctor(user: User, status: Status) -> Iterator[str]:
    in_force = Prescription.objects.active(clinic_date()).filter(doctor=user).count()
    if in_force and status == Status.SUSPENDED:
        yield ngettext(
            "%(n)s prescription in force stays valid, but whoever verifies it is told that the "
            "prescriber is suspended.",
            "%(n)s prescriptions in force stay valid, but whoever verifies one is told that the "
            "prescriber is suspended.",
            in_force,
        ) % {"n": in_force}
    elif in_force:
        yield ngettext(
            "%(n)s prescription in force stays valid, and verifies as before.",
            "%(n)s prescriptions in force stay valid, and verify as before.",
            in_force,
        ) % {"n": in_force}


def _visits(visits: AppointmentQuerySet) -> Iterator[str]:
    ahead = visits.live().filter(period__startswith__gt=timezone.now()).count()
    if ahead:
        yield ngettext(
            "%(n)s visit ahead stays in the calendar until somebody cancels it: tell the other "
            "side.",
            "%(n)s visits ahead stay in the calendar until somebody cancels them: tell the "
            "other side.",
            ahead,
        ) % {"n": ahead}
