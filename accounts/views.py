"""Pages of identity: coming in, registering, the own account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.device_names import name_device
from accounts.forms import (
    AccountForm,
    CodeForm,
    DetailsForm,
    DoctorProfileForm,
    LanguageForm,
    LoginForm,
    PatientProfileForm,
    RoleForm,
)
from accounts.middleware import enter_portal, leave_portal
from accounts.models import DeviceSession, OneTimeCode, Registration, Status, User
from accounts.services import profiles, registration
from accounts.services import sessions as sign_ins
from accounts.tokens import OnboardingToken
from common.client import client_address
from common.pages import FormPage, explained, open_to_applicants, safe_next
from common.throttling import check_rate

# What the cookie of someone who is not signed in may stand for.
REGISTRATION_KEY = "registration"
ONBOARDING_KEY = "onboarding_user"


def _sign_in(request: HttpRequest, user: User, method: DeviceSession.Method) -> None:
    user_agent = request.headers.get("User-Agent", "")
    session = sign_ins.open_session(
        user=user,
        method=method,
        device=sign_ins.Device(
            ip_address=client_address(request),
            user_agent=user_agent,
            name=name_device(user_agent),
        ),
    )
    enter_portal(request, session)


def _begin_onboarding(request: HttpRequest, user: User) -> None:
    """Let this browser go on to step 4 as this user, and nowhere else; it is not signed in."""
    request.session.cycle_key()
    request.session.pop(REGISTRATION_KEY, None)
    request.session[ONBOARDING_KEY] = str(user.pk)
    request.session.set_expiry(OnboardingToken.lifetime)


# --- Signing in and out ----------------------------------------------------------------------


@method_decorator([login_not_required, never_cache], name="dispatch")
class Login(FormPage):
    """Whoever has not finished registering goes on with that instead."""

    template_name = "accounts/login.html"
    form_class = LoginForm
    rate, rate_group = "5/m", "login"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever is signed in is not asked again: tries are counted by address here."""
        if request.user.is_authenticated:
            return redirect(safe_next(request, default=reverse("home")))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=safe_next(self.request, default=""), **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        user = sign_ins.authenticate(**form.cleaned_data)
        if user.status == Status.EMAIL_VERIFIED:
            _begin_onboarding(self.request, user)
            return redirect("register-profile")
        target = safe_next(self.request, default=reverse("home"))
        _sign_in(self.request, user, DeviceSession.Method.PASSWORD)
        return redirect(target)


@login_not_required
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the device session; for someone signed out already, just show the door."""
    if request.user.is_authenticated:
        sign_ins.revoke_session(actor=request.user, session_id=_device_session(request).pk)
        leave_portal(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


# --- Registration ----------------------------------------------------------------------------


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
        onboarding = User.objects.filter(
            pk=request.session.get(ONBOARDING_KEY), status=Status.EMAIL_VERIFIED
        )
        return cls(registration=found.first(), user=onboarding.first())

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
        _begin_onboarding(self.request, user)
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
        _sign_in(self.request, user, DeviceSession.Method.REGISTRATION)
        return redirect("register-done")

    def _complete_patient(self, data: dict[str, Any]) -> User:
        return registration.complete_patient_profile(
            user_id=self.user.pk, details=registration.PatientDetails(**data)
        )

    def _complete_doctor(self, data: dict[str, Any]) -> User:
        return registration.complete_doctor_profile(
            user_id=self.user.pk, details=registration.DoctorDetails(**data)
        )


@open_to_applicants
@require_safe
def registered(request: HttpRequest) -> HttpResponse:
    """The end of registration: what is open now, or what is waited for."""
    return render(request, "accounts/register_done.html")


# --- The own account -------------------------------------------------------------------------


@method_decorator(open_to_applicants, name="dispatch")
class Account(FormPage):
    template_name = "accounts/profile.html"
    form_class = AccountForm

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.request.user, name) for name in profiles.CHANGEABLE}

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"user": self.request.user}

    def form_valid(self, form: Form) -> HttpResponse:
        user = profiles.update_own_account(actor=self.request.user, changes=form.cleaned_data)
        with translation.override(user.language):
            messages.success(self.request, _("Your changes are saved."))
        return _remember_language(redirect("profile"), user.language)


@open_to_applicants
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """Where you are signed in; this browser comes first."""
    current = _device_session(request)
    found = DeviceSession.objects.visible_to(request.user).live(timezone.now())
    others = [session for session in found if session.pk != current.pk]
    return render(request, "accounts/sessions.html", {"current": current, "others": others})


@open_to_applicants
@require_POST
def revoke_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Sign one device out; if it is this one, at once."""
    sign_ins.revoke_session(actor=request.user, session_id=pk)
    if pk == _device_session(request).pk:
        leave_portal(request)
        return redirect(settings.LOGOUT_REDIRECT_URL)
    messages.success(request, _("That device is signed out."))
    return redirect("sessions")


@login_not_required
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Speak another language from here on: to this browser, and to its user everywhere."""
    form = LanguageForm(request.POST)
    if not form.is_valid():
        raise BadRequest("No such language.")
    language = form.cleaned_data["language"]
    if request.user.is_authenticated:
        profiles.update_own_account(actor=request.user, changes={"language": language})
    return _remember_language(redirect(safe_next(request, default=reverse("home"))), language)


def _remember_language(response: HttpResponse, language: str) -> HttpResponse:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )
    return response


def _device_session(request: HttpRequest) -> DeviceSession:
    """The session this browser's cookie stands for."""
    return cast("DeviceSession", request.device_session)  # type: ignore[attr-defined]
