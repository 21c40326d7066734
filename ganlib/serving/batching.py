"""Dynamic batching: while one batch is computed, waiting requests are collected into the next one."""

import asyncio
import collections
import concurrent.futures

import numpy as np


class Busy(Exception):
    """Raised when the queue is full. The client should retry later."""


class Batcher:
    """Batches the calls of many clients to a function of arrays along the first axis.

    Args:
        function: A function that takes numpy arrays by name, of ``n`` rows each, and returns a dict of arrays of ``n`` rows.
        max_rows: The maximum number of rows in one call. Defaults to 64.
        max_waiting: The maximum number of waiting rows. Further calls are rejected. Defaults to 512.
        observe: A callback that receives the number of rows of each call. Defaults to a function that does nothing.
    """

    def __init__(self, function, max_rows=64, max_waiting=512, observe=lambda rows: None):
        self.max_rows, self.max_waiting, self.waiting_rows = max_rows, max_waiting, 0
        self._function, self._observe = function, observe
        self._waiting = collections.deque()
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        self._worker = None

    async def __call__(self, inputs):
        """Returns the function's results for ``inputs``, a dict of arrays with the same number of rows.

        Raises:
            Busy: If the queue is full.
        """
        count = len(next(iter(inputs.values())))
        if self.waiting_rows + count > self.max_waiting:
            raise Busy(f"{self.waiting_rows} rows are waiting")
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((inputs, count, future))
        self.waiting_rows += count
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def run_between_batches(self, function):
        """Calls ``function()`` between two batches and returns its result.

        Raises:
            Busy: If the queue is full.
        """
        if self.waiting_rows >= self.max_waiting:
            raise Busy(f"{self.waiting_rows} rows are waiting")
        self.waiting_rows += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function)
        finally:
            self.waiting_rows -= 1

    async def _work(self):
        while self._waiting:
            requests = self._next_batch()
            if requests:
                await self._answer(requests)

    def _next_batch(self):
        """Takes the next requests, as many as fit into one call. Skips requests whose clients have stopped waiting."""
        requests, rows = [], 0
        while self._waiting and (not requests or rows + self._waiting[0][1] <= self.max_rows):
            inputs, count, future = self._waiting.popleft()
            self.waiting_rows -= count
            if not future.done():
                requests.append((inputs, count, future))
                rows += count
        return requests

    async def _answer(self, requests):
        try:
            parts = await self._compute(requests)
        except Exception as error:  # every waiting client must receive the error, whatever it is
            for _, _, future in requests:
                if not future.done():
                    future.set_exception(error)
            return
        for part, (_, _, future) in zip(parts, requests, strict=True):
            if not future.done():
                future.set_result(part)

    async def _compute(self, requests):
        """Computes the results of each request in one call."""
        batch = {name: np.concatenate([inputs[name] for inputs, _, _ in requests]) for name in requests[0][0]}
        results = await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._function(**batch))
        ends = np.cumsum([count for _, count, _ in requests])
        for name, values in results.items():
            if len(values) != ends[-1]:
                raise RuntimeError(f"{name!r} has {len(values)} rows, expected {ends[-1]}")
        self._observe(int(ends[-1]))
        parts = [np.split(values, ends[:-1]) for values in results.values()]
        return [dict(zip(results, part, strict=True)) for part in zip(*parts, strict=True)]
