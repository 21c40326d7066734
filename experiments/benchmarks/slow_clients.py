"""Connections that never complete a request or never read the answer, for `experiments.benchmarks.load`."""

import socket
import struct

from experiments.benchmarks.hostile import PREDICT

KINDS = ["silent", "half a header", "half a body", "no reader"]


def connect(port, kind, body):
    """Opens a connection to the service that stays unfinished.

    Args:
        port: The port on 127.0.0.1.
        kind: One of `KINDS`: nothing is sent; a part of the header; the header and a part of the body; or many requests whose
            answers are never read.
        body: The body of a valid request.

    Returns:
        A socket.
    """
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    header = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    content = {
        "silent": b"",
        "half a header": header[: len(header) // 2],
        "half a body": header + body[: len(body) // 2],
        "no reader": 20 * (header + body),
    }
    connection.sendall(content[kind])
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
