"""Unsafe combinations of settings are found before they are served."""

import pytest
from django.core import checks

SAFE = {
    "DEBUG": False,
    "SITE_URL": "https://medisync.example",
    "ALLOWED_HOSTS": ["medisync.example"],
    "CORS_ALLOWED_ORIGINS": [],
    "CSRF_TRUSTED_ORIGINS": [],
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "TRUSTED_PROXY_COUNT": 1,
    "DEV_INBOX_DIR": "",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST_PASSWORD": "",
}


def found(settings, *, deploy, **changes):
    for name, value in (SAFE | changes).items():
        setattr(settings, name, value)
    messages = checks.run_checks(include_deployment_checks=deploy)
    return {message.id for message in messages if message.id.startswith("medisync.")}


def test_safe_deployment_is_silent(settings):
    assert found(settings, deploy=True) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DEBUG": True}, "medisync.E001"),
        ({"FIELD_ENCRYPTION_KEYS": ["k1:short"]}, "medisync.E002"),
        ({"DEV_INBOX_DIR": "/somewhere"}, "medisync.E003"),
        ({"HEALTH_CARD_SIGNING_KEYS": ["short"]}, "medisync.E013"),
        ({"GEOIP_DATABASE": "/nowhere/places.mmdb"}, "medisync.E012"),
        ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "medisync.E004"),
        ({"FIELD_ENCRYPTION_KEYS": [f"dev1:{'A' * 43}="]}, "medisync.E005"),
    ],
)
def test_never_right_is_found_always(settings, changes, expected):
    assert found(settings, deploy=False, **changes) == {expected}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SITE_URL": "http://medisync.example"}, "medisync.E006"),
        ({"ALLOWED_HOSTS": ["other.example"]}, "medisync.E007"),
        ({"CSRF_COOKIE_SECURE": False}, "medisync.E008"),
        ({"CORS_ALLOWED_ORIGINS": ["http://app.example"]}, "medisync.E009"),
        ({"ALLOWED_HOSTS": ["*"]}, "medisync.E010"),
        ({"GOOGLE_CLIENT_ID": "x", "GOOGLE_ISSUER": "http://google.example"}, "medisync.E011"),
        ({"EMAIL_HOST_PASSWORD": "secret"}, "medisync.W001"),
        ({"TRUSTED_PROXY_COUNT": 0}, "medisync.W002"),
    ],
)
def test_unsafe_deployment_is_found_in_deployment(settings, changes, expected):
    assert found(settings, deploy=True, **changes) == {expected}
    assert found(settings, deploy=False, **changes) == set()


def test_subdomain_of_an_allowed_domain_is_allowed(settings):
    changes = {"ALLOWED_HOSTS": [".example"], "SITE_URL": "https://medisync.example"}

    assert found(settings, deploy=True, **changes) == set()
