"""A link of the patients with a published password, and who opened it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from accounts.models import User
from audit.models import AccessEvent
from common import crypto
from medisync.demo import ARABIC_PATIENT_EMAIL, PATIENT_EMAIL
from medisync.demo.chance import secret, uuid7_at
from medisync.demo.names import Text
from medisync.demo.people import Clinic
from medisync.demo.traces import tell
from notifications.wording import Kind
from qrverify.models import LinkedData, LinkOpening, SharedLink

MADE_BEFORE_END = dt.timedelta(days=10)
OPENED_BEFORE_END = dt.timedelta(days=9, hours=3)
LABEL = Text("For the physiotherapist", "لأخصائي العلاج الطبيعي")
RECIPIENT = Text("Hala Mourad, physiotherapy", "هالة مراد، علاج طبيعي")


def make_links(clinic: Clinic, patients: Sequence[User]) -> None:
    """Each made one ten days ago, and it was opened once."""
    for patient in patients:
        if patient.email in {PATIENT_EMAIL, ARABIC_PATIENT_EMAIL}:
            _open(clinic, _make_link(clinic, patient))


def _make_link(clinic: Clinic, patient: User) -> SharedLink:
    rng, made = clinic.rng, clinic.world.end - MADE_BEFORE_END
    manifest_id = secret(rng)
    link = SharedLink(
        id=uuid7_at(made, rng),
        created_at=made,
        patient=patient,
        label=getattr(LABEL, patient.language),
        content=SharedLink.Content.SUMMARY,
        categories=[LinkedData.ALLERGIES, LinkedData.CONDITIONS],
        manifest_id=manifest_id,
        manifest_digest=crypto.digest(manifest_id),
        key=secret(rng),
        expires_at=made + SharedLink.LONGEST,
        opened_count=1,
        last_opened_at=clinic.world.end - OPENED_BEFORE_END,
    )
    _log(clinic, link, AccessEvent.Action.LINK_MADE, actor=patient, at=made)
    return clinic.rows.add(link)


def _open(clinic: Clinic, link: SharedLink) -> None:
    at = clinic.world.end - OPENED_BEFORE_END
    _log(clinic, link, AccessEvent.Action.LINK_OPENED, actor=None, at=at)
    clinic.rows.add(
        LinkOpening(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            link=link,
            recipient=getattr(RECIPIENT, link.patient.language),
        )
    )
    url = f"/links/{link.pk}"
    tell(clinic, link.patient, Kind.LINK_OPENED, about=None, url=url, at=at)


def _log(
    clinic: Clinic,
    link: SharedLink,
    action: AccessEvent.Action,
    *,
    actor: User | None,
    at: dt.datetime,
) -> None:
    clinic.rows.add(
        AccessEvent(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            actor_id=actor.pk if actor else None,
            patient_id=link.patient_id,
            action=action,
            basis=AccessEvent.Basis.SELF if actor else AccessEvent.Basis.QR,
            object_type=link._meta.label_lower,
            object_id=link.pk,
        )
    )
