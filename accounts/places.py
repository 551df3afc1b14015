"""Where an address is, as far as a place database knows.

The database is the operator's (`GEOIP_DATABASE`, a MaxMind DB file with countries or cities, as
MaxMind and DB-IP publish them); none is asked over the network, and without one nothing is said.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import maxminddb
from babel import Locale
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def place_of(address: str) -> str:
    """`Alexandria, Egypt` in the language being spoken; empty when it is not known."""
    if not ip_address(address).is_global:
        return _("local network")
    if not settings.GEOIP_DATABASE:
        return ""
    found: Any = _database(settings.GEOIP_DATABASE).get(address) or {}
    language = (get_language() or "en")[:2]
    names = found.get("city", {}).get("names", {})
    city = names.get(language) or names.get("en", "")
    country = Locale(language).territories.get(found.get("country", {}).get("iso_code"), "")
    return _(", ").join(filter(None, (city, country)))


@lru_cache(maxsize=1)
def _database(path: str) -> maxminddb.Reader:
    return maxminddb.open_database(path)
