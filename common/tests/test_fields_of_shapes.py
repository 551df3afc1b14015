"""What no calendar and no code can hold is refused in words."""

from __future__ import annotations

import pytest
from rest_framework.exceptions import ValidationError

from common.serializers import CodeField, InstantField
from specializations.models import Specialization


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00", "0001-01-01T00:00"])
def test_instant_at_the_edge_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        InstantField().run_validation(text)

    assert refused.value.detail[0].code == "overflow"


@pytest.mark.django_db
def test_code_with_a_nul_is_nobodys() -> None:
    field = CodeField(slug_field="code", queryset=Specialization.objects.all())

    with pytest.raises(ValidationError) as refused:
        field.run_validation("cardiology\x00")

    assert refused.value.detail[0].code == "does_not_exist"
