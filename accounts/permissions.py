"""What the API asks of every caller before a view is reached."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from accounts.policies import AccountNotActive, check_may_administer


class IsActiveAccount(IsAuthenticated):
    """Signed in, and in good standing. Views open to applicants say `IsAuthenticated`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if not request.user.is_in_good_standing:  # type: ignore[union-attr]
            raise AccountNotActive
        return True


class MayAdminister(IsAuthenticated):
    """Administrators in good standing, signed in with a second factor."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        check_may_administer(request.auth)  # type: ignore[arg-type]
        return True
