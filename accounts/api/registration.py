"""Registration over REST, step by step."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, views
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import PublicView, device_of
from accounts.authentication import OnboardingAuthentication
from accounts.models import Registration, Role, Status, User
from accounts.serializers import registration as shapes
from accounts.services import addresses, applications, passwords, registration
from accounts.tokens import onboarding_token
from common.parsers import JSONParser
from common.serializers import valid


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
        data = valid(shapes.StartRegistrationSerializer(data=request.data))
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
        data = valid(shapes.RegistrationDetailsSerializer(data=request.data))
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
        data = valid(shapes.VerifyEmailSerializer(data=request.data))
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
        """A new code; the old one stops working. For a forgotten password it is mailed if the
        address has an account and no new password was chosen meanwhile; the answer is the same."""
        data = valid(shapes.ResendCodeSerializer(data=request.data))
        if data["type"] == "PASSWORD_RESET":
            passwords.resend_code(reset_id=data["id"], device=device_of(request))
        elif data["type"] == "EMAIL_CHANGE":
            addresses.resend_code(change_id=data["id"])
        else:
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
            data = valid(shapes.DoctorDetailsSerializer(data=request.data))
            doctor = applications.DoctorDetails(**data)
            return applications.complete_doctor_profile(user_id=user.pk, details=doctor)
        data = valid(shapes.PatientDetailsSerializer(data=request.data))
        patient = registration.PatientDetails(**data)
        return registration.complete_patient_profile(user_id=user.pk, details=patient)


NEXT_STEP: dict[str, str] = {
    Registration.Step.INIT: "DETAILS",
    Registration.Step.PENDING_EMAIL_VERIFICATION: "VERIFY_EMAIL",
    Status.EMAIL_VERIFIED: "PROFILE",
    Status.PENDING_APPROVAL: "APPROVAL",
    Status.RETURNED: "CORRECTION",
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
            .select_related("user")
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
                "return_step": _return_step(found),
                "waiting_since": applications.waiting_since(found.user) if found.user else None,
            }
        )


def _return_step(found: Registration) -> str | None:
    """Which step came back. What is wrong with it is for the applicant alone, signed in."""
    if found.user is None or found.user.status != Status.RETURNED:
        return None
    return applications.returned_step(found.user)
