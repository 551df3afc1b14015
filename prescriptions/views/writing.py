"""What the pages on which a doctor writes a prescription share."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from common.clock import clinic_date
from common.errors import DomainError
from common.languages import spoken
from common.pages import add_refusal, with_status
from common.throttling import check_rate
from connections.models import Connection
from prescriptions import safety
from prescriptions.findings import CONCERNS, SEVERITIES
from prescriptions.forms.orders import ROWS, BaseItemFormSet, IssueForm, ItemFormSet
from prescriptions.forms.overrides import (
    ASKED,
    SEEN,
    OverrideForm,
    given_overrides,
    kept_answers,
    override_form,
)
from prescriptions.models import Prescription, PrescriptionTemplate, RefillRequest
from prescriptions.rates import CHECK_GROUP, CHECK_RATE
from prescriptions.safety import Kind, Report, SafetyWarning
from prescriptions.services.checking import SafetyWarnings
from prescriptions.services.issuing import LONGEST_VALIDITY, Order, preview_safety
from prescriptions.services.reading import see_facts
from prescriptions.services.templates import save_template

TONES = {
    safety.Severity.CONTRAINDICATED: ("danger", "octagon-x"),
    safety.Severity.SERIOUS: ("warning", "triangle-alert"),
    safety.Severity.CAUTION: ("info", "info"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A warning on a page, with the form that asks why it is not followed."""

    warning: SafetyWarning
    sentence: str
    severity: str | Promise
    concern: str | Promise
    tone: str
    icon: str
    form: OverrideForm


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that was not checked. Of one in this order, the row in which it stands, and what
    may have been meant."""

    sentence: str
    name: str
    row: int | None
    suggestion: str


@method_decorator(never_cache, name="dispatch")
class OrderPage(View):
    """A doctor types medicines, what goes with all of them, and what they say to the warnings
    of the safety check. Every button sends everything, and its name says what is to be done;
    the page comes back with all that was typed until it is sent in the end.

    Subclasses say whom it is for (`open`), what it begins with (`beginning`), and what is done
    with it (`send`).
    """

    http_method_names: ClassVar[list[str]] = ["get", "post", "head", "options"]
    template_name = ""
    connection: Connection
    # The version that this one is to replace, and the request that it answers: neither what is
    # replaced nor what is asked for again conflicts with anything.
    replaces: Prescription | None = None
    answered: RefillRequest | None = None

    def open(self, **ids: Any) -> None:
        raise NotImplementedError

    def beginning(self) -> tuple[IssueForm, BaseItemFormSet]:
        raise NotImplementedError

    def send(self, form: IssueForm, rows: BaseItemFormSet, order: Order) -> HttpResponse:
        raise NotImplementedError

    def get(self, request: HttpRequest, **ids: Any) -> HttpResponse:
        self.open(**ids)
        return self.page(*self.beginning())

    def post(self, request: HttpRequest, **ids: Any) -> HttpResponse:
        self.open(**ids)
        data = _corrected(request.POST)
        form, rows = IssueForm(data), ItemFormSet(data, prefix=ROWS)
        if {"add", "remove", "edit"} & set(data):
            changed = rows.unjudged(without=data.get("remove", ""), added=int("add" in data))
            return self.page(form.unjudged(), changed)
        # Both are asked, so that every error shows at once.
        if not all([form.is_valid(), rows.is_valid()]):
            return self.page(form, rows, status=400)
        try:
            return self._act(form, rows)
        except DomainError as error:
            return self.refused(form, rows, error)

    def refused(self, form: IssueForm, rows: BaseItemFormSet, error: DomainError) -> HttpResponse:
        """The page with the service's sentence, and with its status."""
        report = None
        if isinstance(error, SafetyWarnings):
            report = error.report
        elif not rows.add_refusal(error):
            add_refusal(form, error)
        if report is None and error.attr == "override_warnings":
            report = self._checked_if_possible(rows)
        return with_status(self.page(form, rows, report=report), error)

    def page(
        self,
        form: IssueForm,
        rows: BaseItemFormSet,
        *,
        report: Report | None = None,
        status: int = 200,
    ) -> HttpResponse:
        context = {
            "connection": self.connection,
            "form": form,
            "rows": rows,
            "report": report,
            **self.context(),
        }
        if report is None:
            context["kept_answers"] = kept_answers(self.request.POST)
        else:
            context |= self.found(report, rows)
        return render(self.request, self.template_name, context, status=status)

    def context(self) -> dict[str, Any]:
        """What the page shows besides; more in the subclasses."""
        facts = see_facts(doctor=self.request.user, patient_id=self.connection.patient_id)
        return {
            "facts": facts,
            "age": full_years(facts.birth_date, clinic_date()) if facts else None,
            "templates": PrescriptionTemplate.objects.visible_to(self.request.user),
            "today": clinic_date(),
            "usual_days": Prescription.VALID_DAYS,
            "most_days": LONGEST_VALIDITY.days,
        }

    def _act(self, form: IssueForm, rows: BaseItemFormSet) -> HttpResponse:
        order = form.order(rows.items(), given_overrides(self.request.POST))
        if "template" in self.request.POST:
            return self._save_template(form, rows, order)
        # What is sent is checked, too, and the answer says what was found.
        check_rate(self.request, group=CHECK_GROUP, rate=CHECK_RATE)
        if self._asks_first(order):
            return self.page(form, rows, report=self.checked(rows))
        return self.send(form, rows, order)

    def _asks_first(self, order: Order) -> bool:
        """Whether a check is asked for, or a name is not known that the doctor was not told of:
        it may be misspelt."""
        unknown = {
            item.medicine for item in order.items if not safety.match(item.medicine).is_medicine
        }
        seen = set(self.request.POST.getlist(SEEN))
        return bool({"check", "instead"} & set(self.request.POST) or unknown - seen)

    def _checked_if_possible(self, rows: BaseItemFormSet) -> Report | None:
        """On a page that was refused already: what was typed comes back without it, too."""
        try:
            return self.checked(rows)
        except DomainError:
            return None

    def checked(self, rows: BaseItemFormSet) -> Report:
        return preview_safety(
            actor=self.request.user,
            connection_id=self.connection.pk,
            items=rows.items(),
            replaces_id=self.replaces.pk if self.replaces else None,
            refill_request_id=self.answered.pk if self.answered else None,
        )

    def _save_template(self, form: IssueForm, rows: BaseItemFormSet, order: Order) -> HttpResponse:
        name = form.cleaned_data["save_as"]
        if not name:
            form.add_error("save_as", _("Give it a name."))
            return self.page(form, rows, status=400)
        try:
            save_template(actor=self.request.user, name=name, order=order)
        except DomainError as error:
            if error.attr not in {None, "name"}:
                return self.refused(form, rows, error)
            form.add_error("save_as", str(error.detail))
            return with_status(self.page(form, rows), error)
        messages.success(self.request, _("The template has been saved."))
        return self.page(form.unjudged(), rows.unjudged())

    def found(self, report: Report, rows: BaseItemFormSet) -> dict[str, Any]:
        """What the check says, for the part of a page that shows it."""
        return {
            "report": report,
            "findings": self._findings(report),
            "unknown": _unknown(report, rows),
        }

    def _findings(self, report: Report) -> list[Finding]:
        """Each warning with what was answered to it so far: by this page, or by the version that
        it replaces."""
        return [
            Finding(
                warning,
                safety.sentence(warning, spoken()),
                SEVERITIES[warning.severity],
                CONCERNS[warning.kind],
                *TONES[warning.severity],
                self._answer(warning),
            )
            for warning in report.warnings
        ]

    def _answer(self, warning: SafetyWarning) -> OverrideForm:
        if warning.key in self.request.POST.getlist(ASKED):
            return override_form(warning.key, self.request.POST)
        kept = safety.from_json(self.replaces.safety).warnings if self.replaces else ()
        answered = {each.key: each for each in kept}
        return override_form(warning.key, answered=answered.get(warning.key))


def full_years(born: dt.date, on: dt.date) -> int:
    """How old somebody is on that day."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _unknown(report: Report, rows: BaseItemFormSet) -> list[Unknown]:
    return [
        Unknown(
            safety.sentence(replace(name, suggestion=""), spoken()),
            name.name if name.kind is Kind.ORDERED else "",
            rows.number_of(name.position) if name.position else None,
            name.suggestion if name.position else "",
        )
        for name in report.unchecked
    ]


def _corrected(data: QueryDict) -> QueryDict:
    """What was sent, with the name in one row replaced where that was asked for."""
    number, _colon, name = data.get("instead", "").partition(":")
    field = f"{ROWS}-{number}-medicine"
    if not name or field not in data:
        return data
    data = data.copy()
    data[field] = name
    return data
