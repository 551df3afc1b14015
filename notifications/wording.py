"""What each kind of notification says.

The page may name people, for only its reader sees it. The e-mail travels in the open and
carries no clinical word, no name but the reader's own, and no more than a link.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """Everything that people are told about."""

    REGISTRATION_CODE = "REGISTRATION_CODE", _("Registration code")
    ALREADY_REGISTERED = "ALREADY_REGISTERED", _("Address already registered")
    DOCTOR_APPROVED = "DOCTOR_APPROVED", _("Doctor approved")
    DOCTOR_REJECTED = "DOCTOR_REJECTED", _("Doctor rejected")
    CONNECTION_MADE = "CONNECTION_MADE", _("New connection")
    CONNECTION_ENDED = "CONNECTION_ENDED", _("Connection ended")
    PRESCRIPTION_ISSUED = "PRESCRIPTION_ISSUED", _("Prescription issued")


@dataclass(frozen=True, slots=True)
class Wording:
    """`title` is a %-format over the notification's context; the mail texts over the secret
    context of the delivery, which is erased once sent."""

    title: str | Promise
    subject: str | Promise
    body: str | Promise
    action: str | Promise = ""


WORDING: dict[str, Wording] = {
    Kind.REGISTRATION_CODE: Wording(
        title="",
        subject=_("Your MediSync code"),
        body=_(
            "Your code is %(code)s. It works once, for ten minutes. "
            "If you did not ask for it, ignore this message; nothing has been created."
        ),
    ),
    Kind.ALREADY_REGISTERED: Wording(
        title="",
        subject=_("You already have a MediSync account"),
        body=_(
            "Someone tried to register with this address, which already has an account. "
            "If it was you, sign in instead. If not, there is nothing to do."
        ),
        action=_("Sign in"),
    ),
    Kind.DOCTOR_APPROVED: Wording(
        title=_("Your account is approved. You can connect with patients now."),
        subject=_("Your MediSync account is approved"),
        body=_("Your application has been approved. You can sign in and start."),
        action=_("Open MediSync"),
    ),
    Kind.DOCTOR_REJECTED: Wording(
        title=_("Your application was not approved."),
        subject=_("About your MediSync application"),
        body=_("A decision has been made about your application. Sign in to read it."),
        action=_("Read the decision"),
    ),
    Kind.CONNECTION_MADE: Wording(
        title=_("You are now connected with %(name)s."),
        subject=_("You have a new connection on MediSync"),
        body=_("You have a new connection. Sign in to see it."),
        action=_("See the connection"),
    ),
    Kind.CONNECTION_ENDED: Wording(
        title=_("Your connection with %(name)s has ended."),
        subject=_("A connection on MediSync has ended"),
        body=_("One of your connections has ended. Sign in to see it."),
        action=_("See your connections"),
    ),
    Kind.PRESCRIPTION_ISSUED: Wording(
        title=_("%(name)s has issued a new prescription for you."),
        subject=_("You have a new prescription"),
        body=_("A new prescription is waiting for you. Sign in to read it."),
        action=_("Read the prescription"),
    ),
}
