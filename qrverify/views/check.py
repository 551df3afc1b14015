"""The way in for whoever holds a code and has no account: scan it, show a photo, or type it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from common.errors import DomainError
from common.pages import add_refusal, with_status
from common.public import PUBLIC_HEADERS, chosen_language, public_page
from common.throttling import check_rate
from qrverify.forms.check import CheckForm
from qrverify.images import read_qr
from qrverify.payloads import Kind, Payload
from qrverify.services.check import Found, read_codes


# Nothing that a browser keeps is asked for and nothing is written, so there is nothing that
# another site could make a browser do here.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Of ours it leads on, a health card is read here, and of anything else it says what it is.
    Nothing that was scanned is opened or shown."""
    with translation.override(chosen_language(request)):
        form = CheckForm(request.POST, request.FILES) if request.method == "POST" else CheckForm()
        try:
            if form.is_bound:
                check_rate(request, group="qr-read", rate="30/m")
            if form.is_valid():
                return _told(request, _read(form))
        except DomainError as error:
            add_refusal(form, error)
            return with_status(_form(request, form), error)
        return _form(request, form, status=400 if form.is_bound else 200)


def _read(form: CheckForm) -> Found:
    if form.cleaned_data["text"]:
        return read_codes(form.texts, attr="text")
    photos = form.cleaned_data["photos"]
    texts = [text for photo in photos for text in read_qr(photo, attr="photos")]
    return read_codes(texts, attr="photos")


def _told(request: HttpRequest, found: Found) -> HttpResponse:
    if found.card is not None:
        return public_page(request, "qrverify/check_card.html", found=found)
    if found.payload.kind == Kind.CONNECTION:
        return public_page(request, "qrverify/other_kind.html", payload=found.payload)
    return _led_on(request, found.payload)


def _led_on(request: HttpRequest, payload: Payload) -> HttpResponse:
    """To our own page, in the language that was chosen here."""
    language = request.GET.get("language", "")
    path, mark, fragment = payload.path.partition("#")
    if language == translation.get_language():
        path += ("&" if "?" in path else "?") + f"language={language}"
    response = redirect(path + mark + fragment)
    for name, value in PUBLIC_HEADERS.items():
        response.headers[name] = value
    return response


def _form(request: HttpRequest, form: CheckForm, *, status: int = 200) -> HttpResponse:
    return public_page(request, "qrverify/check.html", form=form, status=status)
