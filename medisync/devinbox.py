"""Pages that show the mail a devstack kept. Reachable while DEBUG is on, and only there."""

from __future__ import annotations

from pathlib import Path

import pyotp
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Totp
from medisync.demo import ADMIN_EMAIL
from medisync.devstack.mailbox import Mailbox


@login_not_required
@never_cache
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Every kept message, newest first; `?to=` narrows it to one address."""
    address = request.GET.get("to", "")
    mails = _mailbox().newest(to=address)
    context = {"mails": mails, "address": address, "administrator": ADMIN_EMAIL, "code": _code()}
    return render(request, "medisync/inbox.html", context)


@login_not_required
@never_cache
@require_safe
def inbox_message(request: HttpRequest, message_id: str) -> HttpResponse:
    """One message, as it was sent."""
    mail = _mailbox().get(message_id)
    if mail is None:
        raise Http404(_("There is no such message."))
    return render(request, "medisync/inbox_message.html", {"mail": mail})


@login_not_required
@never_cache
@require_safe
def inbox_json(request: HttpRequest) -> HttpResponse:
    """The inbox for scripts: a list of `{id, to, subject, text, date, deliveries}`."""
    mails = _mailbox().newest(to=request.GET.get("to", ""))
    return JsonResponse(
        [
            {
                "id": mail.id,
                "to": ", ".join(mail.to),
                "subject": mail.subject,
                "text": mail.text,
                "date": mail.date.isoformat(),
                "deliveries": mail.deliveries,
            }
            for mail in mails
        ],
        safe=False,
    )


def _code() -> str:
    """What the authenticator app of the demonstration's administrator shows; where that was used
    already, what it will show next, which is good already."""
    totp = Totp.objects.filter(user__email=ADMIN_EMAIL).first()
    if totp is None:
        return ""
    app = pyotp.TOTP(totp.seed)
    return app.generate_otp(max(app.timecode(timezone.now()), totp.last_step + 1))


def _mailbox() -> Mailbox:
    if not (settings.DEBUG and settings.DEV_INBOX_DIR):
        raise Http404(_("There is no development inbox here."))
    return Mailbox(Path(settings.DEV_INBOX_DIR))
