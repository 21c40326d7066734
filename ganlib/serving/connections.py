"""The limits of the service's connections: their number, the time to send a request, and the time to read an answer."""

import logging
import resource

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ganlib.errors import UserError

FILES = 128
"""The number of open files that the service needs besides its connections."""


def protocol(request_timeout, max_connections):
    """Returns the class of uvicorn's connections with limits, for the argument ``http`` of `uvicorn.Config`.

    uvicorn (0.54) closes connections that are idle after an answer. It keeps a connection on which a request was never
    completed, or an answer is never read, until the client closes it.

    Args:
        request_timeout: The number of seconds in which a client must send the header of its request, and in which it must
            continue to read an answer. The body has the same limit; see `ganlib.serving.app.create`.
        max_connections: The maximum number of open connections. Further ones are answered with 503 and closed.

    Raises:
        UserError: If the system does not allow the process so many open files.
    """
    _allow_open_files(max_connections + FILES)
    limits = {"request_timeout": request_timeout, "max_connections": max_connections}
    return type("LimitedConnection", (_LimitedConnection,), limits)


class _LimitedConnection(AutoHTTPProtocol):
    request_timer = answer_timer = None

    def connection_made(self, transport):
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._close(503, "Service Unavailable", f"{self.max_connections} connections are open")
        else:
            self.request_timer = self.loop.call_later(self.request_timeout, self._close_unfinished)

    def data_received(self, data):
        super().data_received(data)
        if self.transport.is_closing() or not self._is_between_requests:
            self._cancel_request_timer()
        elif self.request_timer is None:
            self.request_timer = self.loop.call_later(self.request_timeout, self._close_unfinished)

    def pause_writing(self):
        super().pause_writing()
        self.answer_timer = self.loop.call_later(self.request_timeout, self.transport.abort)

    def resume_writing(self):
        super().resume_writing()
        self._cancel_answer_timer()

    def connection_lost(self, exc):
        self._cancel_request_timer()
        self._cancel_answer_timer()
        super().connection_lost(exc)

    @property
    def _is_between_requests(self):
        """Whether no request is in work: the header of the next one, or the body of one already answered, is being read."""
        return self.cycle is None or self.cycle.response_complete

    def _close_unfinished(self):
        self._close(408, "Request Timeout", f"its request was not complete after {self.request_timeout} s")

    def _close(self, status, phrase, reason):
        client = self.client[0] if self.client else "a client"
        logging.getLogger("ganlib").warning("closed a connection from %s: %s", client, reason)
        header = f"HTTP/1.1 {status} {phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(header.encode())
        self.transport.close()

    def _cancel_request_timer(self):
        if self.request_timer is not None:
            self.request_timer.cancel()
            self.request_timer = None

    def _cancel_answer_timer(self):
        if self.answer_timer is not None:
            self.answer_timer.cancel()
            self.answer_timer = None


def _allow_open_files(count):
    """Raises the soft limit of the process for open files to ``count``, if it is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise UserError(
            f"the system allows {hard} open files, but {count - FILES} connections need {count}: set --max_connections to at "
            f"most {hard - FILES}, or raise the limit (ulimit -n)"
        )
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
