"""Every route of the REST API, in one place. `docs/` and the access matrix follow it."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts import api as accounts
from connections.api import ConnectionViewSet
from notifications.api import NotificationViewSet
from prescriptions.api import ConnectionPrescriptionViewSet, PrescriptionViewSet
from qrverify import api as qr
from specializations.api import SpecializationViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("auth/sessions", accounts.DeviceSessionViewSet, basename="api-session")
router.register("specializations", SpecializationViewSet, basename="api-specialization")
router.register("requests/connections", ConnectionViewSet, basename="api-connection")
router.register("prescriptions", PrescriptionViewSet, basename="api-prescription")
router.register("notifications", NotificationViewSet, basename="api-notification")
router.register("qr", qr.QrViewSet, basename="api-qr")

urlpatterns = [
    path("auth/register/init", accounts.StartRegistrationView.as_view()),
    path("auth/register/basic", accounts.RegistrationDetailsView.as_view()),
    path("auth/register/verify-email", accounts.VerifyEmailView.as_view()),
    path("auth/resend-otp", accounts.ResendCodeView.as_view()),
    path("auth/login", accounts.LoginView.as_view()),
    path("auth/refresh", accounts.RefreshView.as_view()),
    path("auth/logout", accounts.LogoutView.as_view()),
    path("users/profile", accounts.OwnProfileView.as_view()),
    path("users/registration-status", accounts.RegistrationStatusView.as_view()),
    path("users/<uuid:user_id>/profile", accounts.CompleteProfileView.as_view()),
    path(
        "prescriptions/connections/<uuid:connection_id>",
        ConnectionPrescriptionViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path("qr/scan", qr.ScanView.as_view()),
    path("qr/validate", qr.ValidateView.as_view()),
    path("qr/verify", qr.VerifyView.as_view()),
    path("", include(router.urls)),
]
