import asyncio
import threading

import numpy as np
import pytest

pytest.importorskip("fastapi")

from ganlib.serving.batching import Batcher, Busy


def test_waiting_requests_are_batched_and_answered_individually():
    sizes, first = [], threading.Event()

    def double(x):
        sizes.append(len(x))
        first.wait(5)
        return {"y": 2 * x}

    async def main():
        batcher = Batcher(double, max_rows=4, max_waiting=10)
        calls = [asyncio.create_task(batcher({"x": np.full((count, 2), count)})) for count in (1, 2, 1, 3)]
        while not sizes:
            await asyncio.sleep(0.001)
        first.set()
        return await asyncio.gather(*calls)

    answers = asyncio.run(main())
    for count, answer in zip((1, 2, 1, 3), answers, strict=True):
        np.testing.assert_array_equal(answer["y"], np.full((count, 2), 2 * count))
    assert sum(sizes) == 7
    assert max(sizes) == 4


def test_requests_beyond_the_limit_are_refused_and_earlier_ones_answered():
    proceed = threading.Event()

    def slow(x):
        proceed.wait(5)
        return {"y": x}

    async def main():
        batcher = Batcher(slow, max_rows=1, max_waiting=3)
        calls = [asyncio.create_task(batcher({"x": np.array([k])})) for k in range(10)]
        await asyncio.sleep(0.05)
        proceed.set()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert batcher.waiting_rows == 0
        assert (await batcher({"x": np.array([7])}))["y"] == [7]
        assert await batcher.run_between_batches(lambda: 5) == 5
        return results

    results = asyncio.run(main())
    assert [isinstance(result, Busy) for result in results] == [False] * 3 + [True] * 7
    assert [int(result["y"][0]) for result in results[:3]] == [0, 1, 2]


def test_error_reaches_all_waiting_clients_and_the_next_request_is_answered():
    def fails_at_zero(x):
        if 0 in x:
            raise ValueError("zero")
        return {"y": x}

    async def main():
        batcher = Batcher(fails_at_zero)
        results = await asyncio.gather(*(batcher({"x": np.array([k])}) for k in (0, 1)), return_exceptions=True)
        return results, await batcher({"x": np.array([2])})

    results, after = asyncio.run(main())
    assert all(isinstance(result, ValueError) for result in results)
    assert after["y"] == [2]


def test_canceled_request_is_skipped():
    computed, proceed = [], threading.Event()

    def slow(x):
        computed.extend(x.tolist())
        proceed.wait(5)
        return {"y": x}

    async def main():
        batcher = Batcher(slow, max_rows=1)
        calls = [asyncio.create_task(batcher({"x": np.array([k])})) for k in range(3)]
        await asyncio.sleep(0.05)
        calls[1].cancel()
        await asyncio.sleep(0)
        proceed.set()
        return await asyncio.gather(*calls, return_exceptions=True)

    results = asyncio.run(main())
    assert isinstance(results[1], asyncio.CancelledError)
    assert computed == [0, 2]


@pytest.mark.parametrize("fault", ["incompatible shapes", "too few rows", "no arrays", "observe"])
def test_any_failure_in_a_batch_reaches_all_waiting_clients(fault):
    def observe(rows):
        if fault == "observe":
            raise ValueError("the observer")

    def function(x):
        return {"too few rows": {"y": x[1:]}, "no arrays": {"y": None}}.get(fault, {"y": x})

    async def main():
        batcher = Batcher(function, observe=observe)
        rows = [np.zeros((1, 2)), np.zeros((1, 3) if fault == "incompatible shapes" else (1, 2))]
        calls = (batcher({"x": each}) for each in rows)
        return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 5)

    results = asyncio.run(main())
    assert [isinstance(result, Exception) for result in results] == [True, True]
