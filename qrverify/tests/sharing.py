"""Links, as patients make them and others open them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import User
from medisync.tests.client import sign_in
from qrverify.models import SharedLink
from qrverify.services.links import OpenedFile, Wish, make_link, open_link

PASSCODE = "open sesame"


def share(patient: User, **changes: Any) -> SharedLink:
    """A link to a patient's allergies, for a week."""
    wish: dict[str, Any] = {
        "content": SharedLink.Content.SUMMARY,
        "categories": ["ALLERGIES"],
        "lasts": dt.timedelta(days=7),
    }
    return make_link(session=sign_in(patient), wish=Wish(**wish | changes))


def follow(link: SharedLink, **said: Any) -> OpenedFile:
    """Somebody opens it."""
    asked = {"recipient": "City clinic"} | said
    return open_link(manifest_id=str(link.manifest_id), **asked)


def open_by_ticket(link: SharedLink) -> str:
    """Somebody opens it who wants no file in the answer: the ticket that fetches it."""
    return follow(link, most_embedded=0).ticket
