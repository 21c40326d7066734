"""What an exported model offers to clients: its functions, with their inputs checked and their calls batched."""

import functools
import logging
import pathlib

import numpy as np
from starlette.concurrency import run_in_threadpool

from ganlib import data, export
from ganlib.errors import UserError
from ganlib.serving import inputs
from ganlib.serving.batching import Batcher

FILES = {"image_bytes": {"shape": ["batch"], "dtype": "string"}}
"""What the function ``classify_files`` takes: here files are unpacked within bounds, not by the model."""


SMALL = 2**17
"""Bytes."""


class Service:
    """The functions of an exported model.

    Args:
        folder: what `experiments.export` has written.
        max_rows: rows of a request, and of one call of the model.
        max_waiting: rows that wait at most.
        observe: ``observe(function, rows)``, called for each call of the model.

    Attributes:
        card: the model card.
        specs: function -> its inputs, as in the card.

    Raises:
        UserError: if there is no export in the folder, or it does not compute what the trained model did.
    """

    def __init__(self, folder, max_rows=64, max_waiting=512, observe=lambda function, rows: None):
        folder = pathlib.Path(folder)
        self.card, self.max_rows = export.card.read(folder), max_rows
        form = export.FORMATS[self.card["format"]]
        functions = form.read(folder / form.NAME)
        self.specs = {name: spec for name, spec in self.card["functions"].items() if name != "classify_files"}
        self.main = next(iter(self.specs))
        self._functions = {name: functions[name] for name in self.specs}
        examples = export.examples.read(folder)
        if examples:
            export.examples.check(examples, functions[self.main], f"the export in {str(folder)!r}")
        elif self.main == "classify":  # ganlib exported classifiers without their calibration once, and no examples
            logging.getLogger("ganlib").warning(
                "the export in %r has no %s to be compared with, and may not be calibrated: run the training job and the "
                "export again", str(folder), export.examples.NAME,
            )  # fmt: skip
        self._batchers = {
            name: Batcher(functions[name], max_rows, max_waiting, functools.partial(observe, name))
            for name, spec in self.specs.items() if all(each["shape"] for each in spec.values())
        }  # fmt: skip
        if "classify" in self.specs:
            self.specs["classify_files"] = FILES

    @property
    def waiting_rows(self):
        """How many rows wait, of all functions together."""
        return sum(batcher.waiting_rows for batcher in self._batchers.values())

    async def call(self, function, request, size=0):
        """The results of a function, a dict of arrays, for a request as TensorFlow Serving takes it.

        Args:
            function: its name.
            request: the JSON object.
            size: bytes of its text. Few are read at once: to hand them to a thread would take longer.

        Raises:
            inputs.BadRequest: for what does not fit.
            Busy: if too much is waiting.
        """
        if function not in self.specs:
            raise inputs.BadRequest(f"no function {function!r}: there are {', '.join(self.specs)}")
        choices = len(self.card["class_names"]) or None
        arguments = request, self.specs[function], self.max_rows, choices
        arrays = inputs.arrays(*arguments) if size <= SMALL else await run_in_threadpool(inputs.arrays, *arguments)
        if function == "classify_files":
            return await self._classify_files(arrays["image_bytes"])
        if function in self._batchers:
            return await self._batchers[function](arrays)
        return await self._from_seed(function, arrays)

    async def _classify_files(self, contents):
        shape, background = self.card["image_shape"], self.card["background"]
        decoded = functools.partial(data.folders.decoded, image_shape=shape, background=background)
        try:
            images = [await run_in_threadpool(decoded, content) for content in contents]
        except UserError as error:
            raise inputs.BadRequest(str(error)) from None
        results = await self._batchers["classify"]({"images": np.stack(images)})
        names = np.array(self.card["class_names"])
        return {**results, "class": names[results["probabilities"].argmax(axis=-1)]}

    async def _from_seed(self, function, arrays):
        """A function without a batch, in the thread of those with one."""
        return await self._batchers[self.main].alone(lambda: self._functions[function](**arrays))

    def warm_up(self):
        """Calls every batched function once, so that the first client does not wait for it."""
        for name in self._batchers:
            zeros = {
                key: np.zeros([self.max_rows, *each["shape"][1:]], each["dtype"]) for key, each in self.specs[name].items()
            }
            self._functions[name](**zeros)
