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
    PASSWORD_RESET_CODE = "PASSWORD_RESET_CODE", _("Password reset code")
    EMAIL_CHANGE_CODE = "EMAIL_CHANGE_CODE", _("Code for a new address")
    NEW_DEVICE = "NEW_DEVICE", _("New device")
    PASSWORD_CHANGED = "PASSWORD_CHANGED", _("Password changed")
    EMAIL_CHANGED = "EMAIL_CHANGED", _("Address changed")
    FACTOR_CHANGED = "FACTOR_CHANGED", _("Second factor changed")
    PASSKEY_COPIED = "PASSKEY_COPIED", _("Passkey copied")
    IDENTITY_LINKED = "IDENTITY_LINKED", _("Google account linked")
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED", _("Account closed")
    ACCOUNT_REOPENED = "ACCOUNT_REOPENED", _("Account opened again")
    ROLE_CHANGED = "ROLE_CHANGED", _("Role changed")
    LICENCE_CHANGED = "LICENCE_CHANGED", _("Licence changed")
    NAME_CHANGED = "NAME_CHANGED", _("Name changed")
    LICENCE_ENDING = "LICENCE_ENDING", _("Licence ending")
    EXPORT_READY = "EXPORT_READY", _("Copy of data ready")
    DOCTOR_APPROVED = "DOCTOR_APPROVED", _("Doctor approved")
    DOCTOR_RETURNED = "DOCTOR_RETURNED", _("Application returned")
    DOCTOR_REJECTED = "DOCTOR_REJECTED", _("Doctor rejected")
    CONNECTION_MADE = "CONNECTION_MADE", _("New connection")
    CONNECTION_ENDED = "CONNECTION_ENDED", _("Connection ended")
    CONNECTION_REQUESTED = "CONNECTION_REQUESTED", _("Request for a connection")
    REQUEST_ACCEPTED = "REQUEST_ACCEPTED", _("Request accepted")
    REQUEST_REJECTED = "REQUEST_REJECTED", _("Request declined")
    REQUEST_CANCELLED = "REQUEST_CANCELLED", _("Request withdrawn")
    REQUEST_EXPIRED = "REQUEST_EXPIRED", _("Request expired")
    GRANT_CHANGED = "GRANT_CHANGED", _("Access changed")
    GRANT_REVOKED = "GRANT_REVOKED", _("Access taken back")
    GRANT_ENDING = "GRANT_ENDING", _("Access ending soon")
    GRANT_DORMANT = "GRANT_DORMANT", _("Access not used")
    ACCESS_QUESTIONED = "ACCESS_QUESTIONED", _("Access questioned")
    ACCESS_ANSWERED = "ACCESS_ANSWERED", _("Question about an access answered")
    CASES_OVERDUE = "CASES_OVERDUE", _("Questions about accesses overdue")
    MESSAGE_RECEIVED = "MESSAGE_RECEIVED", _("Message received")
    PRESCRIPTION_ISSUED = "PRESCRIPTION_ISSUED", _("Prescription issued")
    PRESCRIPTION_AMENDED = "PRESCRIPTION_AMENDED", _("Prescription replaced")
    PRESCRIPTION_STOPPED = "PRESCRIPTION_STOPPED", _("Prescription stopped")
    PRESCRIPTION_CLAIMED = "PRESCRIPTION_CLAIMED", _("Prescription at a pharmacy")
    PRESCRIPTION_DISPENSED = "PRESCRIPTION_DISPENSED", _("Medicines dispensed")
    DISPENSE_WITHDRAWN = "DISPENSE_WITHDRAWN", _("Medicines taken back")
    PRESCRIPTION_LOCKED = "PRESCRIPTION_LOCKED", _("Wrong PINs for a prescription")
    COURSE_ENDING = "COURSE_ENDING", _("Medicine running out")
    REFILL_REQUESTED = "REFILL_REQUESTED", _("Asked to prescribe again")
    REFILL_DECLINED = "REFILL_DECLINED", _("Prescribing again declined")
    EMERGENCY_CARD_OPENED = "EMERGENCY_CARD_OPENED", _("Emergency card opened")
    EMERGENCY_CONTACT_ALERT = "EMERGENCY_CONTACT_ALERT", _("Message to an emergency contact")
    LINK_MADE = "LINK_MADE", _("Link to your data made")
    LINK_OPENED = "LINK_OPENED", _("Link to your data opened")
    LINK_LOCKED = "LINK_LOCKED", _("Wrong passcodes for a link")


@dataclass(frozen=True, slots=True)
class Wording:
    """`title` is a %-format over the notification's context; the mail texts over the secret
    context of the delivery, which is erased once sent."""

    title: str | Promise
    subject: str | Promise
    body: str | Promise
    action: str | Promise = ""

    @property
    def needs_secret(self) -> bool:
        """Whether the mail says what is erased once it was sent or given up."""
        return "%(" in str(self.body)


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
    Kind.PASSWORD_RESET_CODE: Wording(
        title="",
        subject=_("Your code for a new password"),
        body=_(
            "Your code is %(code)s. It lets you choose a new password, and so does the link "
            "below, without the code. Either works once, for ten minutes, and is for whoever "
            "asked: pass neither on. If you did not ask, ignore this message; nothing has "
            "changed. If others ask in your place and you cannot sign in, the link is there for "
            "you."
        ),
        action=_("Choose a new password"),
    ),
    Kind.EMAIL_CHANGE_CODE: Wording(
        title="",
        subject=_("Your code for this address"),
        body=_(
            "Your code is %(code)s. It works once, for ten minutes, and moves your MediSync "
            "account to this address. If you did not ask for it, ignore this message."
        ),
    ),
    Kind.NEW_DEVICE: Wording(
        title=_("Your account was signed in to on a new device (%(device)s)."),
        subject=_("A new device signed in to your MediSync account"),
        body=_(
            "Your account was signed in to on a device not used before. If it was you, there "
            "is nothing to do. If not, sign that device out and choose a new password."
        ),
        action=_("See your devices"),
    ),
    Kind.PASSWORD_CHANGED: Wording(
        title=_("Your password was changed. Every other device is signed out."),
        subject=_("Your MediSync password was changed"),
        body=_(
            "The password of your account was changed, and every other device is signed out. "
            "If it was not you, choose a new password at once with “Forgot your password?”."
        ),
        action=_("Open MediSync"),
    ),
    Kind.EMAIL_CHANGED: Wording(
        title=_("Your account moved to another e-mail address."),
        subject=_("Your MediSync account moved to another address"),
        body=_(
            "Your account now belongs to another e-mail address; this one no longer signs in. "
            "If it was not you, write to us at once."
        ),
    ),
    Kind.FACTOR_CHANGED: Wording(
        title=_("The second factor of your account was changed."),
        subject=_("The second factor of your MediSync account was changed"),
        body=_(
            "An authenticator app, a passkey or the recovery codes of your account were added, "
            "removed or reset. If it was not you, choose a new password and write to us."
        ),
        action=_("See your sign-in settings"),
    ),
    Kind.PASSKEY_COPIED: Wording(
        title=_("A passkey of yours was refused: somebody may hold a copy of it."),
        subject=_("A passkey of your MediSync account was refused"),
        body=_(
            "A passkey counts how often it is used, and one of yours counted backwards, as a "
            "copy of it would. It was refused. Remove it, then add it again."
        ),
        action=_("See your sign-in settings"),
    ),
    Kind.IDENTITY_LINKED: Wording(
        title=_("A Google account can now sign in to your account."),
        subject=_("A Google account was linked to your MediSync account"),
        body=_(
            "A Google account can now sign in to your account. If it was not you, unlink it and "
            "choose a new password."
        ),
        action=_("See your sign-in settings"),
    ),
    Kind.ACCOUNT_CLOSED: Wording(
        title=_("Your account was closed."),
        subject=_("Your MediSync account was closed"),
        body=_(
            "An administrator has closed your account, and every device is signed out. Write to "
            "us if you think it should not be."
        ),
    ),
    Kind.ACCOUNT_REOPENED: Wording(
        title=_("Your account is open again."),
        subject=_("Your MediSync account is open again"),
        body=_("An administrator has opened your account again. You can sign in."),
        action=_("Sign in"),
    ),
    Kind.ROLE_CHANGED: Wording(
        title=_("What your account may do was changed."),
        subject=_("Your MediSync account has another role"),
        body=_("Two administrators have changed the role of your account. Sign in to see it."),
        action=_("Sign in"),
    ),
    Kind.LICENCE_CHANGED: Wording(
        title=_("The licence we know of you was changed."),
        subject=_("Your licence on MediSync was changed"),
        body=_("Two administrators have changed the licence we know of you. Sign in to see it."),
        action=_("See your profile"),
    ),
    Kind.NAME_CHANGED: Wording(
        title=_("Your name was changed."),
        subject=_("Your name on MediSync was changed"),
        body=_("Two administrators have changed the name of your account. Sign in to see it."),
        action=_("See your profile"),
    ),
    Kind.LICENCE_ENDING: Wording(
        title=_("Your licence ends on %(date)s. Write to us once it is renewed."),
        subject=_("Your licence on MediSync is ending"),
        body=_("The licence we know of you is about to end. Sign in to see when."),
        action=_("See your profile"),
    ),
    Kind.EXPORT_READY: Wording(
        title=_("The copy of your data is ready. It can be downloaded for a week."),
        subject=_("The copy of your data is ready"),
        body=_("The copy of your data that you asked for is ready. It is kept for a week."),
        action=_("Download it"),
    ),
    Kind.DOCTOR_APPROVED: Wording(
        title=_("Your account is approved. You can connect with patients now."),
        subject=_("Your MediSync account is approved"),
        body=_("Your application has been approved. You can sign in and start."),
        action=_("Open MediSync"),
    ),
    Kind.DOCTOR_RETURNED: Wording(
        title=_("Your application needs a correction."),
        subject=_("About your MediSync application"),
        body=_("Something in your application has to be corrected. Sign in to see what."),
        action=_("Correct it"),
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
    Kind.CONNECTION_REQUESTED: Wording(
        title=_("%(name)s asks to connect with you."),
        subject=_("Someone asks to connect with you on MediSync"),
        body=_("Someone asks to connect with you. Sign in to read and answer it."),
        action=_("See the request"),
    ),
    Kind.REQUEST_ACCEPTED: Wording(
        title=_("%(name)s has accepted your request. You are connected now."),
        subject=_("Your request on MediSync was answered"),
        body=_("One of your requests to connect was answered. Sign in to see it."),
        action=_("See the answer"),
    ),
    Kind.REQUEST_REJECTED: Wording(
        title=_("%(name)s has declined your request to connect."),
        subject=_("Your request on MediSync was answered"),
        body=_("One of your requests to connect was answered. Sign in to see it."),
        action=_("See the answer"),
    ),
    Kind.REQUEST_CANCELLED: Wording(
        title=_("%(name)s has withdrawn the request to connect with you."),
        subject=_("A request on MediSync was withdrawn"),
        body=_("One of the requests to connect with you was withdrawn. There is nothing to do."),
        action=_("See your requests"),
    ),
    Kind.REQUEST_EXPIRED: Wording(
        title=_("%(name)s has not answered your request to connect, and it has expired."),
        subject=_("Your request on MediSync has expired"),
        body=_("One of your requests to connect was not answered in time. You can ask again."),
        action=_("See your requests"),
    ),
    Kind.GRANT_CHANGED: Wording(
        title=_("%(name)s changed what you may see."),
        subject=_("What you may see on MediSync has changed"),
        body=_("Someone you are connected with changed what you may see. Sign in to see it."),
        action=_("See the connection"),
    ),
    Kind.GRANT_REVOKED: Wording(
        title=_("%(name)s took back your access."),
        subject=_("An access on MediSync was taken back"),
        body=_("Someone you are connected with took back your access. Sign in to see it."),
        action=_("See the connection"),
    ),
    Kind.GRANT_ENDING: Wording(
        title=_("What %(name)s may see of your data ends soon."),
        subject=_("An access you gave on MediSync ends soon"),
        body=_("An access that you gave ends soon. Sign in to renew it or let it end."),
        action=_("See who may see what"),
    ),
    Kind.GRANT_DORMANT: Wording(
        title=_(
            "%(name)s has not looked at your data for half a year. "
            "Keep the access, or take it back?"
        ),
        subject=_("An access you gave on MediSync is not used"),
        body=_(
            "An access that you gave has not been used for half a year. Sign in to keep it or "
            "take it back."
        ),
        action=_("See who may see what"),
    ),
    Kind.ACCESS_QUESTIONED: Wording(
        title=_("%(name)s questions an access to their data."),
        subject=_("An access on MediSync was questioned"),
        body=_("Somebody asks why their data was looked at. Sign in to see the case."),
        action=_("See the case"),
    ),
    Kind.ACCESS_ANSWERED: Wording(
        title=_("Your question about an access to your data is answered."),
        subject=_("Your question on MediSync is answered"),
        body=_("The question that you asked about an access is answered. Sign in to read it."),
        action=_("Read the answer"),
    ),
    Kind.CASES_OVERDUE: Wording(
        title=_("Questions about accesses that should have been answered by now: %(count)s."),
        subject=_("Questions on MediSync wait for an answer"),
        body=_("Questions about accesses should have been answered by now. Sign in to see them."),
        action=_("See the questions"),
    ),
    Kind.MESSAGE_RECEIVED: Wording(
        title=_("%(name)s has written to you."),
        subject=_("You have a new message"),
        body=_("Somebody you are connected with has written to you. Sign in to read it."),
        action=_("Read"),
    ),
    Kind.PRESCRIPTION_ISSUED: Wording(
        title=_("%(name)s has issued a new prescription for you."),
        subject=_("You have a new prescription"),
        body=_("A new prescription is waiting for you. Sign in to read it."),
        action=_("Read the prescription"),
    ),
    Kind.PRESCRIPTION_AMENDED: Wording(
        title=_("%(name)s has replaced a prescription of yours by another version."),
        subject=_("A prescription of yours was replaced"),
        body=_("A prescription of yours was replaced by another version. Sign in to read it."),
        action=_("Read the prescription"),
    ),
    Kind.PRESCRIPTION_STOPPED: Wording(
        title=_("%(name)s has stopped a prescription of yours. Read why."),
        subject=_("A prescription of yours was stopped"),
        body=_("A prescription of yours was stopped. Sign in to read which one, and why."),
        action=_("Read the prescription"),
    ),
    Kind.PRESCRIPTION_CLAIMED: Wording(
        title=_("A pharmacy has opened a prescription of yours with its PIN. Was this you?"),
        subject=_("A prescription of yours is at a pharmacy"),
        body=_(
            "A pharmacy has opened a prescription of yours with its PIN. If you are not there, "
            "sign in and say so."
        ),
        action=_("See the prescription"),
    ),
    Kind.PRESCRIPTION_DISPENSED: Wording(
        title=_("Medicines of a prescription of yours were handed out. Was this you?"),
        subject=_("Medicines of yours were handed out"),
        body=_(
            "Medicines of a prescription of yours were handed out. If it was not to you or for "
            "you, sign in and say so."
        ),
        action=_("See the prescription"),
    ),
    Kind.DISPENSE_WITHDRAWN: Wording(
        title=_("A pharmacy took back what it had handed out of a prescription of yours."),
        subject=_("A pharmacy took something back"),
        body=_(
            "A pharmacy took back what it had handed out of a prescription of yours. Sign in to "
            "see it."
        ),
        action=_("See the prescription"),
    ),
    Kind.PRESCRIPTION_LOCKED: Wording(
        title=_("A wrong PIN was entered too often for a prescription of yours. Make a new one."),
        subject=_("A prescription of yours opens no more"),
        body=_(
            "A wrong PIN was entered too often for a prescription of yours. Sign in to make a new "
            "code and PIN."
        ),
        action=_("Make a new one"),
    ),
    Kind.COURSE_ENDING: Wording(
        title=_("A medicine that %(name)s prescribed runs out on %(date)s."),
        subject=_("One of your medicines runs out soon"),
        body=_("One of your medicines runs out soon. Sign in to see which, or to ask for more."),
        action=_("See the prescription"),
    ),
    Kind.REFILL_REQUESTED: Wording(
        title=_("%(name)s asks you to prescribe the same again."),
        subject=_("Someone asks you to prescribe again"),
        body=_("Someone asks you to prescribe the same again. Sign in to answer."),
        action=_("See the request"),
    ),
    Kind.REFILL_DECLINED: Wording(
        title=_("%(name)s has declined to prescribe the same again. Read why."),
        subject=_("Your request on MediSync was answered"),
        body=_("Something you asked for was answered. Sign in to read it."),
        action=_("Read the answer"),
    ),
    Kind.EMERGENCY_CARD_OPENED: Wording(
        title=_("Somebody opened your emergency card. See who they said they are."),
        subject=_("Your emergency card was opened"),
        body=_("Somebody opened your emergency card. Sign in to see who they said they are."),
        action=_("See who opened it"),
    ),
    Kind.EMERGENCY_CONTACT_ALERT: Wording(
        title="",
        subject=_("An emergency card was opened"),
        body=_(
            "Somebody opened the emergency card of a person who named you as an emergency "
            "contact. Try to reach the people who may have named you. If you want no such "
            "messages, write to us."
        ),
    ),
    Kind.LINK_MADE: Wording(
        title=_("A link to your data was made. If it was not you, withdraw it."),
        subject=_("A link to your data was made"),
        body=_(
            "A link that shows some of your data to whoever has it was made in your account. If "
            "it was not you, withdraw it and choose a new password."
        ),
        action=_("See your links"),
    ),
    Kind.LINK_OPENED: Wording(
        title=_("Somebody opened a link to your data. See who they said they are."),
        subject=_("A link to your data was opened"),
        body=_("Somebody opened a link to your data. Sign in to see who they said they are."),
        action=_("See your links"),
    ),
    Kind.LINK_LOCKED: Wording(
        title=_("A wrong passcode was entered too often for a link of yours. Make another one."),
        subject=_("A link of yours opens no more"),
        body=_(
            "A wrong passcode was entered too often for a link to your data. Sign in to make "
            "another one."
        ),
        action=_("See your links"),
    ),
}


# --- Who is told of what ------------------------------------------------------------------

PATIENTS = ("PATIENT",)
DOCTORS = ("DOCTOR",)
ADMINISTRATORS = ("ADMIN",)
BOTH_SIDES = (*PATIENTS, *DOCTORS)
EVERYONE = (*BOTH_SIDES, *ADMINISTRATORS)

# Nobody can turn these off, and they come at any hour: the safety of the account and of the
# data in it, what an account may do, and what a person has been promised an answer to.
MANDATORY: dict[str, tuple[str, ...]] = {
    Kind.NEW_DEVICE: EVERYONE,
    Kind.PASSWORD_CHANGED: EVERYONE,
    Kind.EMAIL_CHANGED: EVERYONE,
    Kind.FACTOR_CHANGED: EVERYONE,
    Kind.PASSKEY_COPIED: EVERYONE,
    Kind.IDENTITY_LINKED: EVERYONE,
    Kind.ACCOUNT_CLOSED: EVERYONE,
    Kind.ACCOUNT_REOPENED: EVERYONE,
    Kind.ROLE_CHANGED: EVERYONE,
    Kind.NAME_CHANGED: EVERYONE,
    Kind.LICENCE_CHANGED: DOCTORS,
    Kind.DOCTOR_APPROVED: DOCTORS,
    Kind.DOCTOR_RETURNED: DOCTORS,
    Kind.DOCTOR_REJECTED: DOCTORS,
    Kind.EXPORT_READY: EVERYONE,
    Kind.ACCESS_QUESTIONED: ADMINISTRATORS,
    Kind.CASES_OVERDUE: ADMINISTRATORS,
    Kind.ACCESS_ANSWERED: PATIENTS,
    Kind.PRESCRIPTION_STOPPED: PATIENTS,
    Kind.PRESCRIPTION_CLAIMED: PATIENTS,
    Kind.PRESCRIPTION_DISPENSED: PATIENTS,
    Kind.DISPENSE_WITHDRAWN: PATIENTS,
    Kind.PRESCRIPTION_LOCKED: PATIENTS,
    Kind.EMERGENCY_CARD_OPENED: PATIENTS,
    Kind.LINK_MADE: PATIENTS,
    Kind.LINK_LOCKED: PATIENTS,
}
# These wait for the end of quiet hours, and come only where their reader wants them.
OPTIONAL: dict[str, tuple[str, ...]] = {
    Kind.PRESCRIPTION_ISSUED: PATIENTS,
    Kind.PRESCRIPTION_AMENDED: PATIENTS,
    Kind.COURSE_ENDING: PATIENTS,
    Kind.REFILL_DECLINED: PATIENTS,
    Kind.LINK_OPENED: PATIENTS,
    Kind.REFILL_REQUESTED: DOCTORS,
    Kind.CONNECTION_REQUESTED: DOCTORS,
    Kind.REQUEST_CANCELLED: DOCTORS,
    Kind.REQUEST_ACCEPTED: PATIENTS,
    Kind.REQUEST_REJECTED: PATIENTS,
    Kind.REQUEST_EXPIRED: PATIENTS,
    Kind.MESSAGE_RECEIVED: BOTH_SIDES,
    Kind.CONNECTION_MADE: BOTH_SIDES,
    Kind.CONNECTION_ENDED: BOTH_SIDES,
    Kind.GRANT_CHANGED: DOCTORS,
    Kind.GRANT_REVOKED: DOCTORS,
    Kind.GRANT_ENDING: PATIENTS,
    Kind.GRANT_DORMANT: PATIENTS,
    Kind.LICENCE_ENDING: DOCTORS,
}
EVENTS = OPTIONAL | MANDATORY


def events_for(role: str) -> list[Kind]:
    """What an account of that role can be told of, the optional first."""
    return [Kind(kind) for kind, roles in EVENTS.items() if role in roles]
