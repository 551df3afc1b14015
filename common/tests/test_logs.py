"""The log keeps no secret."""

from __future__ import annotations

import pytest

from common.logs import mask_secrets


@pytest.mark.parametrize(
    "path",
    [
        "/e/SECRET",
        "/shl/SECRET",
        "/shl/file/SECRET",
        "/scan/SECRET",
        "/files/SECRET",
        "/password/link/SECRET",
    ],
)
def test_no_address_that_opens_something_is_kept(path: str) -> None:
    line = {"request": f"POST {path}", "event": f"Not Found: {path}"}

    assert "SECRET" not in str(mask_secrets(None, "info", line))


def test_secret_in_an_address_is_masked() -> None:
    line = {"request": "GET /verify/hPq3_secret-part?v=1", "code": 200}

    assert mask_secrets(None, "info", line) == {"request": "GET /verify/***?v=1", "code": 200}


def test_other_addresses_stay_readable() -> None:
    line = {"request": "GET /prescriptions/0190"}

    assert mask_secrets(None, "info", line) == line
