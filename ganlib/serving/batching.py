"""Requests that wait together are answered together: while one batch is computed, the next one gathers."""

import asyncio
import collections
import concurrent.futures

import numpy as np


class Busy(Exception):
    """More is waiting than the service takes on: come back later."""


class Batcher:
    """Calls a function of arrays for many callers, joined along the first axis.

    Args:
        function: from numpy arrays by name, of ``n`` rows each, to a dict of arrays of ``n`` rows.
        max_rows: rows of one call.
        max_waiting: rows that wait at most; who comes then is refused.
        observe: called with the number of rows of each call.
    """

    def __init__(self, function, max_rows=64, max_waiting=512, observe=lambda rows: None):
        self.max_rows, self.max_waiting, self.waiting_rows = max_rows, max_waiting, 0
        self._function, self._observe = function, observe
        self._waiting = collections.deque()
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        self._worker = None

    async def __call__(self, inputs):
        """The function's results for ``inputs``, a dict of arrays of as many rows.

        Raises:
            Busy: if too much is waiting.
        """
        count = len(next(iter(inputs.values())))
        if self.waiting_rows + count > self.max_waiting:
            raise Busy(f"{self.waiting_rows} are waiting")
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((inputs, count, answer))
        self.waiting_rows += count
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await answer

    async def alone(self, function):
        """The result of ``function()``, called between two batches.

        Raises:
            Busy: if too much is waiting.
        """
        if self.waiting_rows >= self.max_waiting:
            raise Busy(f"{self.waiting_rows} are waiting")
        self.waiting_rows += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function)
        finally:
            self.waiting_rows -= 1

    async def _work(self):
        while self._waiting:
            taken = self._take()
            if taken:
                await self._answer(taken)

    def _take(self):
        """The next requests, as many as go into one call; those that nobody waits for any more are left out."""
        taken, rows = [], 0
        while self._waiting and (not taken or rows + self._waiting[0][1] <= self.max_rows):
            inputs, count, answer = self._waiting.popleft()
            self.waiting_rows -= count
            if not answer.done():
                taken.append((inputs, count, answer))
                rows += count
        return taken

    async def _answer(self, taken):
        try:
            parts = await self._computed(taken)
        except Exception as error:  # whatever it is, those who wait must hear of it
            for _, _, answer in taken:
                if not answer.done():
                    answer.set_exception(error)
            return
        for part, (_, _, answer) in zip(parts, taken, strict=True):
            if not answer.done():
                answer.set_result(part)

    async def _computed(self, taken):
        """The results of each request."""
        joined = {name: np.concatenate([inputs[name] for inputs, _, _ in taken]) for name in taken[0][0]}
        results = await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._function(**joined))
        ends = np.cumsum([count for _, count, _ in taken])
        for name, values in results.items():
            if len(values) != ends[-1]:
                raise RuntimeError(f"{name!r} has {len(values)} rows for {ends[-1]} that were asked for")
        self._observe(int(ends[-1]))
        parts = [np.split(values, ends[:-1]) for values in results.values()]
        return [dict(zip(results, part, strict=True)) for part in zip(*parts, strict=True)]
