"""Serializer base: what was not asked for is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

TEXT = (serializers.CharField, serializers.UUIDField)


class StrictSerializer(serializers.Serializer[Any]):
    """Input whose unknown fields are a 400, so that a misspelt field is never ignored. Text is
    text."""

    def to_internal_value(self, data: Any) -> Any:
        errors = self._strangers(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError(_merged(errors, error.detail)) from error
        if errors:
            raise ValidationError(errors)
        return value

    def _strangers(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Unknown fields, and numbers where text is due: a code or phone number that was
        written as a number has lost its leading zeros."""
        fields = {name: field for name, field in self.fields.items() if not field.read_only}
        unknown = {
            str(name): [ErrorDetail(_("This field is not known."), code="unknown_field")]
            for name in data
            if name not in fields
        }
        numbers = {
            name: [ErrorDetail(str(field.error_messages["invalid"]), code="invalid")]
            for name, field in fields.items()
            if isinstance(field, TEXT) and isinstance(data.get(name), int | float)
        }
        return unknown | numbers


def _merged(errors: dict[str, Any], detail: Any) -> dict[str, Any]:
    return errors | detail if isinstance(detail, dict) else errors
