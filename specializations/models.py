"""The catalogue of specialties."""

from __future__ import annotations

from typing import ClassVar

from auditlog.registry import auditlog
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel


class SpecializationQuerySet(models.QuerySet["Specialization"]):
    def offered(self) -> SpecializationQuerySet:
        """Those a doctor may still choose; a retired one stays on the doctors who have it."""
        return self.filter(is_retired=False)


class Specialization(BaseModel):
    """A specialty doctors practise and patients search by."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name_en = models.CharField(_("English name"), max_length=120)
    name_ar = models.CharField(_("Arabic name"), max_length=120)
    aliases = ArrayField(
        models.CharField(max_length=80), verbose_name=_("aliases"), default=list, blank=True
    )
    description_en = models.CharField(_("English description"), max_length=300, blank=True)
    description_ar = models.CharField(_("Arabic description"), max_length=300, blank=True)
    is_retired = models.BooleanField(_("retired"), default=False)

    objects = SpecializationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name_en"]
        verbose_name = _("specialization")
        verbose_name_plural = _("specializations")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("name_en"), name="specialization_name_en_unique"),
            models.UniqueConstraint(Lower("name_ar"), name="specialization_name_ar_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Its name in the language being spoken."""
        return self.name_ar if get_language() == "ar" else self.name_en

    @property
    def description(self) -> str:
        return self.description_ar if get_language() == "ar" else self.description_en


auditlog.register(Specialization)
