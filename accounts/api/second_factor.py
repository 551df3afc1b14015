"""The second factor and the confirmation over REST."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status, views
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import PublicView, device_of, session_of
from accounts.api.google import identity_sent
from accounts.api.sessions import answer
from accounts.authentication import pending_of_token
from accounts.serializers import second_factor as shapes
from accounts.serializers.sessions import LoginAnswerSerializer
from accounts.services import confirmation, second_factor
from common.qr import qr_svg
from common.serializers import valid


def once(data: dict[str, Any], *, code: int = status.HTTP_200_OK) -> Response:
    """An answer with a secret in it: nothing on its way may keep it."""
    return Response(data, status=code, headers={"Cache-Control": "no-store"})


@extend_schema(tags=["second factor"])
class SecondFactorView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]

    @extend_schema(responses={200: shapes.SecondFactorSerializer})
    def get(self, request: Request) -> Response:
        """What you have to show beside your password."""
        session = session_of(request)
        standing = second_factor.standing_of(session.user)
        return Response(
            {
                "totp": standing.totp is not None,
                "passkeys": len(standing.passkeys),
                "recovery_codes_left": standing.codes_left,
                "shown": session.factor,
            }
        )


@extend_schema(tags=["second factor"])
class TotpView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]

    @extend_schema(request=None, responses={201: shapes.TotpSerializer})
    def post(self, request: Request) -> Response:
        """Begin with an authenticator app: a new secret, which a code has to confirm. Asks for a
        confirmed session."""
        totp = second_factor.start_totp(session=session_of(request))
        uri = second_factor.totp_uri(totp)
        data = {"secret": totp.seed, "otpauth_uri": uri, "svg": qr_svg(uri)}
        return once(data, code=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """Remove the authenticator app. Asks for a confirmed session."""
        second_factor.remove_totp(session=session_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["second factor"])
class ConfirmTotpView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]
    throttle_rate = "10/m"
    throttle_group = "totp-confirm"

    @extend_schema(request=shapes.CodeSerializer, responses={200: shapes.RecoveryCodesSerializer})
    def post(self, request: Request) -> Response:
        """The app's first code sets it up. Recovery codes come with an account's first factor."""
        data = valid(shapes.CodeSerializer(data=request.data))
        codes = second_factor.confirm_totp(session=session_of(request), code=data["code"])
        return once({"recovery_codes": codes})


@extend_schema(tags=["second factor"])
class RecoveryCodesView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]

    @extend_schema(request=None, responses={201: shapes.RecoveryCodesSerializer})
    def post(self, request: Request) -> Response:
        """New recovery codes; the old ones stop working. Asks for a confirmed session."""
        codes = second_factor.renew_recovery_codes(session=session_of(request))
        return once({"recovery_codes": codes}, code=status.HTTP_201_CREATED)


@extend_schema(tags=["auth"])
class ShowCodeView(PublicView):
    throttle_rate = "10/m"
    throttle_group = "second-factor"

    @extend_schema(request=shapes.ShowCodeSerializer, responses={200: LoginAnswerSerializer})
    def post(self, request: Request) -> Response:
        """The second step of signing in, by a code of the app or a recovery code."""
        data = valid(shapes.ShowCodeSerializer(data=request.data))
        came_in = second_factor.sign_in_by_code(
            pending=pending_of_token(data["mfa_token"]),
            code=data["code"],
            device=device_of(request, data.get("device_name", "")),
        )
        return answer(came_in)


@extend_schema(tags=["auth"])
class ConfirmView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]
    throttle_rate = "10/m"
    throttle_group = "confirm"

    @extend_schema(request=shapes.ConfirmSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Confirm that it is you; counts for ten minutes in this session. Google may say so of
        whoever has no second factor."""
        data = valid(shapes.ConfirmSerializer(data=request.data))
        session = session_of(request)
        if "code" in data:
            confirmation.confirm_by_code(session=session, code=data["code"])
        elif "password" in data:
            confirmation.confirm_by_password(session=session, password=data["password"])
        else:
            identity = identity_sent(data)
            confirmation.confirm_by_google(session=session, identity=identity)
        return Response(status=status.HTTP_204_NO_CONTENT)
