"""The catalogue of specialties."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from auditlog.registry import auditlog
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel

# What a trigger does to make every copy of the catalogue out of date, at its commit.
NEW_VERSION = """
    INSERT INTO specializations_catalogueversion (id, version) VALUES (1, gen_random_uuid())
    ON CONFLICT (id) DO UPDATE SET version = excluded.version;
    RETURN NULL;
"""


class SpecializationQuerySet(models.QuerySet["Specialization"]):
    def offered(self) -> SpecializationQuerySet:
        """Those a doctor may still choose; a retired one stays on the doctors who have it."""
        return self.filter(is_retired=False)


class Specialization(BaseModel):
    """A specialty doctors practise and patients search by."""

    NAME_LENGTH = 120
    CODE_LENGTH = 60
    ALIAS_LENGTH = 80
    MOST_ALIASES = 40
    DESCRIPTION_LENGTH = 300

    code = models.SlugField(_("code"), max_length=CODE_LENGTH, unique=True)
    name_en = models.CharField(_("English name"), max_length=NAME_LENGTH)
    name_ar = models.CharField(_("Arabic name"), max_length=NAME_LENGTH)
    aliases = ArrayField(
        models.CharField(max_length=ALIAS_LENGTH),
        verbose_name=_("aliases"),
        default=list,
        blank=True,
    )
    description_en = models.CharField(
        _("English description"), max_length=DESCRIPTION_LENGTH, blank=True
    )
    description_ar = models.CharField(
        _("Arabic description"), max_length=DESCRIPTION_LENGTH, blank=True
    )
    is_retired = models.BooleanField(_("retired"), default=False)
    # Every word of its names and aliases, as a search reads them.
    words = models.GeneratedField(
        expression=models.Func(
            "name_en",
            "name_ar",
            "aliases",
            template="search_words((ARRAY[name_en, name_ar]::text[] || aliases::text[]))",
        ),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    objects = SpecializationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name_en"]
        verbose_name = _("specialization")
        verbose_name_plural = _("specializations")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("name_en"), name="specialization_name_en_unique"),
            models.UniqueConstraint(Lower("name_ar"), name="specialization_name_ar_unique"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Trigger(
                name="changes_catalogue",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=NEW_VERSION,
            )
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


class CatalogueVersion(models.Model):
    """Which state of the catalogue stands; one row, which triggers alone write.

    Whatever the public catalogue shows changes it, in the same transaction: a specialty, or who
    practises it. A copy is kept under the version that was read before the rows were, so a copy of
    rows that have changed since lies under a version that nobody asks for again. It is random
    and not a count: one that was rolled back never comes again with other rows.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.UUIDField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(pk=1), name="catalogue_version_is_one_row")
        ]

    def __str__(self) -> str:
        return str(self.version)


auditlog.register(Specialization, exclude_fields=["words"])
