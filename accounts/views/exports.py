"""A copy of one's own data."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.middleware import confirmed, device_session
from accounts.models import DataExport
from accounts.services import exports
from common.files import download
from common.pages import explained, open_to_applicants
from common.pagination import feed_page


@open_to_applicants
@require_safe
def export_list(request: HttpRequest) -> HttpResponse:
    """The button, and what came of it; a copy in the making is watched."""
    mine = DataExport.objects.visible_to(request.user)
    context = {"page": feed_page(request, mine), "running": mine.unfinished().first()}
    return render(request, "accounts/exports.html", context)


@open_to_applicants
@require_POST
@confirmed(back_to="export-list")
def export_request(request: HttpRequest) -> HttpResponse:
    with explained(request):
        exports.request_export(session=device_session(request))
        messages.success(request, _("Your copy is being prepared. You are told when it is ready."))
    return redirect("export-list")


@open_to_applicants
@require_safe
@confirmed(back_to="export-list")
def export_download(request: HttpRequest, export_id: UUID) -> FileResponse:
    export = exports.open_export(session=device_session(request), export_id=export_id)
    return download(export.file, name=export.file_name)
