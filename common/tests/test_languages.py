"""Each test begins in the language of the installation."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils import translation

from accounts.models import User
from medisync.tests.client import page_client


@pytest.mark.django_db
@pytest.mark.parametrize("time", ["first", "second"])
def test_language_of_one_test_is_not_that_of_the_next(patient: User, time: str) -> None:
    began_in = translation.get_language()
    User.objects.filter(pk=patient.pk).update(language="ar")

    page_client(patient).get("/")

    assert (began_in, translation.get_language()) == (settings.LANGUAGE_CODE, "ar")
