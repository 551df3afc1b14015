"""A doctor's own templates."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from accounts.policies import check_is_active
from common.errors import DomainError
from prescriptions.models import PrescriptionTemplate
from prescriptions.services.issuing import Item, Order, check_order_is_whole


class NameTaken(DomainError):
    code = "template_name_taken"
    detail = _("You have a template of this name already.")


class TooManyTemplates(DomainError):
    code = "too_many_templates"
    detail = _("You have as many templates as can be kept. Delete one first.")


@transaction.atomic
def save_template(
    *, actor: Any, name: str, order: Order, template_id: UUID | None = None
) -> PrescriptionTemplate:
    """Keep the medicines, diagnosis and notes of an order under a name, as a new template or in
    the place of one; of each name a doctor has one, whatever its letters' case."""
    check_is_active(actor, role=Role.DOCTOR)
    check_order_is_whole(order)
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    mine = PrescriptionTemplate.objects.visible_to(actor)
    others = mine.exclude(pk=template_id)
    # As the constraint compares them: of some letters the small one is another's, too.
    if others.alias(lowered=Lower("name")).filter(lowered=Lower(Value(name))).exists():
        raise NameTaken(attr="name")
    template = _one(mine, template_id) if template_id else _another(actor, others.count())
    template.name, template.diagnosis, template.notes = name, order.diagnosis, order.notes
    template.items = [asdict(item) for item in order.items]
    template.save()
    return template


@transaction.atomic
def delete_template(*, actor: Any, template_id: UUID) -> None:
    """What was issued from it stays."""
    check_is_active(actor, role=Role.DOCTOR)
    _one(PrescriptionTemplate.objects.visible_to(actor), template_id).delete()


def order_of(template: PrescriptionTemplate) -> Order:
    """What a prescription begins with."""
    items = [Item(**item) for item in template.items]
    return Order(items=items, diagnosis=template.diagnosis, notes=template.notes)


def _one(mine: Any, template_id: UUID) -> PrescriptionTemplate:
    found: PrescriptionTemplate | None = mine.filter(pk=template_id).first()
    if found is None:
        raise Http404
    return found


def _another(doctor: Any, count: int) -> PrescriptionTemplate:
    if count >= PrescriptionTemplate.MOST:
        raise TooManyTemplates
    return PrescriptionTemplate(doctor=doctor)
