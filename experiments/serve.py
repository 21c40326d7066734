"""Serves an export over HTTP: python -m experiments.serve --export=exported/mnist_dcgan --port=8501

It speaks TensorFlow Serving's REST, so that a client of the one is a client of the other:
curl -d '{"signature_name": "generate_from_seed", "inputs": {"seed": 1, "count": 2, "labels": [3]}}' \
  http://127.0.0.1:8501/v1/models/mnist_dcgan:predict
Requests that wait together are computed together; when too many wait, new ones are answered by 429. /healthz says that it is
up, /metrics gives Prometheus its numbers, / is a page to try the model on. SIGTERM and SIGINT end it when what it has taken on
is answered.
"""

import gc
import pathlib
import re
import signal
import socket

from absl import flags

from experiments.common import job

EXPORT = flags.DEFINE_string("export", None, "the folder that experiments.export has written", required=True)
NAME = flags.DEFINE_string("name", None, "of the model, in its address; by default that of the folder")
HOST = flags.DEFINE_string("host", "127.0.0.1", "the address to listen on; 0.0.0.0 for all")
PORT = flags.DEFINE_integer("port", 8501, "the port; 0 takes a free one", lower_bound=0)
MAX_ROWS = flags.DEFINE_integer("max_rows", 64, "rows of a request, and of one call of the model", lower_bound=1)
MAX_WAITING = flags.DEFINE_integer("max_waiting", 512, "rows that wait at most", lower_bound=1)


def main():
    from ganlib import UserError

    name = NAME.value or pathlib.Path(EXPORT.value).resolve().name
    if not re.fullmatch(r"[\w.-]+", name):
        raise UserError(f"the name {name!r} would be part of an address: give --name of letters, digits, '_', '.' and '-'")
    try:
        import uvicorn

        from ganlib.serving import app
    except ImportError as error:
        raise UserError(f"the service needs {error.name}: pip install 'ganlib[serve]'") from None
    application = app.create(EXPORT.value, name, MAX_ROWS.value, MAX_WAITING.value)
    config = uvicorn.Config(application, HOST.value, PORT.value, log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    for asked in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again when it has ended by itself
        signal.signal(asked, lambda *_: None)
    listening = config.bind_socket()
    # What is accepted inherits this. asyncio would set it, but not for a socket that it did not make: then headers and body go
    # out one after the other, and the second waits 40 ms for the first's receipt.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.listen(config.backlog)  # who comes from now on is kept waiting and not sent away
    # What is loaded by now stays. Otherwise the garbage collector walks through all of TensorFlow again and again, as
    # requests of thousands of numbers come and go: 280 images a second were classified instead of 1,240.
    gc.collect()
    gc.freeze()
    print(f"serving {name!r} on http://{HOST.value}:{listening.getsockname()[1]}", flush=True)
    server.run(sockets=[listening])
    print("all requests are answered: stopped", flush=True)


if __name__ == "__main__":
    job.start(main)
