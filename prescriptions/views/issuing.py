"""A doctor issues a prescription."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from connections.models import Connection
from prescriptions.forms.orders import BaseItemFormSet, IssueForm
from prescriptions.models import RefillRequest
from prescriptions.policies import check_can_issue
from prescriptions.services.beginning import (
    begin_with_prescription,
    begin_with_request,
    begin_with_template,
    last_issued,
    requests_on,
)
from prescriptions.services.issuing import Order, issue_prescription
from prescriptions.views.writing import OrderPage

NOTHING = Order(items=[])


class IssuePage(OrderPage):
    """Begins empty; or with what the address names: an older prescription (`?repeat=`), a
    patient's request (`?refill=`), a template (`?template=`)."""

    template_name = "prescriptions/issue.html"

    def open(self, **ids: Any) -> None:
        mine = Connection.objects.visible_to(self.request.user).with_people()
        self.connection = get_object_or_404(mine, pk=ids["connection_id"])
        check_can_issue(self.request.user, self.connection)
        self.answered = self._answered()

    def beginning(self) -> tuple[IssueForm, BaseItemFormSet]:
        order = self._order()
        request_id = self.answered.pk if self.answered else None
        form = IssueForm.new(
            diagnosis=order.diagnosis, notes=order.notes, refill_request_id=request_id
        )
        return form, BaseItemFormSet.of(order.items)

    def context(self) -> dict[str, Any]:
        return {
            **super().context(),
            "answered": self.answered,
            "last": last_issued(self.connection),
        }

    def send(self, form: IssueForm, rows: BaseItemFormSet, order: Order) -> HttpResponse:
        issued = issue_prescription(
            actor=self.request.user,
            connection_id=self.connection.pk,
            order=order,
            refill_request_id=form.cleaned_data["refill_request_id"],
        )
        messages.success(self.request, _("The prescription has been issued."))
        return redirect("prescription-detail", issued.pk)

    def _order(self) -> Order:
        actor = self.request.user
        if "repeat" in self.request.GET:
            return begin_with_prescription(
                actor=actor, connection=self.connection, prescription_id=self._id("repeat")
            )
        if "refill" in self.request.GET:
            self.answered, order = begin_with_request(
                actor=actor, connection=self.connection, request_id=self._id("refill")
            )
            return order
        if self.request.GET.get("template"):
            return begin_with_template(actor=actor, template_id=self._id("template"))
        return NOTHING

    def _answered(self) -> RefillRequest | None:
        """The request that what is typed answers, which the form carries from page to page."""
        try:
            request_id = UUID(self.request.POST.get("refill_request_id", ""))
        except ValueError:
            return None
        asked = requests_on(self.connection, self.request.user)
        return asked.filter(pk=request_id).first()

    def _id(self, name: str) -> UUID:
        try:
            return UUID(self.request.GET[name])
        except ValueError as error:
            raise Http404 from error
