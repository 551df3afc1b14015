"""Abstract bases. Each app's models inherit from `BaseModel`."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from common.ids import uuid7


class BaseModel(models.Model):
    """A row with a time-ordered UUID and the instant it was made."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, editable=False)

    class Meta:
        abstract = True
