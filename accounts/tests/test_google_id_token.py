"""POST auth/google: what an id_token has to be, and that it lets in once."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts import oidc
from accounts.jobs import delete_lapsed_sign_ins
from accounts.models import DeviceSession, ExternalIdentity, SpentIdToken, User
from accounts.services import google as service
from accounts.services.sessions import Device
from accounts.tests.factories import PatientFactory
from accounts.tests.provider import APP_CLIENT_ID, CLIENT_ID, LyingProvider, encoded
from medisync.tests.client import api_client
from medisync.tests.races import errors, race

pytestmark = pytest.mark.django_db
URL = "/api/v1/auth/google"


@pytest.fixture
def layla(db: None, liar: LyingProvider) -> User:
    """A patient whose Google account is linked."""
    user = PatientFactory(email="layla@example.org")
    ExternalIdentity.objects.create(user=user, issuer=liar.issuer, subject="1001")
    return user


def send(id_token: str, **fields: Any) -> Any:
    return api_client().post(URL, {"id_token": id_token} | fields)


def test_good_token_signs_in(layla: User, liar: LyingProvider) -> None:
    answer = send(liar.token(), device_name="Layla's phone")

    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == str(layla.pk)
    session = DeviceSession.objects.get()
    assert (session.user, session.method, session.device_name) == (layla, "GOOGLE", "Layla's phone")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": APP_CLIENT_ID},
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
        {"azp": APP_CLIENT_ID},
        {"email_verified": True, "email": "moved@example.org"},
    ],
    ids=str,
)
def test_other_good_tokens_sign_in_too(
    layla: User, liar: LyingProvider, changes: dict[str, Any]
) -> None:
    assert send(liar.token(**changes)).status_code == 200


def test_token_of_nine_minutes_ago_signs_in(layla: User, liar: LyingProvider) -> None:
    assert send(liar.token(iat=int(time.time()) - 9 * 60)).status_code == 200


def test_elliptic_curve_is_as_good(layla: User, liar: LyingProvider) -> None:
    assert send(liar.token_on_a_curve()).status_code == 200


@pytest.mark.parametrize(
    "forge",
    [
        LyingProvider.token_of_another_key,
        LyingProvider.token_without_signature,
        LyingProvider.token_signed_with_the_public_key,
        lambda liar: liar.token_of_an_unknown_key("unknown"),
        lambda liar: liar.token()[:-8],
        lambda liar: liar.token().rpartition(".")[0] + ".",
        lambda liar: ".".join([*liar.token(sub="1").split(".")[:2], liar.token().split(".")[2]]),
        lambda liar: "x",
        lambda liar: "a.b.c",
        lambda liar: "é.é.é",
        lambda liar: "." * 9000,
    ],
)
def test_forged_token_is_refused(layla: User, liar: LyingProvider, forge: Any) -> None:
    answer = send(forge(liar))

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "invalid_id_token"
    assert not DeviceSession.objects.exists()


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 7000,
        b"{}",
        b"[]",
        b'{"alg": ["RS256"], "kid": {}}',
        b'{"alg": "RS256", "kid": ["first"]}',
        b'{"alg": "RS256", "kid": "curve"}',
        b'{"alg": "ES256", "kid": "first"}',
        b'{"alg": "RS256", "crit": ["x"], "x": 1}',
    ],
)
def test_strange_header_is_refused(layla: User, liar: LyingProvider, header: bytes) -> None:
    _header, claims, signature = liar.token().split(".")

    assert send(f"{encoded(header)}.{claims}.{signature}").status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": []},
        {"aud": None},
        {"aud": CLIENT_ID + "x"},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://another.example"},
        {"iss": None},
        {"iss": ["https://another.example"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 1001},
        {"sub": "1" * 256},
        {"sub": "1\x00"},
        {"sub": "\ud800"},
        {"email": "\ud800@example.org"},
        {"email": "a@b\n.example"},
        {"email": "a" * 250 + "@b.example"},
        {"name": [[[]]], "email": ["layla@example.org"]},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": float("inf")},
        {"exp": 1},
        {"iat": None},
        {"iat": 1},
        {"iat": 1e300},
        {"iat": -(10**30), "exp": 10**30},
        {"email": None},
        {"email": 7},
        {"nonce": "of a browser"},
    ],
    ids=str,
)
def test_token_with_a_wrong_claim_is_refused(
    layla: User, liar: LyingProvider, changes: dict[str, Any]
) -> None:
    answer = send(liar.token(**changes))

    assert answer.status_code == 401
    assert not DeviceSession.objects.exists()


@pytest.mark.parametrize(
    "age", [dt.timedelta(minutes=11), dt.timedelta(days=1), -dt.timedelta(minutes=2)]
)
def test_token_that_is_not_fresh_is_refused(
    layla: User, liar: LyingProvider, age: dt.timedelta
) -> None:
    token = liar.token(iat=int(time.time() - age.total_seconds()), exp=int(time.time() + 10**6))

    assert send(token).status_code == 401


def test_expired_token_is_refused(layla: User, liar: LyingProvider) -> None:
    assert send(liar.token(exp=int(time.time()) - 31)).status_code == 401
    assert send(liar.token(exp=int(time.time()) - 5)).status_code == 200


@pytest.mark.parametrize("is_verified", [False, None, "true", 1, "yes"])
def test_address_that_is_not_verified_is_refused(
    layla: User, liar: LyingProvider, is_verified: object
) -> None:
    answer = send(liar.token(email_verified=is_verified))

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "google_address_not_verified"


@pytest.mark.parametrize("email", ["x", "a b@example.org", "@", '"a"@example.org'])
def test_address_that_is_none_is_refused(liar: LyingProvider, email: str) -> None:
    assert send(liar.token(email=email), role="PATIENT").status_code == 400
    assert not User.objects.exists()


def test_nonce_has_to_be_the_one_asked_with(layla: User, liar: LyingProvider) -> None:
    token = liar.token(nonce="mine")

    assert send(token).status_code == 401
    assert send(token, nonce="another").status_code == 401
    assert send(liar.token(), nonce="mine").status_code == 401
    assert send(token, nonce="mine").status_code == 200


def test_token_lets_in_once(layla: User, liar: LyingProvider) -> None:
    token = liar.token()
    assert send(token).status_code == 200

    again = send(token)

    assert again.status_code == 401
    assert DeviceSession.objects.count() == 1


def test_token_written_in_another_way_is_the_same_token(layla: User, liar: LyingProvider) -> None:
    """The last character of a signature holds bits that nobody reads."""
    token = liar.token()
    assert send(token).status_code == 200
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [token[:-1] + alphabet[alphabet.index(token[-1]) ^ bits] for bits in (1, 2, 3)]

    assert [send(other).status_code for other in [*others, f"{token}=="]] == [401] * 4


def test_only_a_digest_of_the_token_is_kept(layla: User, liar: LyingProvider) -> None:
    token = liar.token()
    send(token)

    (row,) = SpentIdToken.objects.values()

    assert len(row["digest"]) == 64
    assert not any(str(value) in token for value in row.values())


def test_digest_is_forgotten_once_the_token_is_too_old(layla: User, liar: LyingProvider) -> None:
    send(liar.token())

    delete_lapsed_sign_ins()
    assert SpentIdToken.objects.exists()
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=11)):
        delete_lapsed_sign_ins()

    assert not SpentIdToken.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_token_sent_twice_at_once_lets_in_once(layla: User, liar: LyingProvider) -> None:
    identity = oidc.identity_from_app(liar.token(), nonce="")

    def attempt() -> Any:
        return service.come_in(identity=identity, device=Device(ip_address="127.0.0.1"))

    racers = race(attempt, attempt, gate=SpentIdToken)

    assert sorted(errors(racers)) == ["", "InvalidIdToken"]
    assert DeviceSession.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_looking_before_spending_would_let_in_twice(
    layla: User, liar: LyingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the unique digest is for."""
    identity = oidc.identity_from_app(liar.token(), nonce="")

    def naive_spend(spent: oidc.Identity) -> None:
        if SpentIdToken.objects.filter(digest=spent.digest).exists():
            raise oidc.InvalidIdToken
        SpentIdToken.objects.create(digest=timezone.now().isoformat(), expires_at=spent.expires_at)

    monkeypatch.setattr(service, "spend", naive_spend)

    def attempt() -> Any:
        return service.come_in(identity=identity, device=Device(ip_address="127.0.0.1"))

    racers = race(attempt, attempt, gate=SpentIdToken)

    assert errors(racers) == ["", ""]
    assert DeviceSession.objects.count() == 2


def test_keys_are_fetched_once(layla: User, liar: LyingProvider) -> None:
    for _ in range(3):
        send(liar.token())

    assert liar.asked.count("/keys") == 1


def test_new_key_of_the_provider_is_found(layla: User, liar: LyingProvider) -> None:
    assert send(liar.token()).status_code == 200
    public = liar.other_key.as_dict(private=False) | {"kid": "second"}
    liar.keys = {"keys": [*liar.keys["keys"], public]}

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=2)):
        answer = send(liar.token_of_an_unknown_key("second"))

    assert answer.status_code == 200
    assert liar.asked.count("/keys") == 2


def test_made_up_keys_are_not_asked_for_again_and_again(layla: User, liar: LyingProvider) -> None:
    with time_machine.travel(timezone.now() - dt.timedelta(minutes=2)):
        send(liar.token())

    answers = [send(liar.token_of_an_unknown_key(f"made-up-{n}")).status_code for n in range(8)]

    assert answers == [401] * 8
    assert liar.asked.count("/keys") == 2


def test_bad_signature_asks_for_no_new_keys(layla: User, liar: LyingProvider) -> None:
    with time_machine.travel(timezone.now() - dt.timedelta(minutes=2)):
        send(liar.token())

    send(liar.token_of_another_key())

    assert liar.asked.count("/keys") == 1


def test_key_taken_back_is_forgotten_within_an_hour(layla: User, liar: LyingProvider) -> None:
    send(liar.token())
    liar.keys = {"keys": [liar.curve_key.as_dict(private=False)]}

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=61)):
        answer = send(liar.token())

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "keys",
    [b"<html>", [], {"keys": 7}, {"keys": ["x"]}, {"keys": [{}]}, {"keys": [{"kty": "RSA"}]}],
    ids=str,
)
def test_keys_that_are_none_are_a_problem_and_no_crash(
    layla: User, liar: LyingProvider, keys: object
) -> None:
    liar.keys = keys
    client = api_client()
    client.raise_request_exception = False  # it is reported, as every failure of a server is

    answer = client.post(URL, {"id_token": liar.token()})

    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["code"] == "google_unavailable"


def test_key_of_a_kind_unknown_does_no_harm(layla: User, liar: LyingProvider) -> None:
    strange = {"kty": "AKP", "kid": "later", "alg": "ML-DSA-44", "pub": "x"}
    secret = {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}
    liar.keys = {"keys": [strange, secret, *liar.keys["keys"]]}

    assert send(liar.token()).status_code == 200


def test_without_configuration_there_is_nothing() -> None:
    for answer in (
        api_client().get(URL),
        api_client().post(URL, {"id_token": "x"}),
        api_client().get(f"{URL}/callback"),
    ):
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
