"""The limits of connections, with a service in this process and bare sockets."""

import contextlib
import logging
import resource
import socket
import struct
import threading
import time

import pytest

pytest.importorskip("fastapi")
import uvicorn

from ganlib import UserError
from ganlib.serving import app, connections
from tests.serving.test_app import generator  # noqa: F401

BODY = b'{"inputs": {"latents": [[0.5, 1.0, 0.0, 0.0]], "labels": [1]}}'
HEADER = f"POST /v1/models/m:predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
TIMEOUT, MAX_CONNECTIONS = 1, 4


@pytest.fixture(scope="module", params=["h11", "httptools"])
def port(generator, request):  # noqa: F811
    """The port of a service with one of uvicorn's protocols, and with the event loop that `experiments.serve` uses."""
    module = pytest.importorskip(f"uvicorn.protocols.http.{request.param}_impl")
    base = module.H11Protocol if request.param == "h11" else module.HttpToolsProtocol
    application = app.create(generator, "m", request_timeout=TIMEOUT)
    protocol = connections.protocol(TIMEOUT, MAX_CONNECTIONS, base)
    config = uvicorn.Config(application, port=0, http=protocol, ws="none", log_level="warning", lifespan="off")
    listener, server = config.bind_socket(), uvicorn.Server(config)
    listener.listen()
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()


def connect(port, content=b""):
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(content)
    return connection


def answer(connection):
    """Returns everything that the service sends until it closes the connection."""
    content = b""
    while part := connection.recv(2**16):
        content += part
    connection.close()
    return content


def is_answered(port):
    connection = connect(port, HEADER + BODY)
    content = connection.recv(2**16)
    connection.close()
    return content.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", [b"", HEADER[:30], HEADER, HEADER + BODY[:10], b"G"])
def test_request_that_is_never_complete_is_answered_with_408(port, sent):
    start = time.monotonic()
    assert b" 408 " in answer(connect(port, sent)).splitlines()[0]
    assert TIMEOUT / 2 < time.monotonic() - start < 5 * TIMEOUT


def test_byte_after_byte_does_not_extend_the_time(port):
    connection, start = connect(port), time.monotonic()
    with pytest.raises(ConnectionError):
        for byte in (HEADER + BODY) * 100:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)
    assert time.monotonic() - start < 5 * TIMEOUT


def test_second_request_of_a_connection_has_the_same_limit(port):
    connection = connect(port, HEADER + BODY)
    assert connection.recv(2**16).startswith(b"HTTP/1.1 200")
    connection.sendall(HEADER[:30])
    assert b" 408 " in answer(connection).splitlines()[0]


def test_body_after_the_answer_has_the_same_limit(port):
    connection = connect(port, b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
    assert connection.recv(2**16).startswith(b"HTTP/1.1 404")
    with pytest.raises(ConnectionError):
        for _ in range(1000):
            connection.sendall(b"x")
            time.sleep(0.05)


def test_slow_clients_do_not_stop_others_and_further_connections_are_refused(port):
    slow = [connect(port) for _ in range(MAX_CONNECTIONS - 1)]
    assert is_answered(port)
    slow.append(connect(port))
    assert b" 503 " in answer(connect(port, HEADER + BODY)).splitlines()[0]
    for connection in slow:
        answer(connection)
    assert is_answered(port)


def test_aborted_request_leaves_one_line(port, caplog):
    connection = connect(port, HEADER + BODY[:10])
    time.sleep(0.2)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with caplog.at_level(logging.WARNING):
        connection.close()
        time.sleep(0.2)
        assert is_answered(port)
    assert [record.getMessage() for record in caplog.records] == [
        "closed a connection from 127.0.0.1: the client has left before its request was complete"
    ]


def connected_for_large_answers(port, count):
    """Opens a connection with a small buffer, and sends requests with answers of 100 kB each."""
    body = b'{"signature_name": "generate_from_seed", "inputs": {"seed": 1, "count": 64, "labels": [1]}}'
    request = HEADER.replace(f"Length: {len(BODY)}".encode(), f"Length: {len(body)}".encode()) + body
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", port))
    connection.sendall(count * request)
    return connection


def test_answers_that_are_never_read_are_dropped(port):
    connection = connected_for_large_answers(port, 200)  # their answers have 20 MB, more than the system's buffers
    time.sleep(5 * TIMEOUT)
    read = 0
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(2**16):
            read += len(part)
    assert 0 < read < 10e6
    assert is_answered(port)


def test_slow_readers_get_their_answer(port):
    connection = connected_for_large_answers(port, 100)
    answers = b""
    end = time.monotonic() + 6 * TIMEOUT
    while time.monotonic() < end:  # 200 kB per second: the system's buffers alone take longer than the timeout
        answers += connection.recv(20_000)
        time.sleep(0.1)
    while answers.count(b"HTTP/1.1 200") < 100:
        part = connection.recv(2**20)
        assert part, f"disconnected after {len(answers)} bytes"
        answers += part
    connection.close()


def test_a_flood_leaves_few_lines(caplog):
    log = connections._Log()
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            log.write("closed %s", "it")
        log.write("another %s", "it")
    assert caplog.messages == ["closed it", "another it"]


def test_more_connections_than_the_system_allows_are_an_error():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        pytest.skip("the system has no limit")
    with pytest.raises(UserError, match="set --max_connections to at most"):
        connections.protocol(1, hard)


def test_a_system_that_allows_few_files(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (100, 100))
    with pytest.raises(UserError, match="the system allows 100 open files, but 9 connections need .*: raise the limit"):
        connections.protocol(1, 9)
