"""How much a service takes, and what it does with hostile requests, on this machine alone:
python -m experiments.benchmarks.load --export=exported/mnist_dcgan --clients=1,8,64 --seconds=10 --hostile=10000

Starts `experiments.serve` on a free port of 127.0.0.1. So many clients ask for one row at a time, each for the next when the
last is answered; printed are requests a second, the median and the 99th percentile of their times, beside what the model alone
does in batches of as many rows. Then come hostile requests, drawn from --seed: JSON and image files with bytes changed or cut
off, giant numbers, wrong shapes, names and methods. None may be answered by a status of 5xx or not at all; the memory of the
service is measured before and after.
"""

import concurrent.futures
import http.client
import json
import pathlib
import re
import subprocess
import sys
import time

from absl import flags

from experiments.benchmarks import hostile
from experiments.common import job

EXPORT = flags.DEFINE_string("export", None, "the folder that experiments.export has written", required=True)
CLIENTS = flags.DEFINE_list("clients", ["1", "8", "64"], "how many ask at the same time")
SECONDS = flags.DEFINE_integer("seconds", 10, "how long each number of clients asks", lower_bound=1, upper_bound=120)
HOSTILE = flags.DEFINE_integer("hostile", 10_000, "how many hostile requests", lower_bound=0, upper_bound=100_000)
SEED = flags.DEFINE_integer("seed", 0, "of inputs and hostile requests")
OUTPUT = flags.DEFINE_string("output", None, "a JSON file for the numbers")
NAME = "loaded"  # as in hostile.PREDICT


def main():
    from ganlib import UserError, export
    from ganlib.files import write_json

    folder = pathlib.Path(EXPORT.value)
    service, port = started(folder)
    try:
        card = json.loads((folder / "model_card.json").read_text())
        body = request_body(card)
        rows = [measured(port, body, int(clients)) for clients in CLIENTS.value]
        attack = attacked(service, port, body) if HOSTILE.value else None
    finally:
        service.terminate()
        code = service.wait(60)
    form = export.FORMATS[card["format"]]
    load_function = form.read(folder / form.NAME)[next(iter(card["functions"]))]
    for row in rows:
        row["model_alone"] = export.speed.rows_per_second(load_function, example(card, row["clients"]), SECONDS.value)
    results = {"export": folder.name, "rows": rows, "hostile": attack, "exit_status": code}
    print(table(rows))
    if attack:
        print(f"hostile requests: {attack['statuses']}; memory {attack['mib_before']:.0f} -> {attack['mib_after']:.0f} MiB")
    if OUTPUT.value:
        write_json(OUTPUT.value, results)
    if code or (attack and any(int(status) >= 500 for status in attack["statuses"])):
        raise UserError(f"the service ended with status {code}, or answered by 5xx: see above")


def started(folder):
    """The service as a process, and its port."""
    from ganlib import UserError

    command = [sys.executable, "-m", "experiments.serve", f"--export={folder}", "--port=0", f"--name={NAME}"]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = service.stdout.readline()
    found = re.search(r":(\d+)$", line.strip())
    if not found:
        raise UserError(f"the service did not start: {line.strip() or 'see above'}")
    return service, int(found.group(1))


def request_body(card):
    """One row for the main function."""
    inputs = {name: values.tolist() for name, values in example(card, 1).items()}
    return json.dumps({"inputs": inputs}).encode()


def example(card, count):
    """Inputs of the main function."""
    import numpy as np

    random, inputs = np.random.default_rng(SEED.value), {}
    for name, spec in next(iter(card["functions"].values())).items():
        shape = [count, *spec["shape"][1:]]
        if spec["dtype"].startswith("float"):
            inputs[name] = random.normal(size=shape).astype(spec["dtype"])
        else:
            inputs[name] = random.integers(
                0, 256 if spec["dtype"] == "uint8" else len(card["class_names"]), shape, spec["dtype"]
            )
    return inputs


def measured(port, body, clients):
    """What so many clients see."""
    import numpy as np

    until = time.monotonic() + SECONDS.value

    def ask():
        times, connection = [], http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < until:
            start = time.perf_counter()
            connection.request("POST", hostile.PREDICT, body)
            response = connection.getresponse()
            response.read()
            times.append((response.status, time.perf_counter() - start))
        return times

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        answers = [answer for future in [pool.submit(ask) for _ in range(clients)] for answer in future.result()]
    seconds = time.monotonic() - start
    times = 1000 * np.array([taken for status, taken in answers if status == 200])
    return {
        "clients": clients, "requests": len(answers), "refused": sum(status != 200 for status, _ in answers),
        "per_second": len(times) / seconds, **{f"p{q}_ms": float(np.percentile(times, q)) for q in (50, 99)},
    }  # fmt: skip


def table(rows):
    lines = ["| clients | requests/s | p50, ms | p99, ms | refused | model alone, rows/s | share of it |", "| --- " * 7 + "|"]
    for row in rows:
        cells = [f"{row['clients']}", f"{row['per_second']:.0f}", f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}"]
        cells += [f"{row['refused']}", f"{row['model_alone']:.0f}", f"{row['per_second'] / row['model_alone']:.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def attacked(service, port, body):
    """The statuses of the answers to hostile requests, and the service's memory before and after."""
    import random

    from tqdm import tqdm

    generator, statuses, before = random.Random(SEED.value), {}, None
    for index in tqdm(range(HOSTILE.value), desc="hostile requests"):
        if index == HOSTILE.value // 10:  # by then all that is loaded once is there
            before = resident_mib(service.pid)
        method, path, content = hostile.request(generator, body)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(method, path, content)
        status = str(connection.getresponse().status)
        connection.close()
        statuses[status] = statuses.get(status, 0) + 1
    return {"statuses": statuses, "mib_before": before, "mib_after": resident_mib(service.pid)}


def resident_mib(pid):
    """The memory of a process."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


if __name__ == "__main__":
    job.start(main)
