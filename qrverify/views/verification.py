"""Proving a prescription by its QR code, on a page for anyone."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from common.errors import DomainError
from common.pages import with_status
from common.public import chosen_language, public_page
from common.throttling import check_rate
from qrverify.forms.dispensing import SecretForm
from qrverify.forms.verification import PinForm, VerifyForm
from qrverify.services import verification as services
from qrverify.services.verification import Outcome, State, Verification

STATUS_CODES = {Outcome.UNKNOWN: 404}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands on top of the page."""

    tone: str
    icon: str
    heading: str | Promise
    text: str | Promise


VERDICTS = {
    State.ACTIVE: Verdict(
        "success",
        "shield-check",
        _("Authentic prescription"),
        _("Issued through MediSync, unaltered, and still valid."),
    ),
    State.EXPIRED: Verdict(
        "warning",
        "clock",
        _("Authentic, but expired"),
        _(
            "Issued through MediSync and unaltered, but its last day has passed. Do not dispense "
            "from it."
        ),
    ),
    State.COMPLETED: Verdict(
        "warning",
        "check",
        _("Dispensed already"),
        _("Issued through MediSync, but all of it was dispensed. Do not dispense from it again."),
    ),
    State.STOPPED: Verdict(
        "danger",
        "ban",
        _("Stopped by the prescriber"),
        _("Issued through MediSync, but the prescriber stopped it. Do not dispense from it."),
    ),
    State.SUPERSEDED: Verdict(
        "danger",
        "replace",
        _("Replaced by another version"),
        _("The prescriber has changed this prescription since. Do not dispense from this paper."),
    ),
    State.ENTERED_IN_ERROR: Verdict(
        "danger",
        "circle-x",
        _("Written by mistake"),
        _("The prescriber says that this prescription is a mistake. Do not dispense from it."),
    ),
}
STOPPING = Verdict(
    "danger",
    "ban",
    _("Being stopped by the prescriber"),
    _("A pharmacy still has to give it back. Dispense nothing more from it."),
)


@login_not_required
@require_safe
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """For a pharmacist without an account: is this paper ours, unaltered and still valid?

    It looks the same to everyone, signed in or not.
    """
    with translation.override(chosen_language(request)):
        try:
            check_rate(request, group="verify", rate="30/m")
            return _verification(request, code)
        except DomainError as error:
            return with_status(public_page(request, "refused.html", error=error), error)


def _verification(request: HttpRequest, code: str) -> HttpResponse:
    claims = VerifyForm(request.GET)
    if not claims.is_valid():
        return public_page(request, "qrverify/verify_incomplete.html", status=400)
    found = services.verify_prescription(
        code=code, version=claims.cleaned_data["v"], content_hash=claims.cleaned_data["h"]
    )
    return public_page(
        request,
        f"qrverify/verify_{found.outcome}.html",
        status=STATUS_CODES.get(found.outcome, 200),
        found=found,
        prescription=found.prescription,
        verdict=_verdict(found),
        pin_form=PinForm(initial={"code": code}),
        secret_form=SecretForm(),
    )


def _verdict(found: Verification) -> Verdict | None:
    if found.state is None:
        return None
    return STOPPING if found.is_stop_requested else VERDICTS[found.state]
