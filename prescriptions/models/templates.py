"""What a doctor prescribes often."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel


class PrescriptionTemplateQuerySet(models.QuerySet["PrescriptionTemplate"]):
    def visible_to(self, user: Any) -> PrescriptionTemplateQuerySet:
        """A doctor's own."""
        return self.filter(doctor_id=user.pk) if user.is_authenticated else self.none()


class PrescriptionTemplate(BaseModel):
    """Medicines and notes under a name, to begin a prescription with. Of no patient. `items`
    are those of a prescription, as its form takes them."""

    MOST = 100

    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="prescription_templates"
    )
    name = models.CharField(_("name"), max_length=80)
    diagnosis = models.CharField(_("diagnosis"), max_length=500, blank=True)
    notes = models.TextField(_("notes"), max_length=2000, blank=True)
    items = models.JSONField()

    objects = PrescriptionTemplateQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[Any]] = [Lower("name"), "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("doctor", Lower("name"), name="template_name_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="template_has_name"),
        ]

    def __str__(self) -> str:
        return self.name
