"""OpenID Connect providers for tests: a real one, and one that lies on demand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from django.test import Client
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from medisync.tests.ports import quiet_port
from medisync.tests.servers import kill

CLIENT_ID = "medisync.apps.example"
APP_CLIENT_ID = "app.apps.example"
LAYLA = {
    "email": "layla@example.org",
    "email_verified": True,
    "given_name": "Layla",
    "family_name": "Hassan",
}


class LyingProvider:
    """What a provider serves, over HTTP, with every part of it open to a test: `description`,
    `keys`, the `id_token` it trades a code for. `asked` are the paths that were asked for."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.other_key = RSAKey.generate_key(2048, {"kid": "first"})
        self.curve_key = ECKey.generate_key("P-256", {"kid": "curve"})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.be_honest()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def be_honest(self) -> None:
        self.description: Any = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        self.keys: Any = {
            "keys": [key.as_dict(private=False) for key in (self.key, self.curve_key)]
        }
        self.answer: Any = {}
        self.status = 200
        self.delay = 0.0
        self.asked: list[str] = []
        self.traded: dict[str, str] = {}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of a good token; one changed to None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "1001", "iat": now, "exp": now + 3600,
        } | LAYLA | changes  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **changes: Any) -> str:
        return signed(self.claims(**changes), self.key)

    def token_of_another_key(self) -> str:
        return signed(self.claims(), self.other_key)

    def token_on_a_curve(self) -> str:
        return signed(self.claims(), self.curve_key, alg="ES256", kid="curve")

    def token_of_an_unknown_key(self, kid: str) -> str:
        return signed(self.claims(), self.other_key, kid=kid)

    def token_without_signature(self) -> str:
        return f"{self._unsigned('none')}."

    def token_signed_with_the_public_key(self) -> str:
        """HS256, for which a verifier that believes the header takes the public key."""
        unsigned = self._unsigned("HS256")
        signature = hmac.digest(self.key.as_pem(private=False), unsigned.encode(), hashlib.sha256)
        return f"{unsigned}.{encoded(signature)}"

    def _unsigned(self, algorithm: str) -> str:
        header = {"alg": algorithm, "kid": "first", "typ": "JWT"}
        return ".".join(encoded(json.dumps(part).encode()) for part in (header, self.claims()))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = {
                    "/.well-known/openid-configuration": provider.description,
                    "/keys": provider.keys,
                }
                self._answer(known.get(self.path, {}))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.traded = dict(parse_qsl(body))
                self._answer(provider.answer)

            def _answer(self, content: Any) -> None:
                provider.asked.append(self.path)
                time.sleep(provider.delay)
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(provider.status)
                self.send_header("Location", f"{provider.issuer}/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Nothing: the test looks at what was asked."""

        return Handler


def signed(
    claims: dict[str, Any], key: RSAKey | ECKey, *, alg: str = "RS256", kid: str = "first"
) -> str:
    header = {"typ": "JWT", "alg": alg, "kid": kid}
    return jws.serialize_compact(header, json.dumps(claims).encode(), key)


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def id_tokens() -> Iterator[LyingProvider]:
    """One for the whole run; making its keys takes a while."""
    provider = LyingProvider()
    yield provider
    provider.close()


@pytest.fixture
def liar(id_tokens: LyingProvider, settings: Any) -> LyingProvider:
    """Honest until a test says otherwise. Nothing is remembered of it from earlier tests."""
    id_tokens.be_honest()
    configure(settings, id_tokens.issuer)
    return id_tokens


def configure(settings: Any, issuer: str) -> None:
    # Imported here: this module also serves tests that only start a provider.
    from accounts import oidc

    settings.GOOGLE_ISSUER = issuer
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = CLIENT_ID, "a client secret"
    settings.GOOGLE_APP_CLIENT_IDS = [APP_CLIENT_ID]
    oidc._provider_at.cache_clear()


@pytest.fixture(scope="session")
def provider() -> Iterator[str]:
    """A real provider, a program of its own; yields its issuer. Layla has an account there."""
    port = quiet_port()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "oidc_provider_mock", "--port", str(port),
            "--require-nonce", "true", "--user-claims", json.dumps({"sub": "layla"} | LAYLA),
        ],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    issuer = f"http://127.0.0.1:{port}"
    try:
        _wait_for(issuer, process)
        yield issuer
    finally:
        kill(process)


def _wait_for(issuer: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(f"{issuer}/.well-known/openid-configuration", timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("The provider did not start.")


@pytest.fixture
def google(provider: str, settings: Any) -> str:
    """Sign-in with the real provider; yields its issuer."""
    configure(settings, provider)
    return provider


def say_yes(address: str, sub: str = "layla") -> str:
    """Agree at the provider's own page; returns where it sends the browser back to."""
    answer = requests.post(address, data={"sub": sub}, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    return path_of(answer.headers["Location"])


def say_no(address: str) -> str:
    answer = requests.post(address, data={"action": "deny"}, allow_redirects=False, timeout=5)
    return path_of(answer.headers["Location"])


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def leave(browser: Client, start: str = "/login/google") -> str:
    """Press the button; returns the provider's address."""
    answer = browser.get(start)
    assert answer.status_code == 302
    return answer["Location"]


def come_back(browser: Client, sub: str = "layla", start: str = "/login/google") -> Any:
    """Out to the real provider and back."""
    return browser.get(say_yes(leave(browser, start), sub))


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
