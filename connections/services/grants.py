"""Letting a doctor see, and taking it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from audit.services import record_access
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput
from common.live import announce, user_group
from connections.models import AccessGrant, Connection, DataCategory, Purpose, Terms
from connections.policies import check_can_grant, check_owns_grant
from connections.services.pairs import lock_connection, lock_pair_of
from notifications.services import notify
from notifications.wording import Kind

LONGEST = dt.timedelta(days=5 * 366)
USED_EVERY = dt.timedelta(days=1)


class NothingShared(DomainError):
    code = "nothing_shared"
    detail = _("This doctor sees nothing of yours at present.")


class ChosenElsewhere(DomainError):
    code = "chosen_elsewhere"
    detail = _(
        "What this doctor sees was changed meanwhile, on another page or device. "
        "Open this page again, then choose."
    )


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a patient chooses that a doctor sees; without a category, nothing. `data_from` is the
    first day of prescriptions and documents, `ends_at` the moment it is over."""

    categories: Sequence[str] = ()
    data_from: dt.date | None = None
    ends_at: dt.datetime | None = None
    purpose: str = Purpose.TREATMENT

    @classmethod
    def of(cls, terms: Terms) -> Sharing:
        return cls(tuple(terms.categories), terms.data_from, terms.ends_at, terms.purpose)

    def put_on(self, terms: Terms) -> None:
        terms.categories = [code for code in DataCategory.values if code in self.categories]
        terms.data_from, terms.ends_at = self.data_from, self.ends_at
        terms.purpose = self.purpose


NOTHING = Sharing()


def check_sharing(sharing: Sharing, *, now: dt.datetime) -> None:
    """It names what there is, and days that can be meant."""
    if set(sharing.categories) - set(DataCategory.values):
        raise InvalidInput(_("There is no such kind of data."), attr="categories")
    if sharing.purpose not in Purpose.values:
        raise InvalidInput(_("There is no such purpose."), attr="purpose")
    if sharing.data_from and sharing.data_from > clinic_date(now):
        raise InvalidInput(_("The first day lies ahead."), attr="data_from")
    if sharing.ends_at and not now < sharing.ends_at <= now + LONGEST:
        raise InvalidInput(_("The end must lie ahead, and within five years."), attr="ends_at")


@transaction.atomic
def set_grant(*, actor: Any, connection_id: UUID, sharing: Sharing) -> AccessGrant | None:
    """Choose anew what a connected doctor sees, whatever it was; returns None where that is
    nothing.

    It holds from the commit on: for pages, the API, sockets, files and links given out before.
    The same choice once more renews it.
    """
    _pair, connection = lock_connection(actor=actor, connection_id=connection_id)
    check_can_grant(actor, connection)
    now = timezone.now()
    check_sharing(sharing, now=now)
    standing = _standing(connection)
    if not sharing.categories:
        _revoke(connection, standing, by=actor, at=now)
        return None
    is_renewal = standing is not None and Sharing.of(standing) == _tidy(sharing)
    _end(standing, AccessGrant.EndReason.REPLACED, by=actor, at=now)
    granted = _open(connection, sharing, by=actor, is_renewal=is_renewal)
    if not is_renewal:
        _tell(connection, Kind.GRANT_CHANGED)
        _announce(connection)
    return granted


@transaction.atomic
def change_grant(
    *, actor: Any, connection_id: UUID, instead_of: UUID | None, sharing: Sharing
) -> AccessGrant | None:
    """Choose anew in view of one grant, or of none. Where something else stands by now,
    `ChosenElsewhere`: a page that was left open gives nothing back that was taken back."""
    _pair, connection = lock_connection(actor=actor, connection_id=connection_id)
    check_can_grant(actor, connection)
    standing = _standing(connection)
    if instead_of != (standing.pk if standing else None):
        raise ChosenElsewhere
    return set_grant(actor=actor, connection_id=connection_id, sharing=sharing)


@transaction.atomic
def replace_grant(*, actor: Any, grant_id: UUID, sharing: Sharing) -> AccessGrant | None:
    """Choose anew in the place of a grant that stands. One that has been replaced meanwhile
    raises `NothingShared`, so that of two changes at once none is lost unseen."""
    connection, _standing = _lock_grant(actor, grant_id)
    return set_grant(actor=actor, connection_id=connection.pk, sharing=sharing)


@transaction.atomic
def renew_grant(*, actor: Any, grant_id: UUID) -> AccessGrant:
    """Confirm that a grant is still wanted: the same again, and where it has an end, for as
    long again. One whose time is over is chosen anew instead."""
    connection, standing = _lock_grant(actor, grant_id)
    now = timezone.now()
    if standing.has_run_out(now):
        raise NothingShared
    _end(standing, AccessGrant.EndReason.REPLACED, by=actor, at=now)
    return _open(connection, _for_as_long_again(standing, now), by=actor, is_renewal=True)


@transaction.atomic
def revoke_grant(*, actor: Any, grant_id: UUID) -> AccessGrant:
    """Take it back, at once and everywhere. The connection stands."""
    connection, standing = _lock_grant(actor, grant_id)
    _revoke(connection, standing, by=actor, at=timezone.now())
    return standing


def use_grant(*, doctor: Any, patient_id: UUID, category: str = "") -> AccessGrant:
    """As `use_grant_if_any`; where none is in force, nothing is there to be read."""
    grant = use_grant_if_any(doctor=doctor, patient_id=patient_id, category=category)
    if grant is None:
        raise Http404
    return grant


def use_grant_if_any(*, doctor: Any, patient_id: UUID, category: str = "") -> AccessGrant | None:
    """Keep that the doctor reads something of the patient's by their grant, one that opens this
    category, and hold it until the end of the transaction: what is read afterwards is logged
    before it can be taken back."""
    grant = (
        AccessGrant.objects.between(doctor, patient_id)
        .filter(categories__contains=[category] if category else [])
        .select_for_update(of=("self",), no_key=True)
        .first()
    )
    if grant is not None:
        _keep_use(grant, at=timezone.now())
    return grant


def open_grant(connection: Connection, sharing: Sharing, *, by: Any) -> None:
    """Begin with what the patient chose on connecting. What they chose long ago, in a request,
    may be over by now: then nothing is shared."""
    now = timezone.now()
    if not sharing.categories or (sharing.ends_at and sharing.ends_at <= now):
        return
    check_sharing(sharing, now=now)
    _open(connection, sharing, by=by)


def end_grant(connection: Connection, *, by: Any) -> None:
    """What it let the doctor see ends with a connection that is locked. That it has ended, the
    doctor is told by whoever ends the connection."""
    standing = _standing(connection)
    _end(standing, AccessGrant.EndReason.CONNECTION_ENDED, by=by, at=timezone.now())
    _announce(connection)


def forget_grants(*, user: Any, by: Any) -> None:
    """Of a person who is anonymised nothing is shared any more, nor with them. One by one, in
    the order of the patients; the doctor is told by open pages alone."""
    mine = Q(connection__patient=user) | Q(connection__doctor=user)
    standing = AccessGrant.objects.standing().filter(mine).order_by("connection__patient_id")
    for grant in standing.select_related("connection"):
        _forget(grant.connection, by=by)


@transaction.atomic
def _forget(seen: Connection, *, by: Any) -> None:
    connection = lock_pair_of(seen).connection
    standing = _standing(connection) if connection else None
    if connection is None or standing is None:
        return
    _end(standing, AccessGrant.EndReason.ANONYMISED, by=by, at=timezone.now())
    _log(standing, AccessEvent.Action.GRANT_REVOKED, by=by)
    _announce(connection)


def _keep_use(grant: AccessGrant, *, at: dt.datetime) -> None:
    if grant.last_used_at is None or grant.last_used_at < at - USED_EVERY:
        grant.last_used_at = at
        grant.save(update_fields=["last_used_at"])


def _lock_grant(actor: Any, grant_id: UUID) -> tuple[Connection, AccessGrant]:
    """A grant of the actor's own that stands, with its connection."""
    grants = AccessGrant.objects.visible_to(actor).select_related("connection")
    grant = grants.filter(pk=grant_id).first()
    if grant is None:
        raise Http404
    check_owns_grant(actor, grant)
    _pair, connection = lock_connection(actor=actor, connection_id=grant.connection_id)
    check_can_grant(actor, connection)
    standing = _standing(connection)
    if standing is None or standing.pk != grant.pk:
        raise NothingShared
    standing.connection = connection
    return connection, standing


def _for_as_long_again(grant: AccessGrant, now: dt.datetime) -> Sharing:
    sharing = Sharing.of(grant)
    if sharing.ends_at is None:
        return sharing
    return replace(sharing, ends_at=now + (sharing.ends_at - grant.created_at))


def _standing(connection: Connection) -> AccessGrant | None:
    return (
        AccessGrant.objects.standing()
        .select_for_update(no_key=True)
        .filter(connection=connection)
        .first()
    )


def _tidy(sharing: Sharing) -> Sharing:
    terms = AccessGrant()
    sharing.put_on(terms)
    return Sharing.of(terms)


def _open(
    connection: Connection, sharing: Sharing, *, by: Any, is_renewal: bool = False
) -> AccessGrant:
    grant = AccessGrant(connection=connection)
    sharing.put_on(grant)
    grant.save(force_insert=True)
    action = AccessEvent.Action.GRANT_RENEWED if is_renewal else AccessEvent.Action.GRANTED
    _log(grant, action, by=by)
    return grant


def _end(
    grant: AccessGrant | None, reason: AccessGrant.EndReason, *, by: Any, at: dt.datetime
) -> None:
    if grant is None:
        return
    grant.ended_at, grant.ended_by_id, grant.end_reason = at, by.pk, reason
    grant.save(update_fields=["ended_at", "ended_by", "end_reason"])


def _revoke(connection: Connection, grant: AccessGrant | None, *, by: Any, at: dt.datetime) -> None:
    if grant is None:
        return
    _end(grant, AccessGrant.EndReason.REVOKED, by=by, at=at)
    _log(grant, AccessEvent.Action.GRANT_REVOKED, by=by)
    # From a doctor for whom it is over already, nothing is taken.
    if not grant.has_run_out(at):
        _tell(connection, Kind.GRANT_REVOKED)
        _announce(connection)


def _tell(connection: Connection, kind: Kind) -> None:
    notify(
        recipient=connection.doctor,
        kind=kind,
        about=connection.patient,
        url=f"/connections/{connection.pk}",
    )


def _announce(connection: Connection) -> None:
    """Open pages and sockets of the doctor ask again what they may show."""
    announce(
        user_group(connection.doctor_id),
        {
            "type": "access.revoked",
            "connection_id": str(connection.pk),
            "patient_id": str(connection.patient_id),
        },
    )


def _log(grant: AccessGrant, action: AccessEvent.Action, *, by: Any) -> None:
    is_patient = by.pk == grant.connection.patient_id
    record_access(
        actor_id=by.pk,
        patient_id=grant.connection.patient_id,
        action=action,
        target=grant,
        basis=AccessEvent.Basis.SELF if is_patient else AccessEvent.Basis.ADMINISTRATION,
    )
