"""What a QR code holds: one of ours, word for word, or nothing.

A scanned text comes from anybody. It is never opened, repaired or decoded to see what it might
mean: the whole of it has one of the shapes that we print, with this site's address in front as
it stands in the settings, or it is refused. The refusal says what was scanned as far as that
helps, in words of ours: nothing of the text comes back.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.errors import InvalidInput
from prescriptions.numbers import ALPHABET, AMBIGUOUS, is_valid_number
from qrverify.smart.chunks import CHUNK, PREFIX

# The largest symbol holds 7,089 digits; a link with a label of its own is shorter.
LONGEST = 8000
CODE_LENGTH = 10
# Five characters, a hyphen, five more, and some spaces from whoever types.
LONGEST_TYPED = 20
LINK_PREFIX = "shlink:/"
# 256 bits as base64url: of the last character two bits are left over, and are zero.
BITS_256 = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
TYPED = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")
BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
HOST_LIKE = re.compile(r"(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?::[0-9]{1,5})?(?:[/?#].*)?")
SCRIPTS = frozenset({"javascript", "data", "vbscript", "file", "blob", "filesystem", "about"})
ACTS = frozenset(
    {"tel", "sms", "smsto", "mailto", "mailmsg", "geo", "wifi", "mecard", "matmsg", "otpauth"}
)
# Control and formatting characters, half of a pair, nobody's, and what ends a line: among them
# those of no width and those that turn the reading order around.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
WHITE = " \t\r\n"


class Kind(models.TextChoices):
    """What of ours a code can be."""

    CONNECTION = "CONNECTION", _("A doctor's invitation to connect")
    PRESCRIPTION = "PRESCRIPTION", _("A prescription")
    EMERGENCY = "EMERGENCY", _("An emergency card")
    HEALTH_CARD = "HEALTH_CARD", _("A health card")
    HEALTH_LINK = "HEALTH_LINK", _("A link to health data")


# What it is for, in words for whoever scans it where it is of no use.
PURPOSES: dict[str, str | Promise] = {
    Kind.CONNECTION: _(
        "This is a doctor's invitation to connect. It is for patients: who signs in sees whose "
        "it is."
    ),
    Kind.PRESCRIPTION: _(
        "This is the code of a prescription. A pharmacy scans it, to check the paper and to "
        "dispense. It connects nobody."
    ),
    Kind.EMERGENCY: _(
        "This is an emergency card, for whoever helps a person who cannot speak. That person is "
        "told when it is opened."
    ),
    Kind.HEALTH_CARD: _("This is a health card. Anybody can have it checked, without an account."),
    Kind.HEALTH_LINK: _(
        "This is a link to health data that somebody shares. Who shares it is told when it is "
        "opened."
    ),
}

# Our addresses, after the site's own.
PATHS = {
    Kind.CONNECTION: re.compile(rf"/scan/(?P<secret>{BITS_256})"),
    Kind.PRESCRIPTION: re.compile(
        rf"/verify/(?P<secret>{BITS_256})\?v=(?P<version>[1-9][0-9]{{0,4}})"
        r"&h=(?P<content_hash>[0-9a-f]{16})"
    ),
    Kind.EMERGENCY: re.compile(rf"/e/(?P<secret>{BITS_256})"),
    Kind.HEALTH_LINK: re.compile(rf"/shl#(?P<secret>{LINK_PREFIX}{BASE64URL.pattern})"),
}
HIGHEST_VERSION = 32767


class PayloadRefused(InvalidInput):
    """What was scanned, pasted or typed is none of our codes; `code` says what it is instead."""

    DETAILS: ClassVar[dict[str, str | Promise]] = {
        "qr_empty": _("There is nothing in it."),
        "qr_too_long": _("This is longer than any of our codes. It was not read."),
        "qr_unseen_characters": _(
            "This holds characters that cannot be seen. It was not opened. Scan the code itself, "
            "or type it."
        ),
        "qr_lookalike": _(
            "This address holds letters that only look like ours. It was not opened."
        ),
        "qr_other_site": _("This is a link to another site. It was not opened."),
        "qr_damaged_link": _(
            "This is not one of our links as we print them. It was not opened. Scan the code once "
            "more, in good light."
        ),
        "qr_incomplete_paper": _(
            "This link names a prescription, but part of it is missing. Scan the code on the "
            "paper once more."
        ),
        "qr_script": _("This holds a program or a file, not a code of ours. It was not opened."),
        "qr_act": _(
            "This is a contact, a network or something to be sent, not a code of ours. Nothing "
            "was done with it."
        ),
        "qr_other_app": _("This opens another app. It was not opened."),
        "qr_damaged_card": _("This health card is damaged and cannot be read."),
        "qr_damaged_health_link": _("This link to health data is damaged and cannot be read."),
        "qr_other_health_link": _(
            "This is a link to health data on another site. It was not opened."
        ),
        "qr_prescription_number": _(
            "This is the number of a prescription. It proves nothing; scan the code on the paper."
        ),
        "qr_number": _("This is a number, such as that of a product. It is not one of our codes."),
        "qr_not_ours": _("This is not one of our codes."),
    }

    def __init__(self, code: str, *, attr: str | None) -> None:
        self.code = code
        super().__init__(self.DETAILS[code], attr=attr)


@dataclass(frozen=True, slots=True)
class Payload:
    """A code of ours by its shape; whether it is known, whoever keeps its kind says.

    `secret` is what opens it: the secret of a link, the short code of an invitation, the whole
    text of a health card or link. Of a prescription the paper's claims are there as well.
    """

    kind: Kind
    secret: str
    version: int = 0
    content_hash: str = ""

    @property
    def purpose(self) -> str:
        return str(PURPOSES[self.kind])

    @property
    def path(self) -> str:
        """Our own page for it, put together anew."""
        return {
            Kind.CONNECTION: f"/scan/{self.secret}",
            Kind.PRESCRIPTION: f"/verify/{self.secret}?v={self.version}&h={self.content_hash}",
            Kind.EMERGENCY: f"/e/{self.secret}",
            Kind.HEALTH_LINK: f"/shl#{self.secret}",
            Kind.HEALTH_CARD: "/verify",
        }[self.kind]

    @property
    def url(self) -> str:
        return f"{settings.SITE_URL}{self.path}"


def read(text: str, *, attr: str | None = None) -> Payload:
    """What this text is. Raises `PayloadRefused`, naming the field `attr`."""
    line = text.strip(WHITE) if len(text) <= LONGEST else ""
    fault = "qr_too_long" if len(text) > LONGEST else _fault_of(line)
    found = None if fault else _payload(line)
    if found is None:
        raise PayloadRefused(fault or _what_else(line), attr=attr)
    return found


def _fault_of(line: str) -> str:
    """Why it is not even looked at; nothing for a text that can be."""
    if not line:
        return "qr_empty"
    is_unseen = any(
        unicodedata.category(character) in UNSEEN and character not in WHITE for character in line
    )
    return "qr_unseen_characters" if is_unseen else ""


def _payload(line: str) -> Payload | None:
    if line.startswith(PREFIX):
        return Payload(Kind.HEALTH_CARD, line) if CHUNK.fullmatch(line) else None
    if line.startswith(LINK_PREFIX):
        return Payload(Kind.HEALTH_LINK, line) if _leads_to_us(line) else None
    if line.startswith(f"{settings.SITE_URL}/"):
        return _of_path(line.removeprefix(settings.SITE_URL))
    if re.fullmatch(BITS_256, line):
        return Payload(Kind.CONNECTION, line)
    code = typed_code(line)
    return Payload(Kind.CONNECTION, code) if code else None


def _of_path(path: str) -> Payload | None:
    for kind, shape in PATHS.items():
        found = shape.fullmatch(path)
        if found:
            return _of_parts(kind, **found.groupdict())
    return None


def _of_parts(
    kind: Kind, *, secret: str, version: str = "0", content_hash: str = ""
) -> Payload | None:
    if int(version) > HIGHEST_VERSION or (kind == Kind.HEALTH_LINK and not _leads_to_us(secret)):
        return None
    return Payload(kind, secret, int(version), content_hash)


def typed_code(line: str) -> str:
    """The ten characters of an invitation as they are kept, however they were typed: small,
    in groups, with letters that look like digits. Empty where they are none."""
    if len(line) > LONGEST_TYPED or not line.isascii():
        return ""
    code = line.upper().replace("-", "").replace(" ", "").translate(AMBIGUOUS)
    return code if TYPED.fullmatch(code) else ""


def _leads_to_us(link: str) -> bool:
    content = _content_of(link)
    address = re.compile(rf"{re.escape(settings.SITE_URL)}/shl/{BITS_256}")
    is_ours = address.fullmatch(str(content.get("url"))) is not None
    return is_ours and re.fullmatch(BITS_256, str(content.get("key"))) is not None


def _content_of(link: str) -> dict[str, Any]:
    """What a SMART Health Link says; nothing where it says nothing that can be read. Of each
    content one spelling is taken: without padding, with no bits left over."""
    encoded = link.removeprefix(LINK_PREFIX)
    if not BASE64URL.fullmatch(encoded):
        return {}
    try:
        content = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        if base64.urlsafe_b64encode(content).rstrip(b"=") != encoded.encode():
            return {}
        said = json.loads(content)
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


# --- What it is instead -----------------------------------------------------------------------


def _what_else(line: str) -> str:
    """The code of the refusal. What is looked at here is looked at for the words alone."""
    if line.startswith(PREFIX):
        return "qr_damaged_card"
    if line.startswith(LINK_PREFIX):
        return "qr_other_health_link" if _content_of(line) else "qr_damaged_health_link"
    if _is_act(line):
        return "qr_act"
    scheme = SCHEME.match(line)
    if scheme and scheme[1].lower() not in {"http", "https"}:
        return _of_scheme(line, scheme[1].lower())
    if scheme or line.startswith(("//", "\\\\")) or HOST_LIKE.fullmatch(line):
        return _of_address(line)
    return _of_words(line)


def _is_act(line: str) -> bool:
    return line.upper().startswith("BEGIN:") or line.partition(":")[0].lower() in ACTS


def _of_scheme(line: str, scheme: str) -> str:
    if scheme in SCRIPTS:
        return "qr_script"
    # A host with its port begins like a scheme.
    return _of_address(line) if HOST_LIKE.fullmatch(line) else "qr_other_app"


def _of_address(line: str) -> str:
    """Of an address that is not one of ours, or not as we print it."""
    if line.startswith(f"{settings.SITE_URL}/verify/"):
        return "qr_incomplete_paper"
    try:
        host = urlsplit(f"//{line}" if HOST_LIKE.fullmatch(line) else line).hostname
    except ValueError:
        return "qr_damaged_link"
    if not host:
        return "qr_not_ours"
    if host == urlsplit(settings.SITE_URL).hostname:
        return "qr_damaged_link"
    return "qr_other_site" if host.isascii() and "xn--" not in host else "qr_lookalike"


def _of_words(line: str) -> str:
    if is_valid_number(line):
        return "qr_prescription_number"
    return "qr_number" if line.isdecimal() else "qr_not_ours"
