"""The directory: who can be found, by what, and in which order.

A row stands for each doctor in good standing and is gone with that standing. The database writes
these rows itself, by the triggers below, whoever changes a name, a status or a practice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db import models

from accounts.models.listing import CATALOGUE_COUNTS
from accounts.models.profiles import Governorate
from accounts.models.users import User
from specializations.models import Specialization

# Marks in front of a word of the document: what it is a word of. No folded word has them.
OF_NAME, OF_CITY, OF_LANGUAGE = "=", "@", "~"


class DirectoryQuery(SearchQuery):
    """A tsquery as it is written, its words folded already."""

    template = "%(expressions)s::tsquery"


class DirectoryEntryQuerySet(models.QuerySet["DirectoryEntry"]):
    def matching(self, query: str) -> DirectoryEntryQuerySet:
        """Those whose document answers a tsquery."""
        return self.filter(document=DirectoryQuery(query, search_type="raw"))

    def practising(
        self, *, specialization: Specialization | None = None, governorate: str = ""
    ) -> DirectoryEntryQuerySet:
        """Of one specialty, in one governorate, where they are given."""
        found = self.filter(specialization=specialization) if specialization else self
        return found.filter(governorate=governorate) if governorate else found

    def asking(
        self, *, at_least: Decimal | None = None, at_most: Decimal | None = None
    ) -> DirectoryEntryQuerySet:
        """Whose fee is known and lies within the bounds, where they are given."""
        found = self if at_least is None else self.filter(fee__gte=at_least)
        return found if at_most is None else found.filter(fee__lte=at_most)


class DirectoryEntry(models.Model):
    """A doctor who can be found.

    `document` holds the folded words of the name, the city and the governorate in both languages,
    each word of the name once more after `=` and of the city after `@`, the languages after `~`,
    and the id of the specialty: what that is called is looked up when somebody asks, so renaming
    one changes no entry.
    """

    doctor = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="directory_entry"
    )
    document = SearchVectorField()
    specialization = models.ForeignKey(
        Specialization, on_delete=models.PROTECT, related_name="listed", db_index=False
    )
    governorate = models.CharField(max_length=6, choices=Governorate, blank=True)
    fee = models.DecimalField(max_digits=8, decimal_places=2, null=True)

    objects = DirectoryEntryQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-doctor"]
        indexes: ClassVar[list[models.Index]] = [
            # What a writer adds is found at once, and no reader works off what writers left.
            GinIndex(fields=["document"], name="directory_document", fastupdate=False),
            models.Index(fields=["specialization", "-doctor"], name="directory_by_specialization"),
            models.Index(fields=["governorate", "-doctor"], name="directory_by_governorate"),
            models.Index(fields=["fee"], name="directory_by_fee"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = CATALOGUE_COUNTS

    def __str__(self) -> str:
        return str(self.doctor_id)


class DirectoryWord(models.Model):
    """A word of the directory, to correct by it what people type. One that no entry has any more
    is gone by the next night, and at once where a doctor is anonymised."""

    word = models.TextField(primary_key=True, db_collation="C")
    skeleton = models.GeneratedField(
        expression=models.Func("word", function="search_skeleton"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            GistIndex(OpClass("word", "gist_trgm_ops"), name="directory_word_alike"),
            models.Index(fields=["skeleton"], name="directory_word_skeleton"),
        ]

    def __str__(self) -> str:
        return self.word
