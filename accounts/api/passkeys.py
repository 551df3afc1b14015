"""Passkeys over REST: one's own, and what they open."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status, views, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import PublicView, device_of, session_of
from accounts.api.second_factor import once
from accounts.api.sessions import SIGN_IN_ANSWER, answer
from accounts.authentication import pending_of_token
from accounts.device_names import name_device
from accounts.models import Passkey
from accounts.serializers import second_factor as shapes
from accounts.serializers.sessions import LoginAnswerSerializer
from accounts.services import confirmation, passkeys
from common.serializers import valid


def put(asked: passkeys.Asked) -> Response:
    data = {"challenge_id": asked.challenge_id, "options": asked.options}
    return once(data, code=status.HTTP_201_CREATED)


@extend_schema(tags=["passkeys"])
class PasskeyViewSet(viewsets.GenericViewSet[Passkey]):
    queryset = Passkey.objects.none()
    serializer_class = shapes.PasskeySerializer
    permission_classes: ClassVar = [IsAuthenticated]
    pagination_class = None
    lookup_value_converter = "uuid"

    @extend_schema(responses=shapes.PasskeySerializer(many=True))
    def list(self, request: Request) -> Response:
        """Your passkeys."""
        found = Passkey.objects.visible_to(request.user)
        return Response(self.get_serializer(found, many=True).data)

    @extend_schema(request=None, responses={201: shapes.AskedSerializer})
    def ask(self, request: Request) -> Response:
        """Begin to add a passkey. Asks for a confirmed session."""
        return put(passkeys.ask_to_register(session=session_of(request)))

    @extend_schema(
        request=shapes.AddPasskeySerializer, responses={201: shapes.PasskeyAddedSerializer}
    )
    def create(self, request: Request) -> Response:
        """Add a passkey. Recovery codes come with an account's first factor."""
        data = valid(shapes.AddPasskeySerializer(data=request.data))
        name = data.get("name") or name_device(request.headers.get("User-Agent", ""))
        passkey, codes = passkeys.add_passkey(
            session=session_of(request),
            challenge_id=data["challenge_id"],
            credential=data["credential"],
            name=name,
        )
        shown = shapes.PasskeySerializer(passkey).data
        return once({"passkey": shown, "recovery_codes": codes}, code=status.HTTP_201_CREATED)

    @extend_schema(request=shapes.PasskeyNameSerializer, responses={200: shapes.PasskeySerializer})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Rename a passkey."""
        data = valid(shapes.PasskeyNameSerializer(data=request.data))
        passkey = passkeys.rename_passkey(
            actor=session_of(request).user, passkey_id=pk, name=data["name"]
        )
        return Response(self.get_serializer(passkey).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Remove a passkey. Asks for a confirmed session."""
        passkeys.remove_passkey(session=session_of(request), passkey_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"])
class SignInOptionsView(PublicView):
    throttle_rate = "10/m"
    throttle_group = "passkey-options"

    @extend_schema(request=None, responses={201: shapes.AskedSerializer})
    def post(self, request: Request) -> Response:
        """Begin to sign in with a passkey alone."""
        return put(passkeys.ask_to_sign_in())


@extend_schema(tags=["auth"])
class PasskeySignInView(PublicView):
    throttle_rate = "10/m"
    throttle_group = "passkey-sign-in"

    @extend_schema(request=shapes.PasskeySignInSerializer, responses={200: SIGN_IN_ANSWER})
    def post(self, request: Request) -> Response:
        """Sign in with a passkey, which counts as both factors."""
        data = valid(shapes.PasskeySignInSerializer(data=request.data))
        came_in = passkeys.sign_in_by_passkey(
            challenge_id=data["challenge_id"],
            credential=data["credential"],
            device=device_of(request, data.get("device_name", "")),
        )
        return answer(came_in)


@extend_schema(tags=["auth"])
class SecondFactorOptionsView(PublicView):
    throttle_rate = "10/m"
    throttle_group = "passkey-options"

    @extend_schema(request=shapes.PendingSerializer, responses={201: shapes.AskedSerializer})
    def post(self, request: Request) -> Response:
        """Begin the second step of signing in with a passkey."""
        data = valid(shapes.PendingSerializer(data=request.data))
        pending = pending_of_token(data["mfa_token"])
        return put(passkeys.ask_for_second_factor(pending=pending))


@extend_schema(tags=["auth"])
class ShowPasskeyView(PublicView):
    throttle_rate = "10/m"
    throttle_group = "second-factor"

    @extend_schema(request=shapes.ShowPasskeySerializer, responses={200: LoginAnswerSerializer})
    def post(self, request: Request) -> Response:
        """The second step of signing in, by a passkey."""
        data = valid(shapes.ShowPasskeySerializer(data=request.data))
        came_in = passkeys.show_as_second_factor(
            pending=pending_of_token(data["mfa_token"]),
            challenge_id=data["challenge_id"],
            credential=data["credential"],
            device=device_of(request, data.get("device_name", "")),
        )
        return answer(came_in)


@extend_schema(tags=["auth"])
class ConfirmOptionsView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]

    @extend_schema(request=None, responses={201: shapes.AskedSerializer})
    def post(self, request: Request) -> Response:
        """Begin to confirm that it is you, with a passkey."""
        return put(confirmation.ask_passkey(session=session_of(request)))


@extend_schema(tags=["auth"])
class ConfirmByPasskeyView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]
    throttle_rate = "10/m"
    throttle_group = "confirm"

    @extend_schema(request=shapes.CredentialSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Confirm that it is you with a passkey; counts for ten minutes in this session."""
        data = valid(shapes.CredentialSerializer(data=request.data))
        confirmation.confirm_by_passkey(session=session_of(request), **data)
        return Response(status=status.HTTP_204_NO_CONTENT)
