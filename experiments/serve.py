"""Serves an export over HTTP: python -m experiments.serve --export=exported/mnist_dcgan --port=8501

The service implements TensorFlow Serving's REST API, so that its clients work unchanged:
curl -d '{"signature_name": "generate_from_seed", "inputs": {"seed": 1, "count": 2, "labels": [3]}}' \
  http://127.0.0.1:8501/v1/models/mnist_dcgan:predict
Waiting requests are batched. If too many are waiting, new requests are answered with 429. A client has --request_timeout
seconds each for the header and the body of its request. Otherwise it is answered with 408. Connections beyond --max_connections
are answered with 503. /healthz is the health check, /metrics has the metrics for Prometheus, and / is a page to try out the
model. SIGTERM and SIGINT stop the service after all accepted requests are answered.
"""

import gc
import pathlib
import re
import signal
import socket

from absl import flags

from experiments.common import job

EXPORT = flags.DEFINE_string("export", None, "folder that experiments.export has written", required=True)
NAME = flags.DEFINE_string("name", None, "name of the model in its URL; by default the name of the folder")
HOST = flags.DEFINE_string("host", "127.0.0.1", "address to listen on; 0.0.0.0 for all")
PORT = flags.DEFINE_integer("port", 8501, "port; 0 selects a free one", lower_bound=0)
MAX_ROWS = flags.DEFINE_integer(
    "max_rows", 64, "maximum number of rows in a request and in one call of the model", lower_bound=1
)
MAX_WAITING = flags.DEFINE_integer("max_waiting", 512, "maximum number of waiting rows", lower_bound=1)
MAX_CONNECTIONS = flags.DEFINE_integer("max_connections", 1000, "maximum number of open connections", lower_bound=1)
REQUEST_TIMEOUT = flags.DEFINE_integer(
    "request_timeout", 30, "seconds for the header of a request, for its body, and for reading the answer", lower_bound=1
)


def main():
    from ganlib import UserError

    name = NAME.value or pathlib.Path(EXPORT.value).resolve().name
    if not re.fullmatch(r"[\w.-]+", name):
        raise UserError(f"{name!r} cannot be part of a URL: pass a --name of letters, digits, '_', '.' and '-'")
    try:
        import uvicorn

        from ganlib.serving import app, connections
    except ImportError as error:
        raise UserError(f"the service requires {error.name}: pip install 'ganlib[serve]'") from None
    protocol = connections.protocol(REQUEST_TIMEOUT.value, MAX_CONNECTIONS.value)
    application = app.create(EXPORT.value, name, MAX_ROWS.value, MAX_WAITING.value, REQUEST_TIMEOUT.value)
    config = uvicorn.Config(
        application, HOST.value, PORT.value, http=protocol, ws="none", log_level="warning", access_log=False, lifespan="off",
        backlog=connections.BACKLOG,
    )  # fmt: skip
    server = uvicorn.Server(config)
    for stop_signal in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again after it has shut down
        signal.signal(stop_signal, lambda *_: None)
    listener = config.bind_socket()
    # Accepted connections inherit TCP_NODELAY. asyncio sets it only for sockets that it creates. Without it, headers and body
    # are sent separately, and the body waits 40 ms for the acknowledgment of the headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.listen(config.backlog)  # from now on new connections are queued instead of refused
    # Freeze the objects that are loaded now. Otherwise the garbage collector scans all of TensorFlow again and again while it
    # handles requests with thousands of numbers: 280 images per second were classified instead of 1,240.
    gc.collect()
    gc.freeze()
    print(f"serving {name!r} on http://{HOST.value}:{listener.getsockname()[1]}", flush=True)
    server.run(sockets=[listener])
    print("stopped after answering all requests", flush=True)


if __name__ == "__main__":
    job.start(main)
