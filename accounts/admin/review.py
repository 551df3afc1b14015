"""Doctors' applications in the admin: the queue, and each one with what decides it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import F, FilteredRelation, Q, QuerySet
from django.db.models.fields.files import FieldFile
from django.forms import Form
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import time_format
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from accounts.admin.base import ChosenFilter
from accounts.forms.review import ApproveForm, RejectForm, ReturnForm
from accounts.middleware import device_session
from accounts.models import ApplicationReview, DoctorProfile, Status, User
from accounts.policies import can_decide, can_review
from accounts.services import review as reviews
from common.admin import LookOnly
from common.documents import sniff_document
from common.errors import DomainError
from common.pages import add_refusal, explained, with_status

DOCUMENTS = ("licence_document", "national_id_document")
WAITING = Q(open_review__isnull=False, user__status=Status.PENDING_APPROVAL)
# Each decision's form, by the name of its address.
DECISIONS: dict[str, type[Form]] = {
    "approve": ApproveForm,
    "return": ReturnForm,
    "reject": RejectForm,
}


class QueueFilter(ChosenFilter):
    """Those who wait, unless something else is asked for."""

    title = _("application")
    parameter_name = "queue"
    ALL = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("waiting", _("Waiting")),
            ("mine", _("Claimed by me")),
            ("claimed", _("Claimed")),
            ("decided", pgettext_lazy("application", "Decided")),
            (self.ALL, _("All")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        lapsed_before = timezone.now() - ApplicationReview.CLAIM_LASTS
        claimed = WAITING & Q(open_review__claimed_at__gt=lapsed_before)
        conditions = {
            "waiting": WAITING,
            "mine": claimed & Q(open_review__claimed_by=request.user.pk),
            "claimed": claimed,
            "decided": ~WAITING,
        }
        condition = conditions.get(self.value())
        return queryset.filter(condition) if condition else queryset


@admin.register(DoctorProfile)
class ApplicationAdmin(LookOnly, admin.ModelAdmin[DoctorProfile]):
    """The queue, oldest first, and on each application's page the documents beside what was
    typed."""

    list_display = ("applicant", "specialization", "licence_number", "status", "waiting", "claim")
    list_filter = (QueueFilter,)
    list_per_page = 50
    show_facets = admin.ShowFacets.ALWAYS
    search_fields = ("user__email", "user__first_name", "user__last_name", "licence_number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DoctorProfile]:
        """Each with its open round, of which there is one at most."""
        is_open = FilteredRelation("reviews", condition=Q(reviews__decision=""))
        return (
            super()
            .get_queryset(request)
            .annotate(open_review=is_open)
            .select_related("user", "specialization", "open_review__claimed_by")
            .order_by(F("open_review__created_at").asc(nulls_last=True), "-applied_at")
        )

    @admin.display(description=_("name"), ordering="user__first_name")
    def applicant(self, profile: DoctorProfile) -> str:
        return profile.user.full_name

    @admin.display(description=_("status"), ordering="user__status")
    def status(self, profile: DoctorProfile) -> str:
        return profile.user.get_status_display()

    @admin.display(description=_("waiting for"))
    def waiting(self, profile: DoctorProfile) -> str:
        review = _open_review(profile)
        return timesince(review.created_at) if review else ""

    @admin.display(description=_("claimed by"))
    def claim(self, profile: DoctorProfile) -> str:
        review = _open_review(profile)
        if review is None or not review.is_claimed(timezone.now()):
            return ""
        holder, until = cast("User", review.claimed_by), cast("dt.datetime", review.claimed_until)
        return _("%(name)s, until %(time)s") % {
            "name": holder.full_name,
            "time": time_format(timezone.localtime(until)),
        }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("reviews/<uuid:review_id>/claim/", view(self.claim_review), name="review_claim"),
            path("reviews/<uuid:review_id>/release/", view(self.release), name="review_release"),
            path(
                "reviews/<uuid:review_id>/approve/",
                view(self.decide),
                {"verb": "approve"},
                name="review_approve",
            ),
            path(
                "reviews/<uuid:review_id>/return/",
                view(self.decide),
                {"verb": "return"},
                name="review_return",
            ),
            path(
                "reviews/<uuid:review_id>/reject/",
                view(self.decide),
                {"verb": "reject"},
                name="review_reject",
            ),
            path(
                "<uuid:pk>/documents/<slug:name>/",
                view(self.document, cacheable=True),
                name="application_document",
            ),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            profile = get_object_or_404(self._applications(), pk=object_id)
        except ValidationError as error:
            raise Http404 from error
        return self._page(request, profile)

    @method_decorator(require_POST)
    def claim_review(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        with explained(request):
            reviews.claim_review(session=device_session(request), review_id=review_id)
        return self._back_to(review_id)

    @method_decorator(require_POST)
    def release(self, request: HttpRequest, review_id: UUID) -> HttpResponse:
        with explained(request):
            reviews.release_claim(session=device_session(request), review_id=review_id)
        return self._back_to(review_id)

    @method_decorator(require_POST)
    def decide(self, request: HttpRequest, review_id: UUID, verb: str) -> HttpResponse:
        """On to the queue when it is decided; else the page again, with what was typed."""
        review = get_object_or_404(ApplicationReview, pk=review_id)
        profile = self._applications().get(pk=review.profile_id)
        form = DECISIONS[verb](request.POST, prefix=verb)
        if not form.is_valid():
            return self._page(request, profile, form, status=400)
        decide, said = _VERBS[verb]
        try:
            doctor = decide(
                session=device_session(request), review_id=review_id, **form.cleaned_data
            )
        except DomainError as error:
            add_refusal(form, error)
            return with_status(self._page(request, profile, form), error)
        messages.success(request, said % {"name": doctor.full_name})
        return redirect("admin:accounts_doctorprofile_changelist")

    # Shown within the application's own page, and within no other site's.
    @method_decorator(
        [
            require_safe,
            cache_control(private=True, no_store=True),
            xframe_options_sameorigin,
            csp_replace({"default-src": [NONE], "frame-ancestors": [SELF]}),
        ]
    )
    def document(self, request: HttpRequest, pk: UUID, name: str) -> FileResponse:
        """One scan, as what its bytes say it is."""
        if name not in DOCUMENTS:
            raise Http404
        file = getattr(get_object_or_404(DoctorProfile, pk=pk), name)
        media_type = _media_type(file)
        if media_type is None:
            raise Http404
        return FileResponse(
            file.open("rb"), content_type=media_type, headers={"X-Content-Type-Options": "nosniff"}
        )

    def _applications(self) -> QuerySet[DoctorProfile]:
        return DoctorProfile.objects.select_related("user", "specialization")

    def _back_to(self, review_id: UUID) -> HttpResponse:
        profiles = DoctorProfile.objects.filter(reviews=review_id)
        return redirect("admin:accounts_doctorprofile_change", get_object_or_404(profiles).pk)

    def _page(
        self,
        request: HttpRequest,
        profile: DoctorProfile,
        tried: Form | None = None,
        status: int = 200,
    ) -> TemplateResponse:
        """The application; `tried` is the form of a decision that could not be taken."""
        session, now = device_session(request), timezone.now()
        rounds = list(profile.reviews.select_related("decided_by", "claimed_by"))
        review = next((found for found in rounds if not found.decision), None)
        forms = {verb: form(prefix=verb) for verb, form in DECISIONS.items()}
        if tried is not None:
            forms[str(tried.prefix)] = tried
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": profile.user.full_name,
            "original": profile,
            "review": review,
            "is_claimed": review is not None and review.is_claimed(now),
            "can_review": review is not None and can_review(session, review),
            "can_decide": review is not None and can_decide(session, review, now),
            "forms": forms,
            "tried": tried,
            "documents": [_described(profile, name) for name in DOCUMENTS],
            "rounds": [found for found in rounds if found.decision],
            "history": profile.user.status_changes.select_related("changed_by"),
        }
        template = "admin/accounts/doctorprofile/change_form.html"
        return TemplateResponse(request, template, context, status=status)


_VERBS: dict[str, tuple[Callable[..., User], Any]] = {
    "approve": (reviews.approve_doctor, _("%(name)s is approved and may practise here.")),
    "return": (
        reviews.return_application,
        _("The application of %(name)s is returned for correction."),
    ),
    "reject": (reviews.reject_doctor, _("The application of %(name)s is rejected.")),
}


def _open_review(profile: DoctorProfile) -> ApplicationReview | None:
    """The round that the list has joined; where there is none, it has set nothing."""
    return getattr(profile, "open_review", None)


def _described(profile: DoctorProfile, name: str) -> dict[str, Any]:
    file: FieldFile = getattr(profile, name)
    return {"name": name, "label": file.field.verbose_name, "media_type": _media_type(file)}


def _media_type(file: FieldFile) -> str | None:
    """None for what is no document, or is not in the storage."""
    if not file:
        return None
    try:
        with file.open("rb") as opened:
            return sniff_document(opened.read(16))
    except FileNotFoundError:
        return None
