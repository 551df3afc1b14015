"""A doctor's templates on pages."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.policies import check_is_active
from common.errors import DomainError
from common.pages import add_refusal, explained, with_status
from prescriptions.forms.orders import ROWS, BaseItemFormSet, ItemFormSet
from prescriptions.forms.templates import TemplateForm
from prescriptions.models import PrescriptionTemplate
from prescriptions.services.issuing import Order
from prescriptions.services.templates import delete_template, order_of, save_template


@require_safe
def template_list(request: HttpRequest) -> HttpResponse:
    check_is_active(request.user, role=Role.DOCTOR)
    mine = PrescriptionTemplate.objects.visible_to(request.user)
    return render(request, "prescriptions/template_list.html", {"templates": mine})


@require_http_methods(["GET", "HEAD", "POST"])
def template_edit(request: HttpRequest, template_id: UUID | None = None) -> HttpResponse:
    """A new one, or one that is put in the place of an old."""
    check_is_active(request.user, role=Role.DOCTOR)
    mine = PrescriptionTemplate.objects.visible_to(request.user)
    template = get_object_or_404(mine, pk=template_id) if template_id else None
    if request.method != "POST":
        return _page(request, template, *_beginning(template))
    form, rows = TemplateForm(request.POST), ItemFormSet(request.POST, prefix=ROWS)
    if {"add", "remove"} & set(request.POST):
        without = request.POST.get("remove", "")
        changed = rows.unjudged(without=without, added=int("add" in request.POST))
        return _page(request, template, form.unjudged(), changed)
    if not all([form.is_valid(), rows.is_valid()]):
        return _page(request, template, form, rows, status=400)
    try:
        _save(request, template_id, form, rows)
    except DomainError as error:
        if not rows.add_refusal(error):
            add_refusal(form, error)
        return with_status(_page(request, template, form, rows), error)
    messages.success(request, _("The template has been saved."))
    return redirect("prescription-templates")


@require_POST
def template_delete(request: HttpRequest, template_id: UUID) -> HttpResponse:
    with explained(request):
        delete_template(actor=request.user, template_id=template_id)
        messages.success(request, _("The template has been deleted."))
    return redirect("prescription-templates")


def _beginning(template: PrescriptionTemplate | None) -> tuple[TemplateForm, BaseItemFormSet]:
    if template is None:
        return TemplateForm(), BaseItemFormSet.of([])
    said = {name: getattr(template, name) for name in TemplateForm.base_fields}
    return TemplateForm(initial=said), BaseItemFormSet.of(order_of(template).items)


def _save(
    request: HttpRequest, template_id: UUID | None, form: TemplateForm, rows: BaseItemFormSet
) -> None:
    said = form.cleaned_data
    order = Order(items=rows.items(), diagnosis=said["diagnosis"], notes=said["notes"])
    save_template(actor=request.user, name=said["name"], order=order, template_id=template_id)


def _page(
    request: HttpRequest,
    template: PrescriptionTemplate | None,
    form: TemplateForm,
    rows: BaseItemFormSet,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {"template": template, "form": form, "rows": rows}
    return render(request, "prescriptions/template_edit.html", context, status=status)
