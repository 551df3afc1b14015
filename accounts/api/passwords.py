"""Forgotten and changed passwords, and another e-mail address, over REST."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status, views
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import PublicView, device_of, session_of
from accounts.serializers import passwords as shapes
from accounts.serializers.people import UserSerializer
from accounts.services import addresses, passwords
from common.serializers import valid


@extend_schema(tags=["auth"])
class ForgotPasswordView(PublicView):
    throttle_rate = "3/5m"
    throttle_group = "forgot-password"
    throttle_subject = "email"
    throttle_flood = "30/5m"

    @extend_schema(
        request=shapes.ForgotPasswordSerializer, responses={200: shapes.ResetAskedSerializer}
    )
    def post(self, request: Request) -> Response:
        """Ask for a mail to choose a new password with: by its code here, or by its link on a page.
        Every address is answered alike."""
        data = valid(shapes.ForgotPasswordSerializer(data=request.data))
        reset = passwords.request_reset(email=data["email"], device=device_of(request))
        return Response({"reset_id": reset.pk})


@extend_schema(tags=["auth"])
class VerifyResetCodeView(PublicView):
    throttle_rate = "5/m"
    throttle_group = "verify-reset-otp"

    @extend_schema(
        request=shapes.VerifyResetCodeSerializer, responses={200: shapes.ResetTokenSerializer}
    )
    def post(self, request: Request) -> Response:
        """Trade the code for a token that opens the choice of a new password."""
        data = valid(shapes.VerifyResetCodeSerializer(data=request.data))
        token = passwords.verify_reset_code(reset_id=data["reset_id"], code=data["otp"])
        return Response({"reset_token": token})


@extend_schema(tags=["auth"])
class ResetPasswordView(PublicView):
    throttle_rate = "3/m"
    throttle_group = "reset-password"

    @extend_schema(request=shapes.ResetPasswordSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Choose a new password. Every device is signed out, and nobody is signed in."""
        data = valid(shapes.ResetPasswordSerializer(data=request.data))
        passwords.reset_password(device=device_of(request), **data)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"])
class ChangePasswordView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]
    throttle_rate = "5/m"
    throttle_group = "change-password"

    @extend_schema(request=shapes.ChangePasswordSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Change the password. Every other device is signed out."""
        data = valid(shapes.ChangePasswordSerializer(data=request.data))
        passwords.change_password(session=session_of(request), **data)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"])
class ChangeEmailView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]
    throttle_rate = "3/5m"
    throttle_group = "change-email"

    @extend_schema(
        request=shapes.ChangeEmailSerializer, responses={200: shapes.EmailChangeAskedSerializer}
    )
    def post(self, request: Request) -> Response:
        """Ask to move to another address; a code is mailed there. Needs a confirmed session."""
        data = valid(shapes.ChangeEmailSerializer(data=request.data))
        change = addresses.request_change(session=session_of(request), new_email=data["new_email"])
        return Response({"change_id": change.pk})


@extend_schema(tags=["auth"])
class VerifyEmailChangeView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]
    throttle_rate = "5/m"
    throttle_group = "verify-email-change"

    @extend_schema(request=shapes.VerifyEmailChangeSerializer, responses={200: UserSerializer})
    def post(self, request: Request) -> Response:
        """The code moves the account. Every other device is signed out."""
        data = valid(shapes.VerifyEmailChangeSerializer(data=request.data))
        user = addresses.verify_change(
            session=session_of(request), change_id=data["change_id"], code=data["otp"]
        )
        return Response(UserSerializer(user).data)
