"""Forms of what could do harm: for whoever has just shown that it is them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.middleware import device_session, to_confirm
from accounts.models import DeviceSession, Role
from accounts.policies import check_is_active, is_confirmed
from common import crypto
from common.pages import FormPage

TYPED_KEY = "typed"
PURPOSE = "accounts.typed"
# As the browser sends it. Nobody types as much as that, and each request reads the session.
MOST_TYPED = 32 * 1024


class ConfirmedFormPage(FormPage):
    """Anybody else is asked first whether it is them, and comes back to the same address.

    Who took so long over the form that they are asked when they send it finds it as they typed
    it, to be sent once more. Meanwhile it lies in their browser's session, sealed: it may tell of
    an illness, or hold a passcode.
    """

    role: Role

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        check_is_active(request.user, role=self.role)
        if is_confirmed(device_session(request)):
            return super().dispatch(request, *args, **kwargs)
        if request.method == "POST":
            _keep(request)
        return to_confirm(request.get_full_path())

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        if self.request.method != "POST":
            kwargs["data"] = _kept(self.request)
            if kwargs["data"] is not None:
                messages.info(self.request, _("Here is what you typed. Send it once more."))
        return kwargs


def _keep(request: HttpRequest) -> None:
    request.session.pop(TYPED_KEY, None)
    typed = request.POST.copy()
    typed.pop("csrfmiddlewaretoken", None)
    form = typed.urlencode()
    if len(form) > MOST_TYPED:
        return
    request.session[TYPED_KEY] = {
        "page": request.get_full_path(),
        "until": (timezone.now() + DeviceSession.CONFIRMATION_LASTS).isoformat(),
        "form": crypto.seal(form, purpose=PURPOSE),
    }


def _kept(request: HttpRequest) -> QueryDict | None:
    """What was typed on this page before they were asked; once, and a short while later. Who asks
    by HEAD is shown nothing, and takes nothing from who is."""
    if request.method == "HEAD":
        return None
    kept = request.session.pop(TYPED_KEY, None)
    if kept is None or kept["page"] != request.get_full_path():
        return None
    if timezone.now() > dt.datetime.fromisoformat(kept["until"]):
        return None
    return QueryDict(crypto.unseal(kept["form"], purpose=PURPOSE))
