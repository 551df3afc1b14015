"""The server's own part: a request reaches Django whole, and no client holds a thread."""

import asyncio
import threading

import pytest

from medisync import asgi


class Client:
    """Speaks ASGI to the application: what it sends, and what it got."""

    def __init__(self, *body, method="GET", path="/", headers=()):
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"a=1",
            "http_version": "1.1",
            "scheme": "http",
            "headers": list(headers),
            "client": ("192.0.2.7", 40000),
            "server": ("testserver", 80),
        }
        self.events = [
            {"type": "http.request", "body": part, "more_body": index < len(body) - 1}
            for index, part in enumerate(body or (b"",))
        ]
        self.left = asyncio.Event()
        self.several_sent = asyncio.Event()
        self.sent = []

    async def receive(self):
        if self.events:
            return self.events.pop(0)
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        if len(self.sent) == 5:
            self.several_sent.set()
        await asyncio.sleep(0)

    async def ask(self):
        await asgi.http(self.scope, self.receive, self.send)
        return self

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent[1:])


class Response(list):
    """Blocks of a WSGI response that remembers being closed."""

    closed = 0

    def close(self):
        self.closed += 1


@pytest.fixture
def serve(monkeypatch):
    """Puts a WSGI application in Django's place."""

    def serve(application):
        monkeypatch.setattr(asgi, "wsgi_application", application)

    return serve


@pytest.fixture
def echo(serve):
    """An application that keeps what it was asked, and answers with the body."""
    seen = {}

    def application(environ, start_response):
        seen.update(environ)
        seen["body"] = environ["wsgi.input"].read()
        seen["response"] = Response([seen["body"]])
        start_response("200 OK", [("X-One", "1"), ("Set-Cookie", " a=1"), ("Set-Cookie", " b=2")])
        return seen["response"]

    serve(application)
    return seen


async def test_body_in_parts_arrives_whole_with_its_counted_length(echo):
    client = await Client(b"ab", b"cd", method="POST").ask()

    assert client.body == b"abcd"
    assert echo["CONTENT_LENGTH"] == "4"
    assert echo["response"].closed == 1


async def test_body_larger_than_memory_arrives_whole(echo):
    part = bytes(range(256)) * 1024

    client = await Client(part, part, part, method="POST").ask()

    assert client.body == part * 3


async def test_body_over_the_limit_is_not_read(echo):
    length = str(asgi.MULTIPART_MAX_BYTES + 1).encode()
    client = Client(b"x", method="POST", headers=[(b"content-length", length)])

    await client.ask()

    assert echo["CONTENT_LENGTH"] == length.decode()
    assert echo["body"] == b""
    assert len(client.events) == 1


async def test_body_of_unknown_length_is_read_to_the_limit_only(echo, monkeypatch):
    monkeypatch.setattr(asgi, "MULTIPART_MAX_BYTES", 10)
    client = Client(b"x" * 8, b"x" * 8, b"x" * 8, method="POST")

    await client.ask()

    assert int(echo["CONTENT_LENGTH"]) > 10
    assert len(client.events) == 1


async def test_client_that_leaves_during_its_upload_is_not_served(echo):
    client = Client(b"ab", b"cd", method="POST")
    client.events[1] = {"type": "http.disconnect"}

    await client.ask()

    assert not echo
    assert not client.sent


async def test_repeated_headers_are_kept(echo):
    headers = [(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"accept", b"x"), (b"accept", b"y")]

    client = await Client(headers=headers).ask()

    assert echo["HTTP_COOKIE"] == "a=1; b=2"
    assert echo["HTTP_ACCEPT"] == "x,y"
    assert [value for name, value in client.sent[0]["headers"] if name == b"set-cookie"] == [
        b"a=1",
        b"b=2",
    ]


async def test_header_with_an_underscore_cannot_pass_for_another(echo):
    await Client(headers=[(b"x_forwarded_for", b"10.0.0.1")]).ask()

    assert "HTTP_X_FORWARDED_FOR" not in echo


async def test_path_in_arabic_arrives_as_wsgi_has_it(echo):
    await Client(path="/مريض").ask()

    assert echo["PATH_INFO"].encode("latin-1").decode() == "/مريض"


async def test_head_sends_headers_only_and_ends_the_response(echo):
    client = await Client(b"abc", method="HEAD").ask()

    assert client.sent[0]["status"] == 200
    assert client.body == b""
    assert echo["response"].closed == 1


async def test_long_response_stops_when_the_client_leaves(serve):
    made = 0

    class Endless(Response):
        def __iter__(self):
            nonlocal made
            while True:
                made += 1
                yield b"x" * asgi.BLOCK_BYTES

    response = Endless()

    def application(_environ, start_response):
        start_response("200 OK", [])
        return response

    serve(application)
    client = Client()
    asking = asyncio.ensure_future(client.ask())
    await client.several_sent.wait()
    client.left.set()

    await asyncio.wait_for(asking, 5)

    await asyncio.get_running_loop().run_in_executor(asgi.http.pool, lambda: None)
    assert response.closed == 1
    assert made <= len(client.sent) + 1


async def test_slow_readers_hold_no_thread(serve):
    def application(environ, start_response):
        start_response("200 OK", [])
        long = environ["PATH_INFO"] == "/long"
        return Response([b"x" * asgi.BLOCK_BYTES] * 3 if long else [b"quick"])

    serve(application)
    readers = [Client(path="/long") for _ in range(2 * asgi.THREADS)]
    reading = asyncio.Event()

    async def stuck(_message):
        reading.set()
        await asyncio.Event().wait()

    for reader in readers:
        reader.send = stuck
    tasks = [asyncio.ensure_future(reader.ask()) for reader in readers]
    await reading.wait()

    client = await asyncio.wait_for(Client(path="/quick").ask(), 5)

    assert client.body == b"quick"
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_cancelled_request_is_finished_before_its_body_goes(serve):
    entered, release, read = threading.Event(), threading.Event(), []
    response = Response([b"done"])

    def application(environ, start_response):
        entered.set()
        release.wait(5)
        read.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return response

    serve(application)
    asking = asyncio.ensure_future(Client(b"body", method="POST").ask())
    await asyncio.to_thread(entered.wait, 5)
    asking.cancel()
    asyncio.get_running_loop().call_later(0.05, release.set)

    with pytest.raises(asyncio.CancelledError):
        await asking

    assert read == [b"body"]
    assert response.closed == 1


async def test_requests_run_on_two_threads_at_most(serve):
    names = set()

    def application(_environ, start_response):
        names.add(threading.current_thread().name)
        start_response("200 OK", [])
        return Response([b""])

    serve(application)

    await asyncio.gather(*(Client().ask() for _ in range(20)))

    assert len(names) <= asgi.THREADS
    assert all(name.startswith("http") for name in names)


async def test_error_of_the_application_reaches_the_server(serve):
    def application(_environ, _start_response):
        raise RuntimeError("no answer")

    serve(application)
    client = Client()

    with pytest.raises(RuntimeError, match="no answer"):
        await client.ask()

    assert not client.sent
