"""Signing in, staying in, signing out over REST."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import status, views, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import PublicView, device_of, session_of
from accounts.models import DeviceSession, SignInMethod
from accounts.serializers import people as people_shapes
from accounts.serializers import sessions as shapes
from accounts.services import sessions, sign_in
from accounts.tokens import onboarding_token, second_factor_token, token_pair
from common.serializers import valid

SIGN_IN_ANSWER = PolymorphicProxySerializer(
    component_name="SignInAnswer",
    serializers=[
        shapes.LoginAnswerSerializer,
        shapes.SecondFactorNeededSerializer,
        shapes.OnboardingAnswerSerializer,
    ],
    resource_type_field_name=None,
)


def answer(came_in: sign_in.SignIn) -> Response:
    """Tokens, or the token for what is still missing."""
    user = came_in.user
    if came_in.session is not None:
        pair = token_pair(came_in.session, now=timezone.now())
        return Response(pair | {"user": people_shapes.UserSerializer(user).data})
    if came_in.pending is not None:
        return Response({"mfa_required": True, "mfa_token": second_factor_token(came_in.pending)})
    return Response(
        {
            "onboarding_required": True,
            "onboarding_token": onboarding_token(user),
            "user_id": user.pk,
        }
    )


@extend_schema(tags=["auth"])
class LoginView(PublicView):
    throttle_rate = "5/m"
    throttle_group = "login"
    throttle_subject = "email"
    throttle_flood = "60/m"

    @extend_schema(request=shapes.LoginSerializer, responses={200: SIGN_IN_ANSWER})
    def post(self, request: Request) -> Response:
        """Sign in. Whoever has a second factor gets the token to show it with; whoever has no
        profile yet, the one for step 4. An app that keeps the cookie `device` is known again: its
        owner is told of no new device, and is not locked out by what strangers guess."""
        data = valid(shapes.LoginSerializer(data=request.data))
        device = device_of(request, data.get("device_name", ""))
        user = sign_in.authenticate(email=data["email"], password=data["password"], device=device)
        return answer(sign_in.begin(user=user, method=SignInMethod.PASSWORD, device=device))


@extend_schema(tags=["auth"])
class RefreshView(PublicView):
    throttle_rate = "10/m"
    throttle_group = "refresh"

    @extend_schema(request=shapes.RefreshSerializer, responses={200: shapes.TokenPairSerializer})
    def post(self, request: Request) -> Response:
        """The next pair; the refresh token sent is spent."""
        data = valid(shapes.RefreshSerializer(data=request.data))
        _session, pair = sessions.refresh_session(refresh_token=data["refresh_token"])
        return Response(pair)


@extend_schema(tags=["auth"])
class LogoutView(views.APIView):
    permission_classes: ClassVar = [IsAuthenticated]

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End this session: its tokens and its open sockets."""
        sessions.sign_out(session=session_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"])
class DeviceSessionViewSet(viewsets.GenericViewSet[DeviceSession]):
    queryset = DeviceSession.objects.none()
    serializer_class = shapes.DeviceSessionSerializer
    permission_classes: ClassVar = [IsAuthenticated]
    pagination_class = None

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

    @extend_schema(request=None, responses={204: None}, operation_id="auth_sessions_destroy_others")
    def destroy_others(self, request: Request) -> Response:
        """Sign out everywhere but here."""
        sessions.revoke_other_sessions(session=session_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
