"""What a doctor sees: chosen, kept, taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from common.pages import FormPage, explained
from connections.forms.sharing import GrantForm
from connections.models import AccessGrant, Connection
from connections.policies import check_can_grant
from connections.services import grants


class GrantEdit(FormPage):
    """What one doctor sees, to be chosen anew; below it, what was chosen before."""

    template_name = "connections/sharing.html"
    form_class = GrantForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check_can_grant(request.user, self.connection)
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def connection(self) -> Connection:
        mine = Connection.objects.visible_to(self.request.user).with_people()
        return get_object_or_404(mine, pk=self.kwargs["connection_id"])

    @cached_property
    def history(self) -> list[AccessGrant]:
        """Newest first."""
        return list(
            AccessGrant.objects.visible_to(self.request.user)
            .select_related("connection")
            .filter(connection=self.connection)[:50]
        )

    def get_initial(self) -> dict[str, Any]:
        """What stands, to be changed. Of what was taken back nothing is ticked."""
        standing = (grant for grant in self.history if grant.ended_at is None)
        return GrantForm.initial_for(next(standing, None))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(connection=self.connection, history=self.history, **kwargs)

    def form_valid(self, form: GrantForm) -> HttpResponse:
        grants.change_grant(
            actor=self.request.user,
            connection_id=self.connection.pk,
            instead_of=form.cleaned_data["instead_of"],
            sharing=form.sharing(),
        )
        messages.success(self.request, _("Saved. It holds from this moment on."))
        return redirect("connection-detail", self.connection.pk)


@require_POST
def grant_renew(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    connection_id = _connection_of(request, grant_id)
    with explained(request):
        grants.renew_grant(actor=request.user, grant_id=grant_id)
        messages.success(request, _("Kept. The doctor sees what they saw before."))
    return redirect("connection-detail", connection_id)


@require_POST
def grant_revoke(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    connection_id = _connection_of(request, grant_id)
    with explained(request):
        grants.revoke_grant(actor=request.user, grant_id=grant_id)
        messages.success(request, _("Taken back. The doctor sees nothing of it any more."))
    return redirect("connection-detail", connection_id)


def _connection_of(request: HttpRequest, grant_id: UUID) -> UUID:
    """Where the button was."""
    seen = AccessGrant.objects.visible_to(request.user)
    return get_object_or_404(seen, pk=grant_id).connection_id
