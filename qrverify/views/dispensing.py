"""A pharmacist with no account: from the PIN to what was handed out.

Every page here is the answer to a POST, so that no address holds more than it must; sent again,
by reloading it, each does nothing more. What gives the right to do something is the pass or the
claim's code in the form, which no browser sends by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from common.errors import DomainError, InvalidInput
from common.pages import add_refusal, with_status
from common.public import chosen_language, public_page
from common.throttling import check_rate
from prescriptions.models import DispenseClaim
from prescriptions.numbers import as_read_out
from prescriptions.policies import StopRequested
from prescriptions.services.claiming import Claimed, claim_prescription, return_prescription
from prescriptions.services.claims import ClaimNotHeld, held_claim
from prescriptions.services.dispensing import (
    AlreadyDispensed,
    TooLateToWithdraw,
    TooMuch,
    dispense,
    withdraw_dispense,
)
from prescriptions.services.pharmacies import NoLongerApproved
from prescriptions.services.pins import PassNotValid, WrongPin
from qrverify.forms.dispensing import (
    ClaimForm,
    DispenseForm,
    HeldForm,
    PassForm,
    SecretForm,
    WithdrawForm,
)
from qrverify.forms.verification import PinForm
from qrverify.services import dispensing as reading

Page = Callable[[HttpRequest], HttpResponse]
# The same limits for the pages and for apps.
PIN_GROUP, PIN_RATE = "dispensing-pin", "10/m"
CLAIM_GROUP, CLAIM_RATE = "dispensing", "30/m"
CLAIMED = _("You hold this prescription now. Nobody else can dispense it meanwhile.")
DISPENSED = _("It is on record what you handed out, and the patient is told.")
WITHDRAWN = _("It is taken back, and the patient is told.")
RETURNED = _("You gave the prescription back.")


def _for_pharmacists(group: str = CLAIM_GROUP, rate: str = CLAIM_RATE) -> Callable[[Page], Page]:
    """A page that anyone may post to. Who only opens its address is led to where a claim's code
    is typed."""

    def decorate(view: Page) -> Page:
        # No cookie gives a right here: the pass or the claim's code in the body is the only
        # authority, so another site that made a browser post would have to know it. And a page
        # that sends no referrer has no origin to be checked.
        @csrf_exempt
        @login_not_required
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def page(request: HttpRequest) -> HttpResponse:
            if request.method != "POST":
                return redirect("dispensing")
            with translation.override(chosen_language(request)):
                return _answered(request, view, group=group, rate=rate)

        return page

    return decorate


def _answered(request: HttpRequest, view: Page, *, group: str, rate: str) -> HttpResponse:
    try:
        check_rate(request, group=group, rate=rate)
        return view(request)
    except ClaimNotHeld as error:
        form = SecretForm(request.POST)
        form.is_valid()
        add_refusal(form, error)
        return with_status(_come_back(request, form), error)
    except DomainError as error:
        return with_status(_refused(request, error), error)


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """Where a pharmacist returns to their claim, by the code they wrote down."""
    with translation.override(chosen_language(request)):
        if request.method == "POST":
            return _answered(request, _claim_opened, group=CLAIM_GROUP, rate=CLAIM_RATE)
        return _come_back(request, SecretForm())


def _claim_opened(request: HttpRequest) -> HttpResponse:
    form = SecretForm(request.POST)
    if not form.is_valid():
        return _come_back(request, form, status=400)
    secret = form.cleaned_data["claim"]
    return _held(request, reading.read_claim(secret=secret), secret)


@_for_pharmacists(PIN_GROUP, PIN_RATE)
def open_paper(request: HttpRequest) -> HttpResponse:
    """See what a paper prescribes, by the patient's PIN. Without one it asks for it: in the
    other language."""
    if "pin" not in request.POST:
        return _pin(request, PinForm(initial={"code": request.POST.get("code", "")}))
    form = PinForm(request.POST)
    if not form.is_valid():
        return _pin(request, form, status=400)
    try:
        opened = reading.open_paper(**form.cleaned_data)
    except WrongPin as error:
        add_refusal(form, error)
        return with_status(_pin(request, form), error)
    return _content(request, opened.content, ClaimForm.new(opened.passed), opened.passed)


@_for_pharmacists()
def read_again(request: HttpRequest) -> HttpResponse:
    """The same by the pass: in the other language."""
    passed = _passed(request)
    content = reading.read_passed(passed=passed)
    return _content(request, content, ClaimForm.new(passed), passed)


@_for_pharmacists()
def take_up(request: HttpRequest) -> HttpResponse:
    """Claim it."""
    passed, form = _passed(request), ClaimForm(request.POST)
    if not form.is_valid():
        content = reading.read_passed(passed=passed)
        return _content(request, content, form, passed, status=400)
    try:
        held = claim_prescription(
            passed=passed, pharmacy=form.pharmacy(), client_id=form.cleaned_data["client_id"]
        )
    except Claimed as error:
        return with_status(_claimed(request, error, passed), error)
    except DomainError as error:
        add_refusal(form, error)
        content = reading.read_passed(passed=passed)
        return with_status(_content(request, content, form, passed), error)
    return _held(request, held.claim, held.secret, done=CLAIMED)


@_for_pharmacists()
def hand_out(request: HttpRequest) -> HttpResponse:
    """Dispense what was typed, or everything that was due."""
    secret = _secret(request)
    seen = held_claim(secret)
    form = DispenseForm(request.POST, items=list(seen.prescription.items.all()))
    if not form.is_valid():
        return _held(request, seen, secret, form=form, status=400)
    try:
        claim = dispense(
            secret=secret, lines=form.lines(), client_id=form.cleaned_data["client_id"]
        )
    except (AlreadyDispensed, NoLongerApproved, StopRequested) as error:
        return with_status(_held(request, seen, secret, error=error), error)
    except (TooMuch, InvalidInput) as error:
        form.add_error(form.field_of(error.attr), str(error.detail))
        return with_status(_held(request, seen, secret, form=form), error)
    return _held(request, claim, secret, done=DISPENSED)


@_for_pharmacists()
def take_back(request: HttpRequest) -> HttpResponse:
    """Withdraw what was handed out a moment ago."""
    form = WithdrawForm(request.POST)
    secret = _secret(request)
    if not form.is_valid():
        return _held(request, held_claim(secret), secret, status=400)
    try:
        claim = withdraw_dispense(secret=secret, dispense_id=form.cleaned_data["dispense_id"])
    except TooLateToWithdraw as error:
        seen = held_claim(secret)
        return with_status(_held(request, seen, secret, error=error), error)
    return _held(request, claim, secret, done=WITHDRAWN)


@_for_pharmacists()
def give_back(request: HttpRequest) -> HttpResponse:
    """Return the prescription."""
    secret = _secret(request)
    claim = return_prescription(secret=secret)
    returned = claim.end_reason == DispenseClaim.EndReason.RETURNED
    return _held(request, claim, secret, done=RETURNED if returned else "")


def _passed(request: HttpRequest) -> str:
    form = PassForm(request.POST)
    if not form.is_valid():
        raise PassNotValid(attr="pass")
    return str(form.cleaned_data["passed"])


def _secret(request: HttpRequest) -> str:
    form = HeldForm(request.POST)
    if not form.is_valid():
        raise ClaimNotHeld(attr="claim")
    return str(form.cleaned_data["claim"])


def _pin(request: HttpRequest, form: PinForm, status: int = 200) -> HttpResponse:
    return public_page(request, "qrverify/dispensing/pin.html", status=status, pin_form=form)


def _come_back(request: HttpRequest, form: SecretForm, status: int = 200) -> HttpResponse:
    return public_page(
        request, "qrverify/dispensing/come_back.html", status=status, secret_form=form
    )


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    return public_page(request, "qrverify/dispensing/refused.html", error=error)


def _claimed(request: HttpRequest, error: Claimed, passed: str) -> HttpResponse:
    return public_page(
        request,
        "qrverify/dispensing/claimed.html",
        rival=error.claim,
        passed=passed,
        secret_form=SecretForm(),
    )


def _content(
    request: HttpRequest,
    content: reading.Content,
    form: ClaimForm,
    passed: str,
    status: int = 200,
) -> HttpResponse:
    return public_page(
        request,
        "qrverify/dispensing/content.html",
        status=status,
        content=content,
        form=form,
        passed=passed,
    )


def _held(
    request: HttpRequest,
    claim: DispenseClaim,
    secret: str,
    *,
    form: DispenseForm | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """The claim as it stands now, for who holds it."""
    held, rows = reading.held_content(claim), []
    if held.content is not None:
        medicines = held.content.medicines
        form = form or DispenseForm.new(
            secret, {medicine.item: medicine.available for medicine in medicines}
        )
        pairs = zip(medicines, form.quantities(), strict=True)
        rows = [(medicine, typed, due) for medicine, (typed, due) in pairs]
    return public_page(
        request,
        "qrverify/dispensing/claim.html",
        status=status,
        held=held,
        claim=claim,
        secret=as_read_out(secret),
        form=form,
        rows=rows,
        **context,
    )
