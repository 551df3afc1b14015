"""Identity over REST: registration, sessions, the own profile."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import generics, serializers, status, views, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import serializers as shapes
from accounts.authentication import OnboardingAuthentication
from accounts.models import DeviceSession, Registration, Role, Status, User
from accounts.services import profiles, registration, sessions
from accounts.tokens import onboarding_token, token_pair
from common.client import client_address
from common.parsers import JSONParser


def _valid(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data  # type: ignore[no-any-return]


def device_of(request: Request, name: str = "") -> sessions.Device:
    return sessions.Device(
        ip_address=client_address(request._request),
        user_agent=request.headers.get("User-Agent", ""),
        name=name,
    )


class PublicView(views.APIView):
    authentication_classes: ClassVar = []
    permission_classes: ClassVar = [AllowAny]


@extend_schema(tags=["registration"])
class StartRegistrationView(PublicView):
    throttle_rate = "10/m"
    throttle_group = "register-init"

    @extend_schema(
        request=shapes.StartRegistrationSerializer,
        responses={201: shapes.RegistrationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Step 1: choose a role."""
        data = _valid(shapes.StartRegistrationSerializer(data=request.data))
        started = registration.start_registration(
            role=data["role"], language=data.get("language", (get_language() or "en")[:2])
        )
        return Response(shapes.RegistrationSerializer(started).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["registration"])
class RegistrationDetailsView(PublicView):
    throttle_rate = "5/m"
    throttle_group = "register-basic"

    @extend_schema(
        request=shapes.RegistrationDetailsSerializer,
        responses={201: shapes.RegistrationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Step 2: address, password and name. A code is mailed."""
        data = _valid(shapes.RegistrationDetailsSerializer(data=request.data))
        submitted = registration.submit_details(**data)
        return Response(
            shapes.RegistrationSerializer(submitted).data, status=status.HTTP_201_CREATED
        )


@extend_schema(tags=["registration"])
class VerifyEmailView(PublicView):
    throttle_rate = "5/m"
    throttle_group = "register-verify"

    @extend_schema(request=shapes.VerifyEmailSerializer, responses={200: shapes.VerifiedSerializer})
    def post(self, request: Request) -> Response:
        """Step 3: the code makes the account; the token opens step 4."""
        data = _valid(shapes.VerifyEmailSerializer(data=request.data))
        user = registration.verify_email(registration_id=data["registration_id"], code=data["otp"])
        return Response(
            {"user_id": user.pk, "status": user.status, "onboarding_token": onboarding_token(user)}
        )


@extend_schema(tags=["registration"])
class ResendCodeView(PublicView):
    throttle_rate = "3/2m"
    throttle_group = "resend-otp"

    @extend_schema(request=shapes.ResendCodeSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """A new code; the old one stops working."""
        data = _valid(shapes.ResendCodeSerializer(data=request.data))
        registration.resend_code(registration_id=data["id"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["registration"])
class CompleteProfileView(views.APIView):
    authentication_classes: ClassVar = [OnboardingAuthentication]
    permission_classes: ClassVar = [IsAuthenticated]
    parser_classes: ClassVar = [JSONParser, MultiPartParser]

    @extend_schema(
        request={
            "application/json": shapes.PatientDetailsSerializer,
            "multipart/form-data": shapes.DoctorDetailsSerializer,
        },
        responses={200: shapes.ProfileCompletedSerializer},
    )
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Step 4: the profile. Patients are active at once, doctors wait for approval."""
        if request.user.pk != user_id:
            raise PermissionDenied
        user = self._complete(request)
        return Response({"user_id": user.pk, "status": user.status})

    def _complete(self, request: Request) -> User:
        user: User = request.user  # type: ignore[assignment]
        if user.role == Role.DOCTOR:
            data = _valid(shapes.DoctorDetailsSerializer(data=request.data))
            doctor = registration.DoctorDetails(**data)
            return registration.complete_doctor_profile(user_id=user.pk, details=doctor)
        data = _valid(shapes.PatientDetailsSerializer(data=request.data))
        patient = registration.PatientDetails(**data)
        return registration.complete_patient_profile(user_id=user.pk, details=patient)


NEXT_STEP: dict[str, str] = {
    Registration.Step.INIT: "DETAILS",
    Registration.Step.PENDING_EMAIL_VERIFICATION: "VERIFY_EMAIL",
    Status.EMAIL_VERIFIED: "PROFILE",
    Status.PENDING_APPROVAL: "APPROVAL",
}


@extend_schema(tags=["registration"])
class RegistrationStatusView(PublicView):
    @extend_schema(
        parameters=[OpenApiParameter("registration_id", UUID, required=True)],
        responses={200: shapes.RegistrationStatusSerializer},
    )
    def get(self, request: Request) -> Response:
        """The step reached, the next one and, while waiting for approval, since when."""
        field = serializers.UUIDField()
        try:
            registration_id = field.run_validation(request.query_params.get("registration_id"))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"registration_id": error.detail}) from error
        found = (
            Registration.objects.known(timezone.now())
            .select_related("user__doctor_profile")
            .filter(pk=registration_id)
            .first()
        )
        if found is None:
            raise Http404
        reached = found.user.status if found.user else found.status
        return Response(
            {
                "registration_id": found.pk,
                "role": found.role,
                "status": reached,
                "next_step": NEXT_STEP.get(reached, "NONE"),
                "waiting_since": _waiting_since(found),
            }
        )


def _waiting_since(found: Registration) -> dt.datetime | None:
    if found.user is None or found.user.status != Status.PENDING_APPROVAL:
        return None
    return found.user.doctor_profile.applied_at


@extend_schema(tags=["auth"])
class LoginView(PublicView):
    throttle_rate = "5/m"
    throttle_group = "login"

    @extend_schema(
        request=shapes.LoginSerializer,
        responses={
            200: PolymorphicProxySerializer(
                component_name="LoginResult",
                serializers=[shapes.LoginAnswerSerializer, shapes.OnboardingAnswerSerializer],
                resource_type_field_name=None,
            )
        },
    )
    def post(self, request: Request) -> Response:
        """Sign in. An account without a profile gets the token for step 4 instead."""
        data = _valid(shapes.LoginSerializer(data=request.data))
        user = sessions.authenticate(email=data["email"], password=data["password"])
        if user.status == Status.EMAIL_VERIFIED:
            return Response(
                {
                    "onboarding_required": True,
                    "onboarding_token": onboarding_token(user),
                    "user_id": user.pk,
                }
            )
        session = sessions.open_session(
            user=user,
            method=DeviceSession.Method.PASSWORD,
            device=device_of(request, data.get("device_name", "")),
        )
        pair = token_pair(session, now=timezone.now())
        return Response(pair | {"user": shapes.UserSerializer(user).data})


@extend_schema(tags=["auth"])
class RefreshView(PublicView):
    throttle_rate = "10/m"
    throttle_group = "refresh"

    @extend_schema(request=shapes.RefreshSerializer, responses={200: shapes.TokenPairSerializer})
    def post(self, request: Request) -> Response:
        """The next pair; the refresh token sent is spent."""
        data = _valid(shapes.RefreshSerializer(data=request.data))
        _session, pair = sessions.refresh_session(refresh_token=data["refresh_token"])
        return Response(pair)


@extend_schema(tags=["auth"])
class LogoutView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End this session: its tokens and its open sockets."""
        sessions.revoke_session(actor=request.user, session_id=request.auth.pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"])
class DeviceSessionViewSet(viewsets.GenericViewSet[DeviceSession]):
    queryset = DeviceSession.objects.none()
    serializer_class = shapes.DeviceSessionSerializer
    permission_classes: ClassVar = [IsAuthenticated]
    pagination_class = None
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[DeviceSession]:
        return DeviceSession.objects.visible_to(self.request.user).live(timezone.now())

    @extend_schema(responses=shapes.DeviceSessionSerializer(many=True))
    def list(self, request: Request) -> Response:
        """Where you are signed in."""
        return Response(self.get_serializer(self.get_queryset(), many=True).data)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Sign one device out."""
        sessions.revoke_session(actor=request.user, session_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["users"])
class OwnProfileView(generics.GenericAPIView[User]):
    permission_classes: ClassVar = [IsAuthenticated]
    serializer_class = shapes.UserSerializer

    def get(self, request: Request) -> Response:
        """Your own account."""
        return Response(shapes.UserSerializer(request.user).data)  # type: ignore[arg-type]

    @extend_schema(operation_id="own_profile_update", request=shapes.PreferencesSerializer)
    def patch(self, request: Request) -> Response:
        """Change name, phone, language or time zone."""
        changes = _valid(shapes.PreferencesSerializer(data=request.data))
        user = profiles.update_own_account(actor=request.user, changes=changes)
        return Response(shapes.UserSerializer(user).data)
