"""The demonstration as a whole: as many clinics as asked for, one after the other."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator

import pyotp
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from PIL import Image, ImageDraw, ImageFont

from accounts.models import DoctorProfile, Role, Status, StatusChange, Totp, User
from audit.services import seal_log
from medisync.demo import ADMIN_EMAIL, DEMO_PASSWORD
from medisync.demo.bulk import Rows
from medisync.demo.chance import dice, uuid7_at
from medisync.demo.history import make_clinic
from medisync.demo.names import CONDITIONS
from medisync.demo.people import YEAR, World, licence_number
from specializations.models import Specialization


class SpecializationsMissing(Exception):
    """The catalogue's own rows, which the demonstration's doctors practise, are not there."""


def make_clinics(*, scale: int, seed: int, end: dt.datetime) -> Iterator[int]:
    """Make clinics 1 to `scale`, leaving out those that are there; yields each one's number.

    A clinic is made in memory, copied into the database in one transaction and forgotten. So
    memory does not grow with the scale, and a run that was interrupted can be repeated.
    """
    world = _make_world(seed, end)
    for number in range(1, scale + 1):
        if not DoctorProfile.objects.filter(licence_number=licence_number(number, 0)).exists():
            clinic = make_clinic(world, number)
            with transaction.atomic(), connection.cursor() as cursor:
                # A clinic that a crash takes away can be made again: no commit waits for the disk.
                cursor.execute("SET LOCAL synchronous_commit TO off")
                clinic.write()
        yield number
    with connection.cursor() as cursor:
        # The planner shall know the new sizes at once.
        cursor.execute("ANALYZE")
    seal_log()


def _make_world(seed: int, end: dt.datetime) -> World:
    # One hash for everybody: Argon2 is slow on purpose, and the password is published.
    password_hash = make_password(DEMO_PASSWORD, salt=f"demonstration{seed}")
    specializations = {row.code: row for row in Specialization.objects.all()}
    missing = CONDITIONS.keys() - specializations.keys()
    if missing:
        raise SpecializationsMissing(", ".join(sorted(missing)))
    return World(
        seed=seed,
        end=end,
        password_hash=password_hash,
        admin=_administrator(seed, end, password_hash),
        specializations=specializations,
        licence_document=_scan("LICENCE"),
        national_id_document=_scan("NATIONAL ID"),
    )


@transaction.atomic
def _administrator(seed: int, end: dt.datetime, password_hash: str) -> User:
    """Who approved the doctors; made a day before them."""
    existing = User.objects.filter(email=ADMIN_EMAIL).first()
    if existing:
        return existing
    rng, rows, made = dice(seed, "administrator"), Rows(), end - YEAR - dt.timedelta(days=1)
    admin = rows.add(
        User(
            id=uuid7_at(made, rng),
            created_at=made,
            email=ADMIN_EMAIL,
            password=password_hash,
            role=Role.ADMIN,
            status=Status.ACTIVE,
            first_name="Salma",
            last_name="Rizk",
        )
    )
    rows.add(
        StatusChange(
            id=uuid7_at(made, rng),
            created_at=made,
            user=admin,
            to_status=Status.ACTIVE,
            changed_by=admin,
        )
    )
    rows.write()
    # The admin opens to a second factor only; the development inbox shows its codes.
    Totp.objects.create(user=admin, seed=pyotp.random_base32(), confirmed_at=made)
    return admin


def _scan(title: str) -> str:
    """Where the picture lies that stands for every doctor's paper of this kind."""
    name = f"documents/sample-{title.lower().replace(' ', '-')}.png"
    if not default_storage.exists(name):
        page = Image.new("RGB", (640, 400), "white")
        draw = ImageDraw.Draw(page)
        draw.rectangle((16, 16, 623, 383), outline="black", width=3)
        font = ImageFont.load_default(size=56)
        draw.text((320, 200), f"SAMPLE\n{title}", "black", font, anchor="mm", align="center")
        content = io.BytesIO()
        page.save(content, "PNG")
        name = default_storage.save(name, ContentFile(content.getvalue()))
    return name
