import concurrent.futures
import signal

import pytest

from ganlib import export
from ganlib.networks import dcgan
from tests.end_to_end.jobs import finish, start
from tests.serving.test_app import exported

httpx = pytest.importorskip("httpx")


def test_service_answers_many_requests_and_stops_after_the_last(tmp_path):
    network = dcgan.Generator((8, 8, 1), 4, 8, num_classes=3)
    exported(tmp_path, export.functions.of_generator(network), network)
    process = start("serve", f"--export={tmp_path}", "--port=0", "--name=small")
    address = process.stdout.readline().rpartition(" on ")[2].strip()
    body = {"signature_name": "generate_from_seed", "inputs": {"seed": 1, "count": 2, "labels": [1]}}
    with concurrent.futures.ThreadPoolExecutor(8) as pool, httpx.Client() as client:
        send = lambda _: client.post(f"{address}/v1/models/small:predict", json=body)  # noqa: E731
        answers = list(pool.map(send, range(40)))
        assert [answer.status_code for answer in answers] == [200] * 40
        assert len({answer.text for answer in answers}) == 1
        last = [pool.submit(send, None) for _ in range(8)]
        concurrent.futures.wait(last, return_when=concurrent.futures.FIRST_COMPLETED)
        process.send_signal(signal.SIGTERM)
        assert all(future.exception() or future.result().status_code == 200 for future in last)
    code, output, errors = finish(process)
    assert (code, errors) == (0, [])
    assert "stopped" in output
