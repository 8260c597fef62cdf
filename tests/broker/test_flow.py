"""The drivers of flows: steps, errors of steps, and answers that do not arrive in full."""

import asyncio
import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from openbooking.broker import flow as flows
from openbooking.broker.api.retries import Retries, repeat
from openbooking.broker.flow import (
    Answer,
    Flow,
    NoAnswerError,
    Pause,
    Request,
    call_hook,
    pause,
    run,
    run_async,
    send,
    work,
)
from openbooking.openactive.errors import Retry
from support.certificates import write_certificate

Drive = Callable[[Flow[Any]], Any]


def drive_blocking(flow: Flow[Any]) -> Any:
    with httpx2.Client() as client:
        return run(flow, client, sleep=lambda _: None)


def drive_async(flow: Flow[Any]) -> Any:
    async def drive() -> Any:
        async with httpx2.AsyncClient() as client:
            with ThreadPoolExecutor(1) as worker:
                return await run_async(flow, client, worker, sleep=lambda _: asyncio.sleep(0))

    return asyncio.run(drive())


@pytest.fixture(params=[drive_blocking, drive_async])
def drive(request: pytest.FixtureRequest) -> Drive:
    """A driver of flows."""
    driver: Drive = request.param
    return driver


@contextmanager
def answering(*chunks: bytes, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve these bytes as the answer to each request, then close the connection; without chunks say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    if tls:
                        with suppress(ssl.SSLError):
                            tls.wrap_socket(connection, server_side=True).close()
                        continue
                    connection.recv(65_536)
                    for chunk in chunks:
                        connection.sendall(chunk)
                    if not chunks:
                        ended.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_steps_are_carried_out_in_order(drive: Drive) -> None:
    done: list[str] = []

    def steps() -> Flow[str]:
        yield from pause(3600)
        thread = yield from work(lambda: threading.current_thread().name)
        done.append(thread)
        done.append((yield from call_hook(lambda: "hook")))
        with answering(b"HTTP/1.1 201 Created\r\nX-Some: Thing\r\nContent-Length: 2\r\n\r\nhi") as url:
            answer = yield from send(Request("PUT", url, {}, b"body"))
        assert (answer.status, answer.headers["x-some"], answer.content) == (201, "Thing", b"hi")
        return "result"

    assert drive(steps()) == "result"
    assert done[1] == "hook"


def test_errors_of_steps_are_raised_in_the_flow(drive: Drive) -> None:
    def fails() -> None:
        raise KeyError("lost")

    def steps() -> Flow[list[str]]:
        caught = []
        for flow in (work(fails), call_hook(fails)):
            try:
                yield from flow
            except KeyError as fault:
                caught.append(str(fault))
        yield from work(fails)
        return caught

    with pytest.raises(KeyError):
        drive(steps())


def test_only_the_asynchronous_driver_calls_coroutine_functions() -> None:
    async def hook() -> str:
        await asyncio.sleep(0)
        return "awaited"

    assert drive_async(call_hook(hook)) == "awaited"
    with pytest.raises(TypeError, match="asynchronous client"):
        drive_blocking(call_hook(hook))


@pytest.mark.parametrize(
    "chunks",
    [
        (),
        (b"",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",),
        (b"no HTTP at all\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000,),
    ],
    ids=["silence", "closed", "cut", "cut chunk", "broken gzip", "no HTTP", "too large"],
)
def test_an_answer_that_does_not_arrive_whole_is_no_answer(
    drive: Drive, chunks: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "MOST_REPLY_BYTES", 1000)
    with answering(*chunks) as url, pytest.raises(NoAnswerError):
        drive(send(Request("GET", url, {}, seconds=0.3)))


@contextmanager
def dripping(*answers: tuple[bytes, bytes]) -> Iterator[str]:
    """Serve one connection: of each answer the first bytes at once, and the second ones again and again for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    for at_once, again in answers:
                        connection.recv(65_536)
                        connection.sendall(at_once)
                        while again and not ended.wait(0.01):
                            connection.sendall(again)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            ended.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answers",
    [
        [(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x")],
        [(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n")],
        [(CHUNKED + b"1;", b"x")],
        [(CHUNKED, b"1\r\nx\r\n")],
        [(CHUNKED + b"0\r\nX-Long: ", b"x")],
        [(b"HTTP/1.1 200 OK\r\n\r\n", b"x")],
        [(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b""), (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x")],
    ],
    ids=["head", "interim", "chunk", "chunks", "trailer", "body", "second request"],
)
def test_an_answer_that_comes_by_drops_is_no_answer(drive: Drive, answers: list[tuple[bytes, bytes]]) -> None:
    def flow(url: str) -> Flow[None]:
        for _ in answers[1:]:
            yield from send(Request("GET", url, {}))
        yield from send(Request("GET", url, {}, seconds=0.3))

    with dripping(*answers) as url, pytest.raises(NoAnswerError, match=r"took longer than 0\.3 seconds"):
        drive(flow(f"http://{url}"))


def test_a_handshake_that_comes_by_drops_is_no_answer() -> None:
    # The head of a record of TLS that is 16 kB long. The asynchronous driver is not tested, because anyio leaves the
    # socket of a cancelled handshake open for a moment, which pytest reports.
    with dripping((b"\x16\x03\x03\x40\x00\x02", b"x")) as url, pytest.raises(NoAnswerError):
        drive_blocking(send(Request("GET", f"https://{url}", {}, seconds=0.3)))


def test_no_connection_is_no_answer(drive: Drive) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", "http://nowhere.invalid/", "nowhere"):
        with pytest.raises(NoAnswerError):
            drive(send(Request("GET", url, {}, seconds=5)))


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://a\x1bb/", "http://127.0.0.1:1/\udc80", "nowhere", "ftp://example.com/"]
)
def test_a_request_that_cannot_be_sent_is_not_tried_again(drive: Drive, url: str) -> None:
    with pytest.raises(NoAnswerError) as caught:
        drive(repeat(lambda: send(Request("GET", url, {})), Retries()))
    assert caught.value.retry is Retry.NEVER


@pytest.mark.parametrize("url", ["http://a b/", "http://a..b/", f"http://{'a' * 64}.example/", "http://[::1]:99999/"])
def test_a_host_that_cannot_be_looked_up_is_no_answer(drive: Drive, url: str) -> None:
    with pytest.raises(NoAnswerError):
        drive(send(Request("GET", url, {}, seconds=5)))


def test_a_certificate_that_cannot_be_verified_is_not_tried_again(drive: Drive, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    write_certificate(certificate, key, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def flow(url: str) -> Flow[Answer]:
        return repeat(lambda: send(Request("GET", url, {})), Retries())

    unverified = pytest.raises(NoAnswerError, match="certificate of the server cannot be verified: self-signed")
    with answering(b"never sent", tls=context) as url, unverified as caught:
        drive(flow(url.replace("http:", "https:")))
    assert caught.value.retry is Retry.NEVER


def test_pauses_are_told_with_their_reasons() -> None:
    told: list[Pause] = []

    def tried_twice() -> Flow[str]:
        yield from pause(1)
        yield from pause(2, "The answer has status 503.")
        return "done"

    async def drive_async() -> str:
        async with httpx2.AsyncClient() as client:
            with ThreadPoolExecutor(1) as worker:
                flow = tried_twice()
                return await run_async(flow, client, worker, lambda _: asyncio.sleep(0), told.append)

    with httpx2.Client() as client:
        assert run(tried_twice(), client, lambda _: None, told.append) == "done"
    assert asyncio.run(drive_async()) == "done"
    assert told == [Pause(2, "The answer has status 503.")] * 2


def test_redirects_are_answers(drive: Drive) -> None:
    with answering(b"HTTP/1.1 302 Found\r\nLocation: http://nowhere.invalid/\r\nContent-Length: 0\r\n\r\n") as url:
        answer: Answer = drive(send(Request("GET", url, {})))
    assert answer.status == 302


def test_flow_is_closed_when_a_step_ends_the_program(drive: Drive) -> None:
    ended = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    def flow() -> Flow[None]:
        try:
            yield from call_hook(interrupt)
        finally:
            ended.append(True)

    kept = flow()
    with pytest.raises(KeyboardInterrupt):
        drive(kept)
    assert ended == [True]


def test_flow_is_closed_when_its_task_is_cancelled() -> None:
    async def cancelled() -> list[bool]:
        ended = []

        def flow() -> Flow[None]:
            try:
                yield from pause(60)
            finally:
                ended.append(True)

        kept = flow()
        async with httpx2.AsyncClient() as client:
            with ThreadPoolExecutor(1) as worker:
                task = asyncio.create_task(run_async(kept, client, worker))
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        return list(ended)

    assert asyncio.run(cancelled()) == [True]


def test_header_that_is_not_allowed_is_not_quoted(drive: Drive) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as url, pytest.raises(NoAnswerError) as caught:
        drive(send(Request("GET", url, {"authorization": "Bearer secret\n"})))
    assert "secret" not in str(caught.value)


def compressed(coding: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    "reply",
    [
        compressed("gzip", gzip.compress(bytes(5_000_000))),
        compressed("gzip, gzip", gzip.compress(gzip.compress(b"{}"))),
        compressed("deflate", zlib.compress(b"{}")),
    ],
    ids=["bomb", "twice", "another coding"],
)
def test_answer_is_decompressed_within_its_limit(drive: Drive, reply: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "MOST_REPLY_BYTES", 1_000_000)
    with answering(reply) as url, pytest.raises(NoAnswerError, match="cannot be read"):
        drive(send(Request("GET", url, {})))


def test_answer_that_is_compressed_is_read(drive: Drive) -> None:
    with answering(compressed("gzip", gzip.compress(b"{}"))) as url:
        assert drive(send(Request("GET", url, {}))).content == b"{}"


def test_transport_of_the_application_may_answer_at_once() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"answer": 1}))
    request = Request("GET", "https://booking.example/", {})

    async def drive() -> Answer:
        async with httpx2.AsyncClient(transport=transport) as client:
            with ThreadPoolExecutor(1) as worker:
                return await run_async(send(request), client, worker)

    with httpx2.Client(transport=transport) as client:
        answers = run(send(request), client), asyncio.run(drive())
    assert [answer.content for answer in answers] == [b'{"answer":1}'] * 2
