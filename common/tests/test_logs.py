"""The log keeps no secret."""

from __future__ import annotations

from common.logs import mask_secrets


def test_secret_in_an_address_is_masked() -> None:
    line = {"request": "GET /verify/hPq3_secret-part?v=1", "code": 200}

    assert mask_secrets(None, "info", line) == {"request": "GET /verify/***?v=1", "code": 200}


def test_other_addresses_stay_readable() -> None:
    line = {"request": "GET /prescriptions/0190"}

    assert mask_secrets(None, "info", line) == line
