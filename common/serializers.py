"""Serializer base: what was not asked for is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from common.pagination import PAGING

TEXT = (serializers.CharField, serializers.DecimalField, serializers.UUIDField)


class InstantField(serializers.DateTimeField):
    """An instant. One so near the ends of time that no zone can be given to it is not one."""

    def enforce_timezone(self, value: Any) -> Any:
        try:
            return super().enforce_timezone(value)
        except OverflowError:
            self.fail("overflow")

    default_error_messages: ClassVar[dict[str, Any]] = {
        "overflow": gettext_lazy("This instant lies beyond what a calendar can tell.")
    }


class CodeField(serializers.SlugRelatedField[Any]):
    """A row named by its code. What no code can hold is no row's."""

    def to_internal_value(self, data: Any) -> Any:
        if "\x00" in str(data):
            self.fail("does_not_exist", slug_name=self.slug_field, value="")
        return super().to_internal_value(data)


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
        written as a number has lost its leading zeros, a fee its last ones."""
        fields = {name: field for name, field in self.fields.items() if not field.read_only}
        unknown = {
            str(name): [ErrorDetail(_("This field is not known."), code="unknown_field")]
            for name in data
            if name not in fields
        }
        numbers = {
            name: [ErrorDetail(str(field.error_messages["invalid"]), code="invalid")]
            for name, field in fields.items()
            if _is_number_instead(field, data.get(name))
        }
        return unknown | numbers


def _is_number_instead(field: serializers.Field[Any, Any, Any, Any], value: Any) -> bool:
    """Whether a number stands where a text, or a yes or no, is due."""
    if isinstance(field, serializers.BooleanField):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(field, TEXT) and isinstance(value, int | float)


def _merged(errors: dict[str, Any], detail: Any) -> dict[str, Any]:
    return errors | detail if isinstance(detail, dict) else errors


def valid(serializer: serializers.Serializer[Any]) -> Any:
    """What a body says, as its shape has it, or a 400 that names what is wrong with it."""
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def valid_query(request: Request, shape: type[serializers.Serializer[Any]]) -> Any:
    """The same of the filters of a list: a misspelt one is a 400, too, and never all there is."""
    query = {name: value for name, value in request.query_params.items() if name not in PAGING}
    return valid(shape(data=query))
