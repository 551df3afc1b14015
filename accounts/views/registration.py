"""Registering, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.forms.fields import CodeForm
from accounts.forms.registration import (
    DetailsForm,
    DoctorProfileForm,
    PatientProfileForm,
    RoleForm,
)
from accounts.models import OneTimeCode, Registration, SignInMethod, Status, User
from accounts.services import applications, registration, sign_in
from accounts.tokens import password_mark
from accounts.views.base import (
    ONBOARDING_KEY,
    ONBOARDING_MARK_KEY,
    REGISTRATION_KEY,
    begin_onboarding,
    device_of,
    enter,
)
from common.pages import FormPage, explained, open_to_applicants
from common.throttling import check_rate


@dataclass(frozen=True, slots=True)
class Progress:
    """How far this browser has come with registering, and by that which pages it may open."""

    registration: Registration | None
    user: User | None

    @classmethod
    def of(cls, request: HttpRequest) -> Progress:
        found = Registration.objects.open(timezone.now()).filter(
            pk=request.session.get(REGISTRATION_KEY), user=None
        )
        return cls(registration=found.first(), user=_onboarding_user(request))

    @property
    def step(self) -> str:
        """The page to go on with."""
        if self.user:
            return "register-profile"
        if self.registration is None:
            return "register"
        if self.registration.status == Registration.Step.INIT:
            return "register-details"
        return "register-verify"

    def may_open(self, step: str) -> bool:
        """The next step, or going back: to another role, or to correct a mistyped address."""
        return step in {self.step, "register"} or (
            step == "register-details" and self.step == "register-verify"
        )


def _onboarding_user(request: HttpRequest) -> User | None:
    """Whom this browser may complete the profile of: with the password they had then."""
    waiting = User.objects.filter(status=Status.EMAIL_VERIFIED)
    user = waiting.filter(pk=request.session.get(ONBOARDING_KEY)).first()
    is_same = user is not None and request.session.get(ONBOARDING_MARK_KEY) == password_mark(user)
    return user if is_same else None


@method_decorator([login_not_required, never_cache], name="dispatch")
class RegistrationStep(FormPage):
    """Whoever comes out of turn is led to the step they are at."""

    step: ClassVar[str]
    progress: Progress

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("home")
        self.progress = Progress.of(request)
        if not self.progress.may_open(self.step):
            self._explain_expiry()
            return redirect(self.progress.step)
        return cast("HttpResponse", super().dispatch(request, *args, **kwargs))

    def _explain_expiry(self) -> None:
        is_gone = self.progress.step == "register"
        if is_gone and self.request.session.pop(REGISTRATION_KEY, None):
            messages.warning(self.request, str(registration.RegistrationExpired.detail))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(progress=self.progress, **kwargs)


class ChooseRole(RegistrationStep):
    step = "register"
    template_name = "accounts/register_role.html"
    form_class = RoleForm
    rate, rate_group = "10/m", "register-init"

    def form_valid(self, form: Form) -> HttpResponse:
        started = registration.start_registration(
            language=translation.get_language() or settings.LANGUAGE_CODE, **form.cleaned_data
        )
        self.request.session.pop(ONBOARDING_KEY, None)
        self.request.session[REGISTRATION_KEY] = str(started.pk)
        return redirect("register-details")


class Details(RegistrationStep):
    step = "register-details"
    template_name = "accounts/register_details.html"
    form_class = DetailsForm
    rate, rate_group = "5/m", "register-basic"

    def get_initial(self) -> dict[str, Any]:
        begun = cast("Registration", self.progress.registration)
        return {name: getattr(begun, name) for name in ("email", "first_name", "last_name")}

    def form_valid(self, form: Form) -> HttpResponse:
        begun = cast("Registration", self.progress.registration)
        registration.submit_details(
            registration_id=begun.pk, language=translation.get_language(), **form.cleaned_data
        )
        return redirect("register-verify")


class VerifyEmail(RegistrationStep):
    step = "register-verify"
    template_name = "accounts/register_verify.html"
    form_class = CodeForm
    rate, rate_group = "5/m", "register-verify"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        code = OneTimeCode.objects.get(registration=self.progress.registration)
        resend_at = code.sent_at + OneTimeCode.RESEND_AFTER
        return super().get_context_data(
            resend_at=resend_at if resend_at > timezone.now() else None, **kwargs
        )

    def form_valid(self, form: Form) -> HttpResponse:
        begun = cast("Registration", self.progress.registration)
        user = registration.verify_email(registration_id=begun.pk, code=form.cleaned_data["otp"])
        begin_onboarding(self.request, user)
        return redirect("register-profile")


@login_not_required
@require_POST
def resend_code(request: HttpRequest) -> HttpResponse:
    progress = Progress.of(request)
    if progress.registration is None:
        return redirect(progress.step)
    with explained(request):
        check_rate(request, group="resend-otp", rate="3/2m")
        registration.resend_code(registration_id=progress.registration.pk)
        messages.success(request, _("A new code is on its way. The old one no longer works."))
    return redirect("register-verify")


class CompleteProfile(RegistrationStep):
    step = "register-profile"

    @property
    def user(self) -> User:
        return cast("User", self.progress.user)

    def get_template_names(self) -> list[str]:
        return [f"accounts/register_{self.user.role.lower()}.html"]

    def get_form_class(self) -> type[Form]:
        return DoctorProfileForm if self.user.is_doctor else PatientProfileForm

    def form_valid(self, form: Form) -> HttpResponse:
        complete = self._complete_doctor if self.user.is_doctor else self._complete_patient
        user = complete(form.cleaned_data)
        came_in = sign_in.begin(
            user=user, method=SignInMethod.REGISTRATION, device=device_of(self.request)
        )
        return enter(self.request, came_in, then=redirect("register-done"))

    def _complete_patient(self, data: dict[str, Any]) -> User:
        return registration.complete_patient_profile(
            user_id=self.user.pk, details=registration.PatientDetails(**data)
        )

    def _complete_doctor(self, data: dict[str, Any]) -> User:
        return applications.complete_doctor_profile(
            user_id=self.user.pk, details=applications.DoctorDetails(**data)
        )


@open_to_applicants
@require_safe
def registered(request: HttpRequest) -> HttpResponse:
    """The end of registration: what is open now, or what is waited for."""
    return render(request, "accounts/register_done.html")
