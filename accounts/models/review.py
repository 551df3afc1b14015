"""Doctors' applications under review, and changes that take two administrators."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.profiles import DoctorProfile
from accounts.models.users import Status, User
from common.models import BaseModel


class CorrectionStep(models.TextChoices):
    """The part of an application that its applicant is asked to correct."""

    NAME = "NAME", _("name")
    PRACTICE = "PRACTICE", _("specialization and licence number")
    LICENCE_DOCUMENT = "LICENCE_DOCUMENT", _("licence document")
    NATIONAL_ID_DOCUMENT = "NATIONAL_ID_DOCUMENT", _("national ID document")


class Check(models.TextChoices):
    """What a reviewer compares before a doctor may practise here."""

    LEGIBLE = "LEGIBLE", _("Both documents are complete and can be read.")
    SAME_PERSON = "SAME_PERSON", _("The licence and the national ID name the same person.")
    NAME = "NAME", _("The name typed is the name on the licence.")
    LICENCE_NUMBER = "LICENCE_NUMBER", _("The licence number typed is the one on the licence.")
    SPECIALIZATION = "SPECIALIZATION", _("The licence allows this specialization.")
    IN_FORCE = "IN_FORCE", _("The licence is in force today.")


class RejectReason(models.TextChoices):
    NOT_A_DOCTOR = "NOT_A_DOCTOR", _("The documents do not show a licensed doctor.")
    FORGED = "FORGED", _("A document appears to be altered or not genuine.")
    LICENCE_ENDED = "LICENCE_ENDED", _("The licence is not in force.")
    SOMEONE_ELSE = "SOMEONE_ELSE", _("The documents are another person's.")
    DUPLICATE = "DUPLICATE", _("This doctor already has an account.")
    OTHER = "OTHER", _("Another reason, given in the note.")


class ApplicationReviewQuerySet(models.QuerySet["ApplicationReview"]):
    def undecided(self) -> ApplicationReviewQuerySet:
        return self.filter(decision="")

    def waiting(self) -> ApplicationReviewQuerySet:
        """What somebody should look at: an applicant's account may be closed meanwhile."""
        return self.undecided().filter(profile__user__status=Status.PENDING_APPROVAL)

    def claimable(self, by: User, at: dt.datetime) -> ApplicationReviewQuerySet:
        """What nobody else holds; whoever holds it may take it again, for longer."""
        is_free = models.Q(claimed_by=None) | models.Q(claimed_by=by)
        has_lapsed = models.Q(claimed_at__lte=at - ApplicationReview.CLAIM_LASTS)
        return self.undecided().filter(is_free | has_lapsed)


class ApplicationReview(BaseModel):
    """One round of looking at a doctor's application, from its submission to a decision.

    Whoever claims it decides; a claim lapses, so nobody's lunch break holds the queue.
    """

    CLAIM_LASTS = dt.timedelta(minutes=30)

    class Decision(models.TextChoices):
        APPROVED = "APPROVED", _("approved")
        RETURNED = "RETURNED", _("returned for correction")
        REJECTED = "REJECTED", _("rejected")

    profile = models.ForeignKey(DoctorProfile, on_delete=models.CASCADE, related_name="reviews")
    claimed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("claimed by")
    )
    claimed_at = models.DateTimeField(null=True)
    checks = models.JSONField(default=list)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True)
    reason_code = models.CharField(_("reason"), max_length=20, choices=RejectReason, blank=True)
    return_step = models.CharField(_("step"), max_length=20, choices=CorrectionStep, blank=True)
    note = models.TextField(_("note"), blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)

    objects = ApplicationReviewQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["profile"], condition=models.Q(decision=""), name="review_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(decision="", decided_by=None, decided_at=None)
                | (
                    ~models.Q(decision="")
                    & models.Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
                name="review_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=~models.Q(decision="RETURNED") | ~models.Q(return_step=""),
                name="review_return_names_step",
            ),
            models.CheckConstraint(
                condition=~models.Q(decision="REJECTED") | ~models.Q(reason_code=""),
                name="review_rejection_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.get_decision_display() or str(_("open"))

    @property
    def claimed_until(self) -> dt.datetime | None:
        return self.claimed_at + self.CLAIM_LASTS if self.claimed_at else None

    def is_claimed(self, at: dt.datetime) -> bool:
        """Whether somebody holds it now."""
        return self.claimed_until is not None and at < self.claimed_until

    def is_held_by(self, user: User, at: dt.datetime) -> bool:
        return self.is_claimed(at) and self.claimed_by_id == user.pk


class AccountChangeQuerySet(models.QuerySet["AccountChange"]):
    def undecided(self) -> AccountChangeQuerySet:
        return self.filter(decision="")


class AccountChange(BaseModel):
    """A change of role, licence or reviewed name: one administrator proposes it, another one
    decides."""

    class Kind(models.TextChoices):
        ROLE = "ROLE", _("role")
        LICENCE = "LICENCE", _("licence")
        NAME = "NAME", _("name")

    class Decision(models.TextChoices):
        APPROVED = "APPROVED", _("approved")
        REFUSED = "REFUSED", _("refused")
        WITHDRAWN = "WITHDRAWN", pgettext_lazy("decision", "withdrawn")

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="account_changes", verbose_name=_("user")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    old_values = models.JSONField()
    new_values = models.JSONField()
    reason = models.TextField(_("reason"))
    proposed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by")
    )
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    note = models.TextField(_("note"), blank=True)

    objects = AccountChangeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("account change")
        verbose_name_plural = _("account changes")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=models.Q(decision=""),
                name="account_change_one_open",
            ),
            # Withdrawing is the proposer's own; deciding is anybody else's.
            models.CheckConstraint(
                condition=models.Q(decision="", decided_by=None, decided_at=None)
                | models.Q(
                    decision="WITHDRAWN",
                    decided_by=models.F("proposed_by"),
                    decided_at__isnull=False,
                )
                | (
                    models.Q(decision__in=["APPROVED", "REFUSED"], decided_at__isnull=False)
                    & ~models.Q(decided_by=models.F("proposed_by"))
                    & models.Q(decided_by__isnull=False)
                ),
                name="account_change_four_eyes",
            ),
            models.CheckConstraint(
                condition=~models.Q(proposed_by=models.F("user")),
                name="account_change_not_own",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.get_decision_display()}".strip()
