"""A patient's own emergency card, on pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.middleware import confirmed, device_session
from accounts.models import Role
from accounts.views.confirmed import ConfirmedFormPage
from common.files import download_png, show_pdf
from common.languages import spoken
from common.pages import FormPage, explained
from common.pagination import feed_page
from common.qr import qr_svg
from qrverify.emergency_paper import SIZES, render_wallet_card, render_wallpaper
from qrverify.forms.emergency import ChooseForm, ConfirmForm, WallpaperForm
from qrverify.services import emergency as services
from qrverify.services.emergency_content import emergency_content

LAST_OPENINGS = 3


@never_cache
@require_safe
def emergency_card(request: HttpRequest) -> HttpResponse:
    """How the card stands, and exactly what a responder sees; without one, how to make it."""
    card = services.live_card(actor=request.user)
    if card is None:
        return render(request, "qrverify/emergency/none.html")
    context = {
        "card": card,
        "content": emergency_content(card, timezone.now()),
        "qr": qr_svg(card.url),
        "sizes": SIZES,
        "openings": services.openings(actor=request.user)[:LAST_OPENINGS],
    }
    return render(request, "qrverify/emergency/card.html", context)


@method_decorator(never_cache, name="dispatch")
class EmergencyChoose(ConfirmedFormPage):
    """Choosing what the card shows; the first time this makes it. Whoever does has just confirmed
    that it is them."""

    template_name = "qrverify/emergency/choose.html"
    form_class = ChooseForm
    role = Role.PATIENT

    def get_form(self, form_class: Any = None) -> ChooseForm:
        typed = self.get_form_kwargs()["data"]
        if typed is not None:
            return ChooseForm(typed)
        return ChooseForm.of(services.live_card(actor=self.request.user))

    def form_valid(self, form: ChooseForm) -> HttpResponse:
        services.set_card(session=device_session(self.request), choice=form.choice())
        return redirect("emergency-confirm")


@method_decorator(never_cache, name="dispatch")
class EmergencyConfirm(FormPage):
    """Each field as it reads now, to be confirmed one by one."""

    template_name = "qrverify/emergency/confirm.html"
    form_class = ConfirmForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        card = services.own_card(actor=self.request.user)
        content = emergency_content(card, timezone.now())
        return super().get_context_data(content=content, **kwargs)

    def form_valid(self, form: ConfirmForm) -> HttpResponse:
        services.confirm_fields(actor=self.request.user, seen=form.versions())
        messages.success(self.request, _("Confirmed. A responder sees today's date beside it."))
        return redirect("emergency-card")


@require_POST
@confirmed(back_to="emergency-card")
def emergency_reissue(request: HttpRequest, card_id: UUID) -> HttpResponse:
    with explained(request):
        services.reissue_card(session=device_session(request), card_id=card_id)
        messages.success(request, _("There is a new card. Print it: the old one opens nothing."))
    return redirect("emergency-card")


@require_POST
def emergency_revoke(request: HttpRequest) -> HttpResponse:
    with explained(request):
        services.revoke_card(actor=request.user)
        messages.success(request, _("The card is withdrawn. It opens nothing any more."))
    return redirect("emergency-card")


@require_safe
def emergency_wallet(request: HttpRequest) -> HttpResponse:
    card = services.own_card(actor=request.user)
    content = render_wallet_card(services.printed(card), language=spoken())
    return show_pdf(content, name="emergency-card.pdf")


@require_safe
def emergency_wallpaper(request: HttpRequest) -> HttpResponse:
    form = WallpaperForm({"size": SIZES[0]} | request.GET.dict())
    if not form.is_valid():
        raise BadRequest("Not a size we make.")
    card, size = services.own_card(actor=request.user), form.cleaned_data["size"]
    content = render_wallpaper(services.printed(card), size=size)
    return download_png(content, name=f"emergency-{size}.png")


@never_cache
@require_safe
def emergency_openings(request: HttpRequest) -> HttpResponse:
    """Who opened it, also those from before it was made anew."""
    page = feed_page(request, services.openings(actor=request.user))
    return render(request, "qrverify/emergency/openings.html", {"page": page})
