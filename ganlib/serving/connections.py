"""The limits of the service's connections: their number, the time to send a request, and the time to read an answer."""

import logging
import sys
import time

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ganlib.errors import UserError

BACKLOG = 128
"""The number of connections that the system may keep waiting, and that are accepted at a time."""
FILES = 128 + BACKLOG
"""The number of open files that the service needs besides its connections."""
SLOWEST_READER = 1024
"""The number of bytes per second that a client must read of an answer."""
REFUSAL_SECONDS = 0.5
"""The time that a refused connection stays open. The client could not read the answer after an immediate end."""
LOG_SECONDS = 1.0
"""The shortest time between two lines of the same kind in the log."""


def protocol(request_timeout, max_connections, base=AutoHTTPProtocol):
    """Returns the class of uvicorn's connections with limits, for the argument ``http`` of `uvicorn.Config`.

    uvicorn (0.54) closes connections that are idle after an answer. It keeps a connection on which a request was never
    completed, or an answer is never read, until the client closes it.

    Args:
        request_timeout: The number of seconds in which a client must send the header of its request. The body has the same
            limit; see `ganlib.serving.app.create`. A client that reads less than `SLOWEST_READER` bytes per second of an answer
            for this time is disconnected.
        max_connections: The maximum number of open connections. Further ones are answered with 503 and closed.
        base: The protocol of uvicorn. Defaults to the one that uvicorn selects.

    Raises:
        UserError: If the system does not allow the process so many open files.
    """
    _allow_open_files(max_connections)
    limits = {"request_timeout": request_timeout, "max_connections": max_connections, "log": _Log()}
    return type("LimitedConnection", (_Limits, base), limits)


class _Limits:
    """A mixin for the protocols of uvicorn."""

    is_refused = False
    request_timer = answer_timer = None
    unread = 0  # the bytes of answers that the client had not read when the timer started

    def connection_made(self, transport):
        super().connection_made(_Transport(transport))
        self.is_refused = len(self.connections) > self.max_connections
        if self.is_refused:
            self._answer_and_log(503, "Service Unavailable", f"{self.max_connections} connections are open")
            self.loop.call_later(REFUSAL_SECONDS, transport.close)
        else:
            self.request_timer = self.loop.call_later(self.request_timeout, self._close_unfinished)

    def data_received(self, data):
        if self.is_refused:
            return
        super().data_received(data)
        if self.transport.is_closing() or not self._is_between_requests:
            self._cancel("request_timer")
        elif self.request_timer is None:
            self.request_timer = self.loop.call_later(self.request_timeout, self._close_unfinished)
        self._watch_reader()

    def pause_writing(self):
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self):
        super().resume_writing()
        self._cancel("answer_timer")
        self._watch_reader()

    def on_response_complete(self):
        super().on_response_complete()
        self._cancel("answer_timer")  # a new answer was written, so what is unread has grown
        self._watch_reader()

    def connection_lost(self, exc):
        self._cancel("request_timer")
        self._cancel("answer_timer")
        super().connection_lost(exc)

    @property
    def _is_between_requests(self):
        """Whether no request is being answered: the header of the next one, or the rest of the last one, is being read."""
        return self.cycle is None or self.cycle.response_complete

    def _close_unfinished(self):
        self._answer_and_log(408, "Request Timeout", f"its request was not complete after {self.request_timeout} s")
        self.transport.close()
        self._watch_reader()

    def _watch_reader(self):
        """Starts the timer in which the client must read what it has not read yet."""
        if self.answer_timer is None and self.transport.get_write_buffer_size():
            self.unread = self._unread()
            self.answer_timer = self.loop.call_later(self.request_timeout, self._check_reader)

    def _check_reader(self):
        self.answer_timer = None
        enough = SLOWEST_READER * self.request_timeout
        if self.transport.get_write_buffer_size() and self._unread() > self.unread - enough:
            self.log.write("disconnected a client at %s: it does not read its answer", self._address)
            self.transport.abort()
        else:
            self._watch_reader()

    def _unread(self):
        """Returns the number of bytes that the client has not received, in the buffers of this process and of the system.

        The system accepts more bytes only when a third of its buffer is free, so this process sees progress late.
        """
        try:
            import fcntl
            import termios

            answer = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
            in_system = int.from_bytes(answer, sys.byteorder)
        except (ImportError, OSError):  # on Windows
            in_system = 0
        return self.transport.get_write_buffer_size() + in_system

    def _answer_and_log(self, status, phrase, reason):
        self.log.write("closed a connection from %s: %s", self._address, reason)
        header = f"HTTP/1.1 {status} {phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(header.encode())

    @property
    def _address(self):
        return self.client[0] if self.client else "an unknown address"

    def _cancel(self, name):
        timer = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)


class _Transport:
    """A transport that drops what is written after its end.

    uvicorn still answers the other requests that a client sent at once before it left, and uvloop raises an error for them.
    """

    def __init__(self, transport):
        self._transport = transport

    def __getattr__(self, name):
        return getattr(self._transport, name)

    def write(self, data):
        if not self._transport.is_closing():
            self._transport.write(data)


class _Log:
    """Writes a warning of each kind at most once per second, with the number of those that were left out."""

    def __init__(self):
        self._times, self._left_out = {}, {}

    def write(self, message, *values):
        now = time.monotonic()
        if now - self._times.get(message, -LOG_SECONDS) < LOG_SECONDS:
            self._left_out[message] = self._left_out.get(message, 0) + 1
            return
        self._times[message] = now
        count = self._left_out.pop(message, 0)
        rest = f" ({count} more of this kind)" if count else ""
        logging.getLogger("ganlib").warning(message + "%s", *values, rest)


def _allow_open_files(max_connections):
    """Raises the soft limit of the process for open files to what the connections need, if it is lower."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed, infinite = max_connections + FILES, resource.RLIM_INFINITY
    if hard != infinite and hard < needed:
        most = f"set --max_connections to at most {hard - FILES}, or " if hard > FILES else ""
        raise UserError(
            f"the system allows {hard} open files, but {max_connections} connections need {needed}: {most}raise the limit "
            "(ulimit -n)"
        )
    if soft != infinite and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
