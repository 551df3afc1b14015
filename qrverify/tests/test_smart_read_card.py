"""Reading a health card: what is ours is believed, and all else is refused politely."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
import random
import zlib
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws

from qrverify.smart.cards import (
    MOST_BYTES,
    MOST_CHARACTERS,
    REGISTRY,
    CardRefused,
    card_file,
    read_card,
    sign_card,
)
from qrverify.smart.chunks import LONGEST_PART, LONGEST_WHOLE, chunks_of, jws_of
from qrverify.smart.keys import signing_key
from qrverify.tests.keys import new_card_key, public_half

NOISE = random.Random(5)


def bundle(noise: int = 0) -> dict[str, Any]:
    text = "".join(NOISE.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(noise))
    patient = {"resourceType": "Patient", "name": [{"family": f"Adel{text}", "given": ["منى"]}]}
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "resource:0", "resource": patient}],
    }


def card(*, noise: int = 0, lasts: dt.timedelta = dt.timedelta(days=30)) -> str:
    now = timezone.now()
    return sign_card(bundle(noise), rid="Zm9vYmFyYmF6", issued_at=now, expires_at=now + lasts)


def refusal(given: str | list[str]) -> str:
    with pytest.raises(CardRefused) as refused:
        read_card(given)
    assert str(refused.value.detail)
    return refused.value.code


def raw(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def deflated(content: bytes) -> bytes:
    compressor = zlib.compressobj(level=9, wbits=-15)
    return compressor.compress(content) + compressor.flush()


def signed(claims: Any, **header: Any) -> str:
    """Any content under our own signature, as a stolen key would make it."""
    kid, key = signing_key()
    content = claims if isinstance(claims, bytes) else deflated(json.dumps(claims).encode())
    head = {"alg": "ES256", "zip": "DEF", "kid": kid} | header
    return jws.serialize_compact(head, content, key, registry=REGISTRY)


def claims_of(compact: str) -> dict[str, Any]:
    body = compact.split(".")[1]
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(f"{body}==="), wbits=-15))


# --- What is ours -----------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0, 1200, 6000])
def test_a_card_is_read_from_its_qr_codes_in_any_order(noise):
    compact = card(noise=noise)
    chunks = chunks_of(compact)

    found = read_card(list(reversed(chunks)))

    assert found.rid == "Zm9vYmFyYmF6"
    assert found.bundle["entry"][0]["resource"]["name"][0]["given"] == ["منى"]
    assert len(chunks) == max(1, -(-len(compact) // LONGEST_PART)) or len(compact) <= LONGEST_WHOLE


def test_a_card_is_read_from_lines_of_text_a_file_and_the_bare_signature():
    compact = card(noise=3000)

    found = [
        read_card("\n".join(chunks_of(compact))),
        read_card(card_file(compact).decode()),
        read_card(f"  {compact}\n"),
    ]

    assert {one.rid for one in found} == {"Zm9vYmFyYmF6"}


def test_parts_are_balanced_and_one_symbol_is_used_where_it_fits():
    whole, parts = chunks_of("a" * LONGEST_WHOLE), chunks_of("a" * (LONGEST_WHOLE + 1))

    assert [len(whole), len(parts)] == [1, 2]
    assert abs(len(parts[0]) - len(parts[1])) <= 2


@given(st.text("ABCxyz019-_.", min_size=1, max_size=5000), st.randoms())
def test_whatever_is_cut_is_put_together_again(text, order):
    chunks = chunks_of(text)
    order.shuffle(chunks)

    assert jws_of(chunks) == text


def test_a_card_of_an_older_key_is_still_read(settings):
    old = settings.HEALTH_CARD_SIGNING_KEYS[0]
    compact = card()

    settings.HEALTH_CARD_SIGNING_KEYS = [new_card_key(), public_half(old)]

    assert read_card(compact).rid == "Zm9vYmFyYmF6"


def test_a_card_of_a_key_that_was_taken_away_is_refused(settings):
    compact = card()

    settings.HEALTH_CARD_SIGNING_KEYS = [new_card_key()]

    assert refusal(compact) == "unknown_key"


# --- What was changed -------------------------------------------------------------------------


def test_every_changed_character_is_noticed():
    """In the header, the content and the signature alike."""
    compact = card()

    believed = []
    for at, character in enumerate(compact):
        other = "A" if character != "A" else "B"
        try:
            read_card(compact[:at] + other + compact[at + 1 :])
        except CardRefused:
            continue
        believed.append(at)

    assert believed == []


def test_another_content_under_the_signature_is_altered():
    compact = card()
    head, _body, signature = compact.split(".")
    claims = claims_of(compact)
    claims["vc"]["credentialSubject"]["fhirBundle"] = bundle(10)

    forged = f"{head}.{raw(deflated(json.dumps(claims).encode()))}.{signature}"

    assert refusal(forged) == "altered"


def test_the_signature_of_a_strange_key_under_our_name_is_altered(settings):
    kid, _key = signing_key()
    settings.HEALTH_CARD_SIGNING_KEYS = [new_card_key(), *settings.HEALTH_CARD_SIGNING_KEYS]
    forged = card()
    body = claims_of(forged)

    assert refusal(signed(body, kid=kid)) == "altered"


def test_it_expires_with_the_prescription():
    compact = card(lasts=dt.timedelta(days=30))

    with time_machine.travel(timezone.now() + dt.timedelta(days=30, seconds=2), tick=False):
        assert refusal(compact) == "expired"


def test_what_is_dated_ahead_is_not_valid_yet():
    compact = card()

    with time_machine.travel(timezone.now() - dt.timedelta(days=1), tick=False):
        assert refusal(compact) == "not_yet_valid"


# --- Who issued it ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issuer", "host"),
    [
        ("https://health.example/issuer", "health.example"),
        ("https://HEALTH.example", "health.example"),
        ("https://user:word@health.example:444", "health.example"),
        ("https://m\u0435disync.example", "m\u0435disync.example".encode("idna").decode()),
        ("https://[::1]/x", "::1"),
        ("javascript:alert(1)", "–"),
        ("https://<script>", "–"),
        ("https://a..b", "–"),
        ("https://[x", "–"),
        ("https://" + "a" * 300, "–"),
        ("x\u202ecba", "–"),
        ("", "–"),
    ],
)
def test_another_issuer_is_named_by_a_host_that_is_safe_to_show(issuer, host):
    claims = claims_of(card()) | {"iss": issuer}

    with pytest.raises(CardRefused) as refused:
        read_card(signed(claims))

    assert refused.value.code == "other_issuer"
    assert refused.value.host == host
    assert host in str(refused.value.detail)


@pytest.mark.parametrize("issuer", [None, 7, [], {"a": 1}])
def test_an_issuer_that_is_no_text_is_malformed(issuer):
    assert refusal(signed(claims_of(card()) | {"iss": issuer})) == "malformed"


# --- How it is signed -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"zip": "GZIP"},
        {"zip": None},
        {"crit": ["exp"]},
    ],
    ids=str,
)
def test_another_way_of_signing_is_refused(header):
    compact = card()
    _head, body, signature = compact.split(".")
    kid, _key = signing_key()
    head = {"alg": "ES256", "zip": "DEF", "kid": kid} | header

    forged = f"{raw(json.dumps(head).encode())}.{body}.{signature}"

    assert refusal(forged) == "wrong_algorithm"


def test_our_public_key_is_no_shared_secret():
    kid, key = signing_key()
    head = raw(json.dumps({"alg": "HS256", "zip": "DEF", "kid": kid}).encode())
    message = f"{head}.{card().split('.')[1]}"

    mac = hmac.digest(key.as_pem(private=False), message.encode(), "sha256")

    assert refusal(f"{message}.{raw(mac)}") == "wrong_algorithm"


@pytest.mark.parametrize("kid", [None, 7, "", "../../etc/passwd", "x" * 5000])
def test_a_key_that_we_do_not_have_is_unknown(kid):
    _head, body, signature = card().split(".")
    head = raw(json.dumps({"alg": "ES256", "zip": "DEF", "kid": kid}).encode())

    assert refusal(f"{head}.{body}.{signature}") == "unknown_key"


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(length):
    head, body, _signature = card().split(".")

    assert refusal(f"{head}.{body}.{raw(bytes(length))}") in {"altered", "not_a_card"}


# --- How it is written ------------------------------------------------------------------------


def test_padding_and_spare_bits_are_refused():
    compact = card()
    head, body, signature = compact.split(".")
    # The last character of 64 bytes carries two spare bits.
    spare = chr(ord(signature[-1]) + 1)

    assert refusal(f"{head}.{body}.{signature}==") == "not_a_card"
    assert refusal(f"{head}.{body}.{signature[:-1]}{spare}") in {"malformed", "not_a_card"}


def test_what_inflates_without_end_is_refused_early():
    bomb = deflated(b" " * 50_000_000)
    assert len(raw(bomb)) < MOST_CHARACTERS

    assert refusal(signed(bomb)) == "too_large"


def test_the_limit_is_on_what_is_inflated():
    claims = claims_of(card()) | {"padding": " " * MOST_BYTES}

    assert refusal(signed(claims)) == "too_large"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"not deflated",
        deflated(b"{}") + b"more",
        deflated(b"{}" * 50)[:-3],
        deflated(b"[]"),
        deflated(b'"text"'),
        deflated(b"{"),
        deflated(b'{"a": NaN}'),
        deflated(b"\xff\xfe"),
        deflated(b'{"a":' * 5000 + b"1" + b"}" * 5000),
        deflated(b"[" * 60_000),
        zlib.compress(b"{}"),
    ],
    ids=range(13),
)
def test_a_content_that_is_no_json_object_is_malformed(content):
    assert refusal(signed(content)) in {"malformed", "not_a_card"}


@pytest.mark.parametrize(
    "change",
    [
        {"nbf": "now"},
        {"nbf": None},
        {"nbf": True},
        {"nbf": -(10**30)},
        {"nbf": 10**18},
        {"exp": "never"},
        {"exp": 10**18},
        {"vc": None},
        {"vc": {}},
        {"vc": {"rid": 7}},
        {"vc": {"rid": "x", "type": [], "credentialSubject": {"fhirBundle": {"entry": []}}}},
        {"vc": {"rid": "x", "type": 5, "credentialSubject": {"fhirBundle": {"entry": []}}}},
        {
            "vc": {
                "rid": 7,
                "type": ["https://smarthealth.cards#health-card"],
                "credentialSubject": {"fhirBundle": {"entry": []}},
            }
        },
        {
            "vc": {
                "rid": "x",
                "type": ["https://smarthealth.cards#health-card"],
                "credentialSubject": {"fhirBundle": {"entry": 5}},
            }
        },
    ],
    ids=str,
)
def test_claims_of_another_shape_are_malformed_even_if_signed(change):
    assert refusal(signed(claims_of(card()) | change)) == "malformed"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "not_a_card"),
        ([], "not_a_card"),
        ("hello", "not_a_card"),
        ("https://medisync.example/verify/x", "not_a_card"),
        ("<script>alert(1)</script>", "not_a_card"),
        ("a.b", "not_a_card"),
        ("a.b.c.d", "not_a_card"),
        ("..", "not_a_card"),
        ("x" * (MOST_CHARACTERS + 1), "too_large"),
        (["x" * MOST_CHARACTERS, "y"], "too_large"),
        ("shc:/", "malformed"),
        ("shc:/1", "malformed"),
        ("shc:/9999", "malformed"),
        ("shc:/12ab", "malformed"),
        ("shc:/１２", "malformed"),
        ("shc:/0/1/1234", "malformed"),
        ("shc:/1/0/1234", "malformed"),
        ("shc:/5/3/1234", "incomplete"),
        ("shc:/1/3/1234", "incomplete"),
        (["shc:/1/2/1234", "shc:/2/3/1234"], "incomplete"),
        (["shc:/1/2/1234", "shc:/1/2/1235", "shc:/2/2/12"], "incomplete"),
        (["shc:/1/2/1234"] * 30, "too_large"),
        ("shc:/1/2/1234 hello", "not_a_card"),
        ("{}", "not_a_card"),
        ("{", "malformed"),
        ("{" * 5000, "malformed"),
        ('{"verifiableCredential": []}', "not_a_card"),
        ('{"verifiableCredential": [5]}', "not_a_card"),
        ('{"verifiableCredential": "x"}', "not_a_card"),
        ('{"verifiableCredential": ["hello"]}', "not_a_card"),
        ("\ud800", "not_a_card"),
        ('{"\ud800": 1}', "not_a_card"),
        ("shlink:/eyJ1cmwiOiJodHRwczovL3gifQ", "not_a_card"),
    ],
    ids=lambda value: str(value)[:20].encode("unicode_escape").decode(),
)
def test_what_is_no_card_is_refused(given, code):
    assert refusal(given) == code


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text):
    for shape in (text, f"shc:/{text}", f"{text}.{text}.{text}", [text, text]):
        with pytest.raises(CardRefused):
            read_card(shape)
