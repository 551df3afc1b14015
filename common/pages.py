"""How a page answers when a rule says no.

Three cases, and every page is one of them:

**A form and its service**: subclass `FormPage` and call the service in `form_valid`. A
`DomainError` comes back as an error of the form, beside the field it names, and the page keeps
the error's status (400, 401, 403, 409, 429 with `Retry-After`). So does a form that is not
valid: 400. `rate` limits the POSTs of one address, in a group shared with the API's view::

    class EndConnection(FormPage):
        template_name = "connections/end.html"
        form_class = EndForm
        rate, rate_group = "10/m", "end-connection"      # both optional

        def form_valid(self, form: EndForm) -> HttpResponse:
            end_connection(actor=self.request.user, **form.cleaned_data)
            return redirect("connection-list")

A page with more than one form calls `add_refusal(form, error)` and `with_status(response,
error)` itself.

**One button**: run the service in `explained(request)` and redirect to where the button was.
A refusal is a message on that page, and what follows the service in the block is skipped::

    @require_POST
    def connection_end(request: HttpRequest, pk: UUID) -> HttpResponse:
        with explained(request):
            end_connection(actor=request.user, connection_id=pk)
            messages.success(request, _("The connection has ended."))
        return redirect("connection-detail", pk)

**Anything else** needs nothing: `DomainErrorPageMiddleware` makes a page of the sentence, with
its status.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import FormView

from common.errors import DomainError
from common.throttling import check_rate

View = TypeVar("View", bound=Callable[..., Any])


class FormPage(FormView[Any]):
    """A page of one form and one service; see the module's docstring."""

    # Django's form view would also take a PUT for a POST.
    http_method_names = ("get", "post", "head", "options")
    rate = ""
    rate_group = ""
    # With these the rate holds for each value of the field, and the flood for the address.
    rate_subject = ""
    rate_flood = ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.get_form()
        try:
            if self.rate:
                self._check_rate(request)
            return self.form_valid(form) if form.is_valid() else self.form_invalid(form)
        except DomainError as error:
            add_refusal(form, error)
            return with_status(self.form_invalid(form), error)

    def _check_rate(self, request: HttpRequest) -> None:
        subject = request.POST.get(self.rate_subject, "") if self.rate_subject else ""
        check_rate(
            request, group=self.rate_group, rate=self.rate, flood=self.rate_flood, subject=subject
        )

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)


def open_to_applicants(view: View) -> View:
    """Marks a page for whoever is signed in, also while their account is not in good standing:
    their own account, what they are told, and how their application stands."""
    view.standing_required = False  # type: ignore[attr-defined]
    return view


def add_refusal(form: BaseForm, error: DomainError) -> None:
    """Put the sentence beside the field it names, else above the form."""
    field = error.attr if error.attr in form.fields else None
    form.add_error(field, str(error.detail))


def with_status(response: HttpResponse, error: DomainError) -> HttpResponse:
    """The response with the error's status, and how long to wait if the error says so."""
    response.status_code = error.status_code
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


@contextmanager
def explained(request: HttpRequest) -> Iterator[None]:
    """Turn the refusal of a one-button action into a message."""
    try:
        yield
    except DomainError as error:
        messages.error(request, str(error.detail))


def safe_next(request: HttpRequest, *, default: str) -> str:
    """The `next` of the request if it stays on this site, else the default path."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours and _is_address(target) else default


def _is_address(target: str) -> bool:
    """A path from the root or a whole address: `redirect` takes a bare word for a URL's name."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    return is_path or target.startswith(("http://", "https://"))


class DomainErrorPageMiddleware:
    """Shows a `DomainError` that no form caught as a page with its sentence and status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        return with_status(render(request, "refused.html", {"error": exception}), exception)
