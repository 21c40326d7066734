"""Measures the throughput of a service, and its behavior under hostile requests, on this machine only:
python -m experiments.benchmarks.load --export=exported/mnist_dcgan --clients=1,8,64 --seconds=10 --hostile=10000

The job starts `experiments.serve` on a free port of 127.0.0.1. Each client requests one row at a time, and waits for the
answer before the next request. The table has requests per second, the median and the 99th percentile of the latency, and the
throughput of the model alone, with the number of clients as the batch size. Then the job sends hostile requests, drawn from
--seed: JSON and image files with changed or missing bytes, huge numbers, and wrong shapes, names and methods. Every request
must be answered, and none with a status of 5xx. The memory of the service is measured before and after. Finally, --slow_clients
connections never complete a request, a few do not read their answers, and as many as the first are reset in the middle of a
request. The service must close them after its --request_timeout, answer other requests meanwhile, and write no traceback.
"""

import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from absl import flags

from experiments.benchmarks import hostile, slow_clients
from experiments.common import job

EXPORT = flags.DEFINE_string("export", None, "folder that experiments.export has written", required=True)
CLIENTS = flags.DEFINE_list("clients", ["1", "8", "64"], "numbers of concurrent clients")
SECONDS = flags.DEFINE_integer(
    "seconds", 10, "duration of the measurement with each number of clients, in seconds", lower_bound=1, upper_bound=120
)
HOSTILE = flags.DEFINE_integer("hostile", 10_000, "number of hostile requests", lower_bound=0, upper_bound=100_000)
SLOW_CLIENTS = flags.DEFINE_integer(
    "slow_clients", 600, "number of connections that send no complete request", lower_bound=0, upper_bound=900
)
REQUEST_TIMEOUT = flags.DEFINE_integer("request_timeout", 5, "the service's --request_timeout", lower_bound=1)
SEED = flags.DEFINE_integer("seed", 0, "seed of inputs and hostile requests")
OUTPUT = flags.DEFINE_string("output", None, "JSON file for the numbers")
NEVER_READING = 4
"""The number of clients that do not read large answers."""
NAME = "loaded"  # as in hostile.PREDICT


def main():
    from ganlib import UserError, export
    from ganlib.files import write_json

    folder = pathlib.Path(EXPORT.value)
    card = json.loads((folder / "model_card.json").read_text())
    body = request_body(card)
    with tempfile.TemporaryFile("w+") as log, running_service(folder, log) as (service, port):
        rows = [measure(port, body, int(clients)) for clients in CLIENTS.value]
        attack = send_hostile_requests(service, port, body) if HOSTILE.value else None
        slow = connect_slowly(port, body) if SLOW_CLIENTS.value else None
        service.terminate()
        code = service.wait(60)
        log.seek(0)
        messages = log.read()
        tracebacks = messages.count("Traceback")
    form = export.FORMATS[card["format"]]
    function = form.read(folder / form.NAME)[next(iter(card["functions"]))]
    for row in rows:
        row["model_alone"] = export.speed.rows_per_second(function, example(card, row["clients"]), SECONDS.value)
    results = {
        "export": folder.name, "rows": rows, "hostile": attack, "slow_clients": slow,
        "tracebacks": tracebacks, "exit_status": code,
    }  # fmt: skip
    print(table(rows))
    if attack:
        print(f"hostile requests: {attack['statuses']}; memory {attack['mib_before']:.0f} -> {attack['mib_after']:.0f} MiB")
    if slow:
        print(
            f"slow clients: {slow['connections']}, of which {slow['open']} are open after {slow['seconds']:.0f} s; "
            f"{slow['answered']} other requests were answered meanwhile, {slow['refused']} were not"
        )
    print(f"tracebacks of the service: {tracebacks}")
    if OUTPUT.value:
        write_json(OUTPUT.value, results)
    if tracebacks:
        print(messages[messages.index("Traceback") :][:5000], file=sys.stderr)
    if code or tracebacks or (attack and any(int(status) >= 500 for status in attack["statuses"])):
        raise UserError(f"the service exited with status {code}, answered with 5xx, or wrote a traceback: see above")
    if slow and (slow["open"] or slow["refused"]):
        raise UserError("the service kept connections of slow clients, or refused other requests: see above")


@contextlib.contextmanager
def running_service(folder, log):
    """Starts the service, which writes its warnings to a file, and stops it at the end. Yields its process and its port."""
    from ganlib import UserError

    command = [sys.executable, "-m", "experiments.serve", f"--export={folder}", "--port=0", f"--name={NAME}"]
    command += [f"--request_timeout={REQUEST_TIMEOUT.value}"]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        line = service.stdout.readline()
        match = re.search(r":(\d+)$", line.strip())
        if not match:
            service.wait(60)
            log.seek(0)
            raise UserError(f"the service did not start: {log.read().strip()}")
        yield service, int(match.group(1))
    finally:
        service.kill()


def request_body(card):
    """Returns the body of a request with one row for the main function."""
    inputs = {name: values.tolist() for name, values in example(card, 1).items()}
    return json.dumps({"inputs": inputs}).encode()


def example(card, count):
    """Returns random inputs of the main function."""
    import numpy as np

    rng, inputs = np.random.default_rng(SEED.value), {}
    for name, spec in next(iter(card["functions"].values())).items():
        shape = [count, *spec["shape"][1:]]
        if spec["dtype"].startswith("float"):
            inputs[name] = rng.normal(size=shape).astype(spec["dtype"])
        else:
            inputs[name] = rng.integers(0, 256 if spec["dtype"] == "uint8" else len(card["class_names"]), shape, spec["dtype"])
    return inputs


def measure(port, body, clients):
    """Measures the throughput and the latency with a number of concurrent clients."""
    import numpy as np

    deadline = time.monotonic() + SECONDS.value

    def send_requests():
        times, connection = [], http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < deadline:
            start = time.perf_counter()
            connection.request("POST", hostile.PREDICT, body)
            response = connection.getresponse()
            response.read()
            times.append((response.status, time.perf_counter() - start))
        return times

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        answers = [answer for future in [pool.submit(send_requests) for _ in range(clients)] for answer in future.result()]
    seconds = time.monotonic() - start
    times = 1000 * np.array([duration for status, duration in answers if status == 200])
    return {
        "clients": clients,
        "requests": len(answers),
        "refused": sum(status != 200 for status, _ in answers),
        "per_second": len(times) / seconds,
        **{f"p{q}_ms": float(np.percentile(times, q)) for q in (50, 99)},
    }


def table(rows):
    lines = [
        "| clients | requests/s | p50, ms | p99, ms | refused | model alone, rows/s | fraction of it |",
        "| --- " * 7 + "|",
    ]
    for row in rows:
        cells = [f"{row['clients']}", f"{row['per_second']:.0f}", f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}"]
        cells += [f"{row['refused']}", f"{row['model_alone']:.0f}", f"{row['per_second'] / row['model_alone']:.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def send_hostile_requests(service, port, body):
    """Returns the statuses of the answers to hostile requests, and the service's memory before and after."""
    import random

    from tqdm import tqdm

    generator, statuses, initial_mib = random.Random(SEED.value), {}, None
    for index in tqdm(range(HOSTILE.value), desc="hostile requests"):
        if index == HOSTILE.value // 10:  # by then all one-time allocations are done
            initial_mib = resident_mib(service.pid)
        method, path, content = hostile.request(generator, body)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(method, path, content)
        status = str(connection.getresponse().status)
        connection.close()
        statuses[status] = statuses.get(status, 0) + 1
    return {"statuses": statuses, "mib_before": initial_mib, "mib_after": resident_mib(service.pid)}


def connect_slowly(port, body):
    """Opens slow connections and resets others. Returns how many stay open, and how many other requests are answered."""
    kinds, start = slow_clients.KINDS, time.monotonic()
    connections = [slow_clients.connect(port, kinds[i % len(kinds)], body) for i in range(SLOW_CLIENTS.value)]
    connections += filter(None, [slow_clients.never_read(port, body) for _ in range(NEVER_READING)])
    for _ in range(SLOW_CLIENTS.value):
        slow_clients.abort(port, body)
    opened = time.monotonic()
    statuses = []
    while time.monotonic() < opened + 3 * REQUEST_TIMEOUT.value:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        client.request("POST", hostile.PREDICT, body)
        statuses.append(client.getresponse().status)
        client.close()
    seconds = time.monotonic() - start
    still_open = sum(slow_clients.is_open(connection) for connection in connections)
    return {
        "connections": len(connections), "open": still_open, "seconds": seconds,
        "answered": statuses.count(200), "refused": len(statuses) - statuses.count(200),
    }  # fmt: skip


def resident_mib(pid):
    """Returns the resident memory of a process in MiB."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


if __name__ == "__main__":
    job.start(main)
