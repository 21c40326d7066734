"""The service's routes: TensorFlow Serving's REST for predictions, health, Prometheus' numbers, and a page to look at."""

import base64
import importlib.resources
import io
import time

import fastapi
import numpy as np
import orjson
import prometheus_client
from starlette.concurrency import run_in_threadpool

from ganlib import plots
from ganlib.serving import inputs
from ganlib.serving.batching import Busy
from ganlib.serving.service import Service

MAX_BODY_BYTES = 32 * 2**20


def create(folder, name, max_rows=64, max_waiting=512):
    """The ASGI application that serves an export.

    Args:
        folder: what `experiments.export` has written.
        name: of the model, in the addresses.
        max_rows: rows of a request, and of one call of the model.
        max_waiting: rows that wait at most; beyond them requests are answered by 429.

    Raises:
        UserError: if there is no export in the folder.
    """
    numbers = _Numbers()
    service = Service(folder, max_rows, max_waiting, numbers.batch)
    service.warm_up()
    numbers.waiting.set_function(lambda: service.waiting_rows)
    app = fastapi.FastAPI(title=name, docs_url=None, redoc_url=None, openapi_url=None)
    _add_predictions(app, name, service, numbers)
    _add_state(app, name, service, max_rows)

    @app.get("/metrics")
    async def metrics():
        return fastapi.Response(numbers.shown(), media_type=prometheus_client.CONTENT_TYPE_LATEST)

    @app.exception_handler(404)
    async def unknown(request, error):
        served = f"/v1/models/{name}"
        what = f"no address {request.url.path!r}: the model served here is {name!r}, at {served}:predict, {served} and /"
        return _json({"error": what}, 404)

    @app.exception_handler(405)
    async def other_method(request, error):
        takes = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        return _json({"error": f"{request.url.path!r} takes {takes}, not {request.method}"}, 405)

    page = importlib.resources.files("ganlib").joinpath("templates/serving.html").read_text().replace("{{ model }}", name)

    @app.get("/")
    async def index():
        return fastapi.responses.HTMLResponse(page)

    return app


def _add_predictions(app, name, service, numbers):
    async def answer(function, body, size):
        start = time.monotonic()
        try:
            status, content = 200, await service.call(function, body, size)
        except inputs.BadRequest as error:
            status, content = 400, {"error": str(error)}
        except Busy:
            status, content = 429, {"error": "too many requests are waiting: come back in a second"}
        numbers.request(function if function in service.specs else "unknown", status, time.monotonic() - start)
        return status, content

    @app.post(f"/v1/models/{name}:predict")
    async def predict(request: fastapi.Request):
        body, size, refused = await _parsed(request)
        if refused:
            return refused
        function = body.get("signature_name", service.main)
        function = service.main if function == "serving_default" else function
        status, content = await answer(str(function), body, size)
        if status == 200:
            content = _by_row(content) if "instances" in body else {"outputs": _only(content)}
        return _json(content, status)

    @app.post("/images")
    async def images(request: fastapi.Request):
        """For the page: a request as to ``:predict`` of a generator, whose images come back as PNG files."""
        body, size, refused = await _parsed(request)
        if refused:
            return refused
        function = str(body.get("signature_name", service.main))
        if not function.startswith("generate"):
            return _json({"error": f"{function!r} makes no images"}, 400)
        status, content = await answer(function, body, size)
        if status == 200:
            content = {"images": await run_in_threadpool(_as_files, content["images"])}
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


class _Numbers:
    """What Prometheus is told."""

    def __init__(self):
        self._registry = prometheus_client.CollectorRegistry()
        own = {"registry": self._registry}
        self._requests = prometheus_client.Counter("ganlib_requests", "Requests", ["function", "status"], **own)
        self._seconds = prometheus_client.Histogram("ganlib_request_seconds", "Time of a request", ["function"], **own)
        sizes = [1, 2, 4, 8, 16, 32, 64]
        self._rows = prometheus_client.Histogram(
            "ganlib_batch_rows", "Rows of a call of the model", ["function"], buckets=sizes, **own
        )
        self.waiting = prometheus_client.Gauge("ganlib_waiting_rows", "Rows that wait", **own)

    def shown(self):
        """All numbers in Prometheus' text format."""
        return prometheus_client.generate_latest(self._registry)

    def request(self, function, status, seconds):
        self._requests.labels(function, status).inc()
        self._seconds.labels(function).observe(seconds)

    def batch(self, function, rows):
        self._rows.labels(function).observe(rows)


class _TooLarge(Exception):
    pass


async def _parsed(request):
    """``(object, bytes, None)``, or ``(None, bytes, response)`` for what is no request."""
    try:
        body = await _body(request)
        return inputs.parse(body), len(body), None
    except inputs.BadRequest as error:
        return None, 0, _json({"error": str(error)}, 400)
    except _TooLarge:
        return None, MAX_BODY_BYTES, _json({"error": f"a request has {MAX_BODY_BYTES} bytes at most"}, 413)


async def _body(request):
    """The body of a request, which is not believed about its length."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _by_row(results):
    """``{"predictions": [...]}``, as TensorFlow Serving has it: values of an only output, otherwise objects by name."""
    if len(results) == 1:
        return {"predictions": _only(results)}
    lists = {name: _plain(values) for name, values in results.items()}
    rows = zip(*lists.values(), strict=True)
    return {"predictions": [dict(zip(lists, row, strict=True)) for row in rows]}


def _only(results):
    plain = {name: _plain(values) for name, values in results.items()}
    return next(iter(plain.values())) if len(plain) == 1 else plain


def _plain(values):
    """What `orjson` writes: arrays of numbers as they are, strings as a list."""
    return np.ascontiguousarray(values) if values.dtype.kind in "fiu" else values.tolist()


def _as_files(images):
    files = []
    for image in images:
        buffer = io.BytesIO()
        plots.to_image(image).save(buffer, "PNG")
        files.append("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode())
    return files


def _json(content, status=200):
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return fastapi.Response(
        body, status, media_type="application/json", headers={"Retry-After": "1"} if status == 429 else None
    )
