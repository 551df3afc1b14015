"""A doctor replaces a prescription by another version."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.clock import clinic_date
from common.errors import DomainError
from common.languages import spoken
from common.pages import with_status
from connections.models import Connection
from prescriptions.differences import Change, changes_of_items, changes_of_text
from prescriptions.forms.orders import BaseItemFormSet, IssueForm
from prescriptions.forms.overrides import ASKED, SEEN
from prescriptions.models import Prescription
from prescriptions.policies import (
    HeldByPharmacy,
    NotActive,
    PartlyDispensed,
    can_issue,
    check_can_amend,
)
from prescriptions.safety import Report
from prescriptions.services.amending import NothingChanged, amend_prescription
from prescriptions.services.beginning import copy_of
from prescriptions.services.checking import SafetyWarnings
from prescriptions.services.issuing import Order, last_day_of
from prescriptions.services.reading import open_prescription
from prescriptions.views.writing import OrderPage

# What stands in the way of every change, whatever is typed.
IN_THE_WAY = (NotActive, HeldByPharmacy, PartlyDispensed)


class AmendPage(OrderPage):
    """Begins with what the version says; shows the difference, and what the safety check finds,
    before the next one is issued."""

    template_name = "prescriptions/amend.html"
    replaces: Prescription

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().dispatch(request, *args, **kwargs)
        except IN_THE_WAY as error:
            return self._cannot(error)

    def open(self, **ids: Any) -> None:
        user = self.request.user
        issued = Prescription.objects.visible_to(user).issued_by(user).with_items()
        self.replaces = get_object_or_404(issued, pk=ids["prescription_id"])
        mine = Connection.objects.visible_to(user).with_people()
        self.connection = get_object_or_404(mine, pk=self.replaces.connection_id)
        check_can_amend(user, self.connection, self.replaces, timezone.now())

    def beginning(self) -> tuple[IssueForm, BaseItemFormSet]:
        old = open_prescription(actor=self.request.user, prescription_id=self.replaces.pk)
        form = IssueForm.new(diagnosis=old.diagnosis, notes=old.notes, valid_until=old.valid_until)
        return form, BaseItemFormSet.of(copy_of(old).items)

    def context(self) -> dict[str, Any]:
        return {**super().context(), "old": self.replaces}

    def refused(self, form: IssueForm, rows: BaseItemFormSet, error: DomainError) -> HttpResponse:
        if isinstance(error, IN_THE_WAY):
            raise error
        return super().refused(form, rows, error)

    def send(self, form: IssueForm, rows: BaseItemFormSet, order: Order) -> HttpResponse:
        if "confirm" not in self.request.POST:
            return self._show_difference(rows, order, self.checked(rows))
        try:
            issued = amend_prescription(
                actor=self.request.user, prescription_id=self.replaces.pk, order=order
            )
        except SafetyWarnings as error:
            return with_status(self._show_difference(rows, order, error.report), error)
        messages.success(
            self.request,
            _("Version %(n)s has been issued, and replaces the one before.")
            % {"n": issued.version},
        )
        return redirect("prescription-detail", issued.pk)

    def _show_difference(self, rows: BaseItemFormSet, order: Order, report: Report) -> HttpResponse:
        items = changes_of_items(copy_of(self.replaces).items, order.items, spoken())
        texts = self._changes_of_text(order)
        if not texts and all(item.fate == "KEPT" for item in items):
            raise NothingChanged
        context = {
            "old": self.replaces,
            "connection": self.connection,
            "version": self.replaces.version + 1,
            "items": items,
            "texts": texts,
            "sent": _sent(self.request),
            **self.found(report, rows),
        }
        return render(self.request, "prescriptions/amend_confirm.html", context)

    def _changes_of_text(self, order: Order) -> list[Change]:
        old = self.replaces
        last_day = last_day_of(order, clinic_date())
        return changes_of_text(
            [
                (gettext_lazy("Diagnosis"), old.diagnosis, order.diagnosis),
                (gettext_lazy("Notes for the patient"), old.notes, order.notes),
                (
                    gettext_lazy("Valid until"),
                    date_format(old.valid_until),
                    date_format(last_day),
                ),
            ]
        )

    def _cannot(self, error: DomainError) -> HttpResponse:
        """Says why, and what can be done instead."""
        context = {
            "old": self.replaces,
            "error": error,
            "state": self.replaces.state(clinic_date()),
            "can_stop": not isinstance(error, NotActive),
            "can_issue": can_issue(self.request.user, self.connection),
        }
        page = render(self.request, "prescriptions/amend_refused.html", context)
        return with_status(page, error)


def _sent(request: HttpRequest) -> list[tuple[str, str]]:
    """All that was typed, to be sent again by the page that asks whether it is meant; that page
    asks itself about what the safety check finds."""
    return [
        (name, value)
        for name in request.POST
        if name not in {"csrfmiddlewaretoken", "confirm"} and not name.startswith((ASKED, SEEN))
        for value in request.POST.getlist(name)
    ]
