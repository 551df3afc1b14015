"""The two probes."""

import pytest
from django.db.migrations.recorder import MigrationRecorder

from medisync.tests.ports import quiet_port


def test_healthz_answers_without_database_or_redis(client, settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{quiet_port()}/0"

    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_readyz_is_ok_when_everything_is_there(client):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "redis": "ok"},
    }


@pytest.mark.django_db
def test_readyz_names_a_redis_that_is_away(client, settings):
    settings.REDIS_URL = f"redis://:a-password@127.0.0.1:{quiet_port()}/0"

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "ok", "migrations": "ok", "redis": "failed"}
    assert b"a-password" not in response.content


@pytest.mark.django_db
def test_readyz_names_a_missing_migration(client):
    MigrationRecorder.Migration.objects.filter(app="accounts").delete()

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "failed"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_accept_reading_only(client, path):
    assert client.post(path).status_code == 405
