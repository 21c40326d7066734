"""Connections that never complete a request or never read the answer, for `experiments.benchmarks.load`."""

import socket
import struct

from experiments.benchmarks.hostile import PREDICT

KINDS = ["silent", "half a header", "half a body"]
UNREAD_BYTES = 16_000_000
"""The size of the answers that `never_read` requests: more than the buffers of the system."""


def connect(port, kind, body):
    """Opens a connection to the service that stays unfinished.

    Args:
        port: The port on 127.0.0.1.
        kind: One of `KINDS`: nothing is sent; a part of the header; or the header and a part of the body.
        body: The body of a valid request.

    Returns:
        A socket.
    """
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    header = header_of(body)
    content = {
        "silent": b"",
        "half a header": header[: len(header) // 2],
        "half a body": header + body[: len(body) // 2],
    }
    connection.sendall(content[kind])
    return connection


def header_of(body):
    return f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()


def never_read(port, body):
    """Opens a connection and sends many requests whose answers are never read.

    Returns:
        A socket, or None if the answers are so small that the system's buffers hold those of a thousand requests.
    """
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(header_of(body) + body)
    answer = len(connection.recv(2**16))
    connection.close()
    if 1000 * answer < UNREAD_BYTES:
        return None
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", port))
    connection.sendall(UNREAD_BYTES // answer * (header_of(body) + body))
    return connection


def abort(port, body):
    """Sends the header and a part of the body of a request, and resets the connection."""
    connection = connect(port, "half a body", body)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_open(connection):
    """Whether the service has kept a connection. Reads what it has sent."""
    connection.setblocking(False)
    try:
        while connection.recv(2**16):
            pass
    except BlockingIOError:
        return True
    except ConnectionError:
        pass
    return False
