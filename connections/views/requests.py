"""Asking a doctor to connect, and the answer, on pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from common.errors import DomainError
from common.files import show
from common.pages import FormPage, add_refusal, explained, with_status
from common.pagination import feed_page
from connections.forms.requests import AvailabilityForm, RejectForm, RequestForm
from connections.models import ConnectionRequest
from connections.policies import AlreadyConnected, AlreadyRequested, can_answer, can_cancel
from connections.services import answers, request_contents, requests

# As many of those that wait as a doctor looks through at once; the others come up behind them.
QUEUE = 20


@never_cache
@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    """What waits, the oldest first, and what is over."""
    now = timezone.now()
    mine = ConnectionRequest.objects.visible_to(request.user).with_people()
    waiting = mine.waiting(now)
    context = {
        "waiting": waiting.order_by("id")[:QUEUE],
        "waiting_count": waiting.count(),
        "page": (page := feed_page(request, mine.over(now))),
        "rows": [(row, row.state(now)) for row in page.rows],
    }
    return render(request, "connections/requests.html", context)


@never_cache
@require_safe
def request_detail(request: HttpRequest, request_id: UUID) -> HttpResponse:
    return _detail(request, request_id)


@never_cache
@require_POST
def request_accept(request: HttpRequest, request_id: UUID) -> HttpResponse:
    form = AvailabilityForm(request.POST)
    if not form.is_valid():
        return _detail(request, request_id, accept=form, status=400)
    try:
        made = answers.accept_request(
            actor=request.user, request_id=request_id, **form.availability()
        )
    except DomainError as error:
        _explain(request, form, error)
        return with_status(_detail(request, request_id, accept=form), error)
    name = made.patient.display_name
    messages.success(request, _("You are connected with %(name)s.") % {"name": name})
    return redirect("connection-detail", made.pk)


@never_cache
@require_POST
def request_reject(request: HttpRequest, request_id: UUID) -> HttpResponse:
    form = RejectForm(request.POST)
    if not form.is_valid():
        return _detail(request, request_id, reject=form, status=400)
    try:
        answers.reject_request(
            actor=request.user, request_id=request_id, reason=form.cleaned_data["reason"]
        )
    except DomainError as error:
        _explain(request, form, error)
        return with_status(_detail(request, request_id, reject=form), error)
    messages.success(request, _("The request is declined, and the patient is told."))
    return redirect("request-list")


@require_POST
def request_cancel(request: HttpRequest, request_id: UUID) -> HttpResponse:
    with explained(request):
        requests.cancel_request(actor=request.user, request_id=request_id)
        messages.success(request, _("Your request is withdrawn."))
    return redirect("request-detail", request_id)


@require_safe
def request_image(request: HttpRequest, request_id: UUID) -> FileResponse:
    shown = request_contents.open_image(actor=request.user, request_id=request_id)
    return show(shown.image, name=shown.image_name)


@method_decorator(never_cache, name="dispatch")
class RequestCreate(FormPage):
    """A patient asks one doctor."""

    template_name = "connections/request_create.html"
    form_class = RequestForm
    rate, rate_group = "10/h", "send-request"
    doctor: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            self.doctor = requests.find_doctor_to_ask(
                actor=request.user, doctor_id=kwargs["doctor_id"]
            )
        except (AlreadyConnected, AlreadyRequested) as error:
            messages.info(request, str(error.detail))
            is_waiting = isinstance(error, AlreadyRequested)
            return redirect("request-list" if is_waiting else "connection-list")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"doctor": self.doctor}

    def form_valid(self, form: RequestForm) -> HttpResponse:
        sent = requests.send_request(
            actor=self.request.user,
            doctor_id=self.doctor.pk,
            notes=form.cleaned_data["notes"],
            image=form.cleaned_data["prescription_image"],
            sharing=form.sharing(),
        )
        messages.success(self.request, _("Your request is sent. You are told when it is answered."))
        return redirect("request-detail", sent.pk)


def _explain(request: HttpRequest, form: Form, error: DomainError) -> None:
    """Beside the field; or above the page, which may have no form any more."""
    if error.attr:
        add_refusal(form, error)
    else:
        messages.error(request, str(error.detail))


def _detail(
    request: HttpRequest,
    request_id: UUID,
    *,
    accept: Form | None = None,
    reject: Form | None = None,
    status: int = 200,
) -> HttpResponse:
    """One request, and what its reader may do with it."""
    found = request_contents.open_request(actor=request.user, request_id=request_id)
    now, user = timezone.now(), request.user
    context = {
        "row": found,
        "state": found.state(now),
        "can_answer": can_answer(user, found, now),
        "can_cancel": can_cancel(user, found, now),
        "can_ask_again": user.pk == found.patient_id
        and requests.may_ask(actor=user, doctor_id=found.doctor_id),
        "accept_form": accept or AvailabilityForm(),
        "reject_form": reject or RejectForm(),
    }
    return render(request, "connections/request.html", context, status=status)
