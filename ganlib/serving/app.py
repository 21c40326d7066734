"""The routes of the service: TensorFlow Serving's REST API for predictions, health, Prometheus metrics, and a demo page."""

import asyncio
import base64
import importlib.resources
import io
import logging
import time

import fastapi
import numpy as np
import orjson
import prometheus_client
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from ganlib import plots
from ganlib.serving import inputs
from ganlib.serving.batching import Busy
from ganlib.serving.service import Service

MAX_BODY_BYTES = 32 * 2**20


def create(folder, name, max_rows=64, max_waiting=512, request_timeout=30):
    """Creates the ASGI application that serves an export.

    Args:
        folder: A folder that `experiments.export` has written.
        name: The name of the model in the URLs.
        max_rows: The maximum number of rows in a request and in one call of the model. Defaults to 64.
        max_waiting: The maximum number of waiting rows. Further requests are answered with 429. Defaults to 512.
        request_timeout: The number of seconds in which a client must send the body of its request. Later requests are answered
            with 408. Defaults to 30.

    Raises:
        UserError: If there is no export in the folder.
    """
    metrics = _Metrics()
    service = Service(folder, max_rows, max_waiting, metrics.batch)
    service.warm_up()
    metrics.waiting.set_function(lambda: service.waiting_rows)
    app = fastapi.FastAPI(title=name, docs_url=None, redoc_url=None, openapi_url=None)
    _add_predictions(app, name, service, metrics, request_timeout)
    _add_state(app, name, service, max_rows)

    @app.get("/metrics")
    async def prometheus():
        return fastapi.Response(metrics.as_text(), media_type=prometheus_client.CONTENT_TYPE_LATEST)

    @app.exception_handler(404)
    async def not_found(request, error):
        url = f"/v1/models/{name}"
        message = f"no route {request.url.path!r}: this service serves the model {name!r} at {url}:predict, {url} and /"
        return _json({"error": message}, 404)

    @app.exception_handler(405)
    async def method_not_allowed(request, error):
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        return _json({"error": f"{request.url.path!r} accepts {allowed}, not {request.method}"}, 405)

    page = importlib.resources.files("ganlib").joinpath("templates/serving.html").read_text().replace("{{ model }}", name)

    @app.get("/")
    async def index():
        return fastapi.responses.HTMLResponse(page)

    return app


def _add_predictions(app, name, service, metrics, request_timeout):
    async def answer(function, body, size):
        start = time.monotonic()
        try:
            status, content = 200, await service.call(function, body, size)
        except inputs.BadRequest as error:
            status, content = 400, {"error": str(error)}
        except Busy:
            status, content = 429, {"error": "too many requests are waiting: retry in one second"}
        metrics.request(function if function in service.specs else "unknown", status, time.monotonic() - start)
        return status, content

    @app.post(f"/v1/models/{name}:predict")
    async def predict(request: fastapi.Request):
        body, size, error_response = await _parsed(request, request_timeout)
        if error_response:
            return error_response
        function = body.get("signature_name", service.main)
        function = service.main if function == "serving_default" else function
        status, content = await answer(str(function), body, size)
        if status == 200:
            content = _by_row(content) if "instances" in body else {"outputs": _by_column(content)}
        return _json(content, status)

    @app.post("/images")
    async def images(request: fastapi.Request):
        """Serves the demo page: accepts a ``:predict`` request to a generator and returns its images as PNG files."""
        body, size, error_response = await _parsed(request, request_timeout)
        if error_response:
            return error_response
        function = str(body.get("signature_name", service.main))
        if not function.startswith("generate"):
            return _json({"error": f"{function!r} does not generate images"}, 400)
        status, content = await answer(function, body, size)
        if status == 200:
            content = {"images": await run_in_threadpool(_as_data_urls, content["images"])}
        return _json(content, status)


def _add_state(app, name, service, max_rows):
    @app.get(f"/v1/models/{name}")
    async def state():
        status = {"error_code": "OK", "error_message": ""}
        return _json({"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": status}]})

    @app.get(f"/v1/models/{name}/metadata")
    async def metadata():
        return _json({"name": name, "functions": service.specs, "card": service.card, "max_rows": max_rows})

    @app.get("/healthz")
    async def healthz():
        return _json({"status": "ok"})


class _Metrics:
    """The metrics that Prometheus scrapes."""

    def __init__(self):
        self._registry = prometheus_client.CollectorRegistry()
        options = {"registry": self._registry}
        self._requests = prometheus_client.Counter("ganlib_requests", "Requests", ["function", "status"], **options)
        self._seconds = prometheus_client.Histogram("ganlib_request_seconds", "Time of a request", ["function"], **options)
        sizes = [1, 2, 4, 8, 16, 32, 64]
        self._rows = prometheus_client.Histogram(
            "ganlib_batch_rows", "Rows in one call of the model", ["function"], buckets=sizes, **options
        )
        self.waiting = prometheus_client.Gauge("ganlib_waiting_rows", "Waiting rows", **options)

    def as_text(self):
        """Returns all metrics in Prometheus' text format."""
        return prometheus_client.generate_latest(self._registry)

    def request(self, function, status, seconds):
        self._requests.labels(function, status).inc()
        self._seconds.labels(function).observe(seconds)

    def batch(self, function, rows):
        self._rows.labels(function).observe(rows)


class _TooLarge(Exception):
    pass


async def _parsed(request, timeout):
    """Returns ``(object, bytes, None)``, or ``(None, bytes, error response)`` if the request is invalid or incomplete."""
    try:
        body = await asyncio.wait_for(_body(request), timeout)
        return inputs.parse(body), len(body), None
    except asyncio.TimeoutError:
        _log_incomplete(request, f"its request was not complete after {timeout} s")
        response = _json({"error": f"the request was not complete after {timeout} s: send it faster"}, 408)
        response.headers["Connection"] = "close"
        return None, 0, response
    except ClientDisconnect:
        _log_incomplete(request, "the client has left before its request was complete")
        return None, 0, _json({"error": "the connection was closed"}, 400)
    except inputs.BadRequest as error:
        return None, 0, _json({"error": str(error)}, 400)
    except _TooLarge:
        return None, MAX_BODY_BYTES, _json({"error": f"the request is too large: send at most {MAX_BODY_BYTES} bytes"}, 413)


def _log_incomplete(request, reason):
    client = request.client.host if request.client else "an unknown address"
    logging.getLogger("ganlib").warning("closed a connection from %s: %s", client, reason)


async def _body(request):
    """Reads the body of a request, and limits its size regardless of Content-Length."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _by_row(results):
    """Returns ``{"predictions": [...]}`` in TensorFlow Serving's row format: plain values for a single output, otherwise
    objects by name."""
    if len(results) == 1:
        return {"predictions": _by_column(results)}
    lists = {name: _plain(values) for name, values in results.items()}
    rows = zip(*lists.values(), strict=True)
    return {"predictions": [dict(zip(lists, row, strict=True)) for row in rows]}


def _by_column(results):
    """Returns results in TensorFlow Serving's column format: plain values for a single output, otherwise a dict by name."""
    plain = {name: _plain(values) for name, values in results.items()}
    return next(iter(plain.values())) if len(plain) == 1 else plain


def _plain(values):
    """Converts an array for `orjson`: numeric arrays stay arrays, strings become a list."""
    return np.ascontiguousarray(values) if values.dtype.kind in "fiu" else values.tolist()


def _as_data_urls(images):
    urls = []
    for image in images:
        buffer = io.BytesIO()
        plots.to_image(image).save(buffer, "PNG")
        urls.append("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode())
    return urls


def _json(content, status=200):
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return fastapi.Response(
        body, status, media_type="application/json", headers={"Retry-After": "1"} if status == 429 else None
    )
