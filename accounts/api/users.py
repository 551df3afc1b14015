"""Accounts over REST, for administrators signed in with a second factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import session_of
from accounts.models import DeviceSession, User
from accounts.permissions import MayAdminister
from accounts.serializers import users as shapes
from accounts.services import users
from accounts.services.statistics import account_statistics
from common.pagination import NumberedPagination
from common.serializers import valid, valid_query


@extend_schema(tags=["users"])
class UserViewSet(viewsets.GenericViewSet[User]):
    """Every account."""

    queryset = User.objects.none()
    serializer_class = shapes.AccountDetailSerializer
    permission_classes: ClassVar = [MayAdminister]
    pagination_class = NumberedPagination
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[User]:
        return (
            User.objects.visible_to(self.request.user)
            .with_second_factor()
            .select_related("patient_profile", "doctor_profile__specialization")
            .annotate(session_count=_live_sessions())
        )

    @extend_schema(
        parameters=[shapes.UserFilterSerializer],
        responses=shapes.AccountSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """Newest first, unless ordered otherwise."""
        page = self.paginate_queryset(self._found(request))
        return self.get_paginated_response(shapes.AccountSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One account, with what its person told. That a patient's was read is logged."""
        user = self.get_object()
        users.record_profile_view(session=session_of(request), user=user)
        return Response(self.get_serializer(user).data)

    @extend_schema(responses=shapes.AccountStatisticsSerializer)
    @action(detail=False, pagination_class=None)
    def stats(self, request: Request) -> Response:
        """How many there are of each kind, and how people come in."""
        return Response(shapes.AccountStatisticsSerializer(account_statistics()).data)

    @extend_schema(request=shapes.ReasonSerializer)
    @action(detail=True, methods=["put"])
    def activate(self, request: Request, pk: UUID) -> Response:
        """Open a closed account again, in the status it had before."""
        return self._act(request, pk, users.activate_user)

    @extend_schema(request=shapes.ReasonSerializer)
    @action(detail=True, methods=["put"])
    def deactivate(self, request: Request, pk: UUID) -> Response:
        """Close an account; every device of it is signed out at once."""
        return self._act(request, pk, users.deactivate_user)

    @extend_schema(request=shapes.ReasonSerializer)
    @action(detail=True, methods=["put"])
    def suspend(self, request: Request, pk: UUID) -> Response:
        """Close an account that is not to be trusted for now. Verifying a prescription of a
        suspended doctor says so."""
        return self._act(request, pk, users.suspend_user)

    @extend_schema(request=shapes.ReasonSerializer)
    @action(detail=True, methods=["put"], url_path="reset-second-factor")
    def reset_second_factor(self, request: Request, pk: UUID) -> Response:
        """Take the second factor off the account of somebody who lost it."""
        return self._act(request, pk, users.reset_second_factor)

    def _found(self, request: Request) -> QuerySet[User]:
        """The accounts that were asked for."""
        wanted = valid_query(request, shapes.UserFilterSerializer)
        found = User.objects.visible_to(request.user).with_second_factor()
        if "search" in wanted:
            found = found.matching(wanted["search"])
        if "is_active" in wanted:
            found = found.may_sign_in() if wanted["is_active"] else found.closed()
        exact = {name: wanted[name] for name in ("role", "status") if name in wanted}
        return found.filter(**exact).order_by(*_order(wanted["ordering"]))

    def _act(self, request: Request, pk: UUID, service: Callable[..., User]) -> Response:
        data = valid(shapes.ReasonSerializer(data=request.data))
        service(session=session_of(request), user_id=pk, reason=data["reason"])
        return self.retrieve(request, pk=pk)


def _order(ordering: str) -> list[Any]:
    """Ids are given out in the order of registration, and have an index. Who never signed in
    comes last."""
    name, is_falling = ordering.removeprefix("-"), ordering.startswith("-")
    if name == "created_at":
        return ["-pk" if is_falling else "pk"]
    field = F(name)
    order = field.desc(nulls_last=True) if is_falling else field.asc(nulls_last=True)
    return [order, "-pk"]


def _live_sessions() -> Coalesce:
    live = (
        DeviceSession.objects.live(timezone.now())
        .filter(user=OuterRef("pk"))
        .order_by()
        .values("user")
        .annotate(number=Count("pk"))
    )
    return Coalesce(Subquery(live.values("number")), 0)
