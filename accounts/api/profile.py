"""The own account over REST."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.serializers import people as shapes
from accounts.services import profiles
from common.serializers import valid


@extend_schema(tags=["users"])
class OwnProfileView(generics.GenericAPIView[User]):
    permission_classes: ClassVar = [IsAuthenticated]
    serializer_class = shapes.OwnProfileSerializer

    def get(self, request: Request) -> Response:
        """Your own account, with the part that comes with your role."""
        return Response(shapes.OwnProfileSerializer(request.user).data)  # type: ignore[arg-type]

    @extend_schema(operation_id="own_profile_replace", request=shapes.ReplaceProfileSerializer)
    def put(self, request: Request) -> Response:
        """Replace all that you tell about yourself. The part of your role has to be there; what
        is left out of it is emptied."""
        data = valid(shapes.ReplaceProfileSerializer(data=request.data))
        return _changed(request, profiles.filled(actor=request.user, profile=data))

    @extend_schema(operation_id="own_profile_update", request=shapes.ChangeProfileSerializer)
    def patch(self, request: Request) -> Response:
        """Change what is sent, and nothing else."""
        return _changed(request, valid(shapes.ChangeProfileSerializer(data=request.data)))


def _changed(request: Request, data: dict[str, Any]) -> Response:
    patient, doctor = data.pop("patient", None), data.pop("doctor", None)
    user = profiles.update_own_profile(
        actor=request.user, account=data, patient=patient, doctor=doctor
    )
    return Response(shapes.OwnProfileSerializer(user).data)
