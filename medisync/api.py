"""Every route of the REST API, in one place. `docs/` and the access matrix follow it."""

from typing import Any

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.api import (
    application,
    exports,
    google,
    health,
    passkeys,
    passwords,
    profile,
    registration,
    second_factor,
    sessions,
    specializations,
)
from chat import api as chat
from connections.api.access_log import AccessLogViewSet
from connections.api.connections import ConnectionViewSet
from connections.api.directory import DirectoryViewSet
from connections.api.requests import RequestViewSet, SendRequestView
from medisync.chart import api as chart
from notifications.api import NotificationViewSet
from prescriptions.api import claims, codes, refills
from prescriptions.api.medicines import MedicinesView
from prescriptions.api.orders import CheckView, ConnectionPrescriptionViewSet
from prescriptions.api.templates import TemplateViewSet
from qrverify.api import cards, check, dispensing, emergency, links, verification
from qrverify.api import tokens as qr

LIST: dict[str, Any] = {"get": "list", "post": "create"}
LINE: dict[str, Any] = {"patch": "partial_update", "delete": "destroy"}

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("auth/passkeys", passkeys.PasskeyViewSet, basename="api-passkey")
router.register("users", chart.PersonViewSet, basename="api-user")
router.register("grants", chart.PreviewableGrantViewSet, basename="api-grant")
router.register(
    "specializations", specializations.SpecializationViewSet, basename="api-specialization"
)
router.register("doctors", DirectoryViewSet, basename="api-doctor")
router.register("requests/connections", ConnectionViewSet, basename="api-connection")
router.register("requests", RequestViewSet, basename="api-request")
router.register("prescriptions", chart.LinkedPrescriptionViewSet, basename="api-prescription")
router.register("refill-requests", refills.RefillRequestViewSet, basename="api-refill")
router.register("prescription-templates", TemplateViewSet, basename="api-template")
router.register("notifications", NotificationViewSet, basename="api-notification")
router.register("qr", qr.QrViewSet, basename="api-qr")
router.register("links", links.LinkViewSet, basename="api-link")
router.register("chat/messages", chat.MessageViewSet, basename="api-message")
router.register("chat/replies", chat.ReplyViewSet, basename="api-reply")
router.register("chat", chat.ChatViewSet, basename="api-chat")
router.register("exports", exports.DataExportViewSet, basename="api-export")
router.register("access-log", AccessLogViewSet, basename="api-access-log")

urlpatterns = [
    # One address lists, and ends all but the caller's own.
    path(
        "auth/sessions",
        sessions.DeviceSessionViewSet.as_view({"get": "list", "delete": "destroy_others"}),
    ),
    path(
        "auth/sessions/<uuid:pk>",
        sessions.DeviceSessionViewSet.as_view({"delete": "destroy"}),
    ),
    path("auth/register/init", registration.StartRegistrationView.as_view()),
    path("auth/register/basic", registration.RegistrationDetailsView.as_view()),
    path("auth/register/verify-email", registration.VerifyEmailView.as_view()),
    path("auth/resend-otp", registration.ResendCodeView.as_view()),
    path("auth/login", sessions.LoginView.as_view()),
    path("auth/google", google.GoogleView.as_view()),
    path("auth/google/callback", google.GoogleCallbackView.as_view()),
    path("auth/forgot-password", passwords.ForgotPasswordView.as_view()),
    path("auth/verify-reset-otp", passwords.VerifyResetCodeView.as_view()),
    path("auth/reset-password", passwords.ResetPasswordView.as_view()),
    path("auth/change-password", passwords.ChangePasswordView.as_view()),
    path("auth/change-email", passwords.ChangeEmailView.as_view()),
    path("auth/change-email/verify", passwords.VerifyEmailChangeView.as_view()),
    path("auth/refresh", sessions.RefreshView.as_view()),
    path("auth/logout", sessions.LogoutView.as_view()),
    path("auth/mfa", second_factor.SecondFactorView.as_view()),
    path("auth/mfa/totp", second_factor.TotpView.as_view()),
    path("auth/mfa/totp/confirm", second_factor.ConfirmTotpView.as_view()),
    path("auth/mfa/recovery-codes", second_factor.RecoveryCodesView.as_view()),
    path("auth/mfa/verify", second_factor.ShowCodeView.as_view()),
    path("auth/mfa/passkey/options", passkeys.SecondFactorOptionsView.as_view()),
    path("auth/mfa/passkey", passkeys.ShowPasskeyView.as_view()),
    path("auth/confirm", second_factor.ConfirmView.as_view()),
    path("auth/confirm/passkey/options", passkeys.ConfirmOptionsView.as_view()),
    path("auth/confirm/passkey", passkeys.ConfirmByPasskeyView.as_view()),
    path("auth/passkeys/sign-in/options", passkeys.SignInOptionsView.as_view()),
    path("auth/passkeys/sign-in", passkeys.PasskeySignInView.as_view()),
    path("auth/passkeys/options", passkeys.PasskeyViewSet.as_view({"post": "ask"})),
    path("users/profile", profile.OwnProfileView.as_view()),
    path("users/profile/allergies", health.AllergyViewSet.as_view(LIST)),
    path("users/profile/allergies/<uuid:pk>", health.AllergyViewSet.as_view(LINE)),
    path("users/profile/conditions", health.ConditionViewSet.as_view(LIST)),
    path("users/profile/conditions/<uuid:pk>", health.ConditionViewSet.as_view(LINE)),
    path("users/profile/medications", health.MedicationViewSet.as_view(LIST)),
    path("users/profile/medications/<uuid:pk>", health.MedicationViewSet.as_view(LINE)),
    path("users/profile/emergency-contacts", health.EmergencyContactViewSet.as_view(LIST)),
    path(
        "users/profile/emergency-contacts/<uuid:pk>",
        health.EmergencyContactViewSet.as_view(LINE),
    ),
    path("users/application", application.ApplicationView.as_view()),
    path("users/registration-status", registration.RegistrationStatusView.as_view()),
    path("users/<uuid:user_id>/profile", registration.CompleteProfileView.as_view()),
    path(
        "prescriptions/connections/<uuid:connection_id>",
        ConnectionPrescriptionViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path("prescriptions/connections/<uuid:connection_id>/check", CheckView.as_view()),
    path("medicines", MedicinesView.as_view()),
    path("prescriptions/<uuid:pk>/code", codes.CodeView.as_view()),
    path(
        "prescriptions/<uuid:pk>/claims/<uuid:claim_id>/dispute",
        claims.DisputeView.as_view(),
    ),
    path("prescriptions/<uuid:pk>/refill", refills.AskRefillView.as_view()),
    path("prescriptions/<uuid:pk>/history", refills.HistoryView.as_view()),
    path("requests", SendRequestView.as_view()),
    path("prescriptions/<uuid:pk>/health-card", cards.HealthCardView.as_view()),
    path("chat/absence", chat.AbsenceView.as_view()),
    path("qr/scan", qr.ScanView.as_view()),
    path("qr/read", check.ReadView.as_view()),
    path("qr/validate", qr.ValidateView.as_view()),
    path("qr/verify", verification.VerifyView.as_view()),
    path("dispensing/open", dispensing.OpenView.as_view()),
    path("dispensing/claims", dispensing.ClaimView.as_view()),
    path("dispensing/claims/view", dispensing.ClaimReadView.as_view()),
    path("dispensing/claims/return", dispensing.ReturnView.as_view()),
    path("dispensing/dispenses", dispensing.DispenseView.as_view()),
    path("dispensing/dispenses/withdraw", dispensing.WithdrawView.as_view()),
    path("emergency-card", emergency.EmergencyCardView.as_view()),
    path("emergency-card/confirm", emergency.ConfirmView.as_view()),
    path("emergency-card/reissue", emergency.ReissueView.as_view()),
    path("emergency-card/scans", emergency.ScanViewSet.as_view({"get": "list"})),
    path("emergency-card/wallet.pdf", emergency.WalletView.as_view()),
    path("emergency-card/wallpaper.png", emergency.WallpaperView.as_view()),
    path("emergency/open", emergency.OpenView.as_view()),
    path("", include(router.urls)),
]
