"""Where an address is, by a database made for the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from accounts import places
from accounts.models import DeviceSession, User
from accounts.places import place_of
from medisync.tests.client import api_client

ALEXANDRIA = {
    "city": {"names": {"en": "Alexandria", "ar": "الإسكندرية"}},
    "country": {"iso_code": "EG", "names": {"en": "Egypt"}},
}


@pytest.fixture(autouse=True)
def database(tmp_path: Path, settings: Any) -> Iterator[None]:
    writer = MMDBWriter(6, "Test-City", languages=["en", "ar"], ipv4_compatible=True)
    writer.insert_network(IPSet(["41.32.0.0/16"]), ALEXANDRIA)
    writer.insert_network(IPSet(["41.33.0.0/16"]), {"country": {"iso_code": "EG"}})
    writer.insert_network(
        IPSet(["2001:4200::/32"]),
        {"city": {"names": {"en": "Giza"}}, "country": {"iso_code": "EG"}},
    )
    writer.insert_network(IPSet(["41.34.0.0/16"]), {"country": {"iso_code": "T1"}})
    writer.to_db_file(str(tmp_path / "places.mmdb"))
    settings.GEOIP_DATABASE = str(tmp_path / "places.mmdb")
    places._database.cache_clear()

    yield

    places._database.cache_clear()


def test_city_and_country_are_named() -> None:
    assert place_of("41.32.7.7") == "Alexandria, Egypt"


def test_both_are_named_in_arabic() -> None:
    with translation.override("ar"):
        place = place_of("41.32.7.7")

    assert "الإسكندرية" in place
    assert "مصر" in place


def test_country_alone_is_named_without_a_comma() -> None:
    assert place_of("41.33.0.1") == "Egypt"


def test_city_without_an_arabic_name_keeps_the_one_it_has() -> None:
    with translation.override("ar"):
        place = place_of("2001:4200::1")

    assert place.startswith("Giza")
    assert place.endswith("مصر")


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450::1", "41.34.0.1"])
def test_unknown_place_is_not_named(address: str) -> None:
    assert place_of(address) == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fd00::1"])
def test_private_address_is_the_local_network(address: str) -> None:
    assert place_of(address) == "local network"


def test_without_a_database_nothing_is_said(settings: Any) -> None:
    settings.GEOIP_DATABASE = ""

    assert place_of("41.32.7.7") == ""


@pytest.mark.django_db
def test_place_is_in_the_list_of_devices(patient: User) -> None:
    client = api_client(patient)
    DeviceSession.objects.update(ip_address="41.32.7.7")

    (row,) = client.get("/api/v1/auth/sessions").json()

    assert row["place"] == "Alexandria, Egypt"
