"""The keys that sign health cards."""

from __future__ import annotations

import base64
import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from qrverify.smart.keys import card_keys, parse_keys, published_key, signing_key
from qrverify.tests.keys import key_on_another_curve, new_card_key, public_half


def test_the_first_key_signs_and_all_are_known_by_their_thumbprints(settings):
    new, old = new_card_key(), new_card_key()
    settings.HEALTH_CARD_SIGNING_KEYS = [new, public_half(old)]

    kid, key = signing_key()

    assert [kid, *list(card_keys())[1:]] == [*parse_keys([new]), *parse_keys([old])]
    assert key.is_private
    assert len(base64.urlsafe_b64decode(f"{kid}=")) == 32


def test_what_is_published_holds_nothing_private(settings):
    settings.HEALTH_CARD_SIGNING_KEYS = [new_card_key()]
    kid, _key = signing_key()

    published = published_key(kid, crl_version=3)

    assert set(published) == {"kty", "kid", "use", "alg", "crv", "x", "y", "crlVersion"}
    assert published["kid"] == kid
    assert published["crlVersion"] == 3


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param(list, id="none"),
        pytest.param(lambda: [""], id="empty"),
        pytest.param(lambda: ["not base64!"], id="not base64"),
        pytest.param(lambda: [base64.b64encode(b"not a key").decode()], id="not a key"),
        pytest.param(lambda: [key_on_another_curve()], id="another curve"),
        pytest.param(lambda: [public_half(new_card_key())], id="cannot sign"),
        pytest.param(lambda: [new_card_key(), "short"], id="the second is wrong"),
    ],
)
def test_a_wrong_list_of_keys_is_refused(entries):
    with pytest.raises(ImproperlyConfigured, match="HEALTH_CARD_SIGNING_KEYS"):
        parse_keys(entries())


def test_without_keys_nothing_starts_and_the_setting_is_named():
    environment = {
        name: value for name, value in os.environ.items() if name != "HEALTH_CARD_SIGNING_KEYS"
    }

    started = subprocess.run(
        [sys.executable, "-c", "import medisync.settings"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode != 0
    assert "HEALTH_CARD_SIGNING_KEYS" in started.stderr
