"""The functions of an exported model for clients, with input checks and batching."""

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
"""The inputs of ``classify_files``. The service decodes the files itself, with size limits, instead of the model."""

SMALL = 2**17
"""Requests up to this number of bytes are parsed in the event loop; larger ones in a thread."""


class Service:
    """The functions of an exported model.

    Args:
        folder: A folder that `experiments.export` has written.
        max_rows: The maximum number of rows in a request and in one call of the model. Defaults to 64.
        max_waiting: The maximum number of waiting rows of each function. Defaults to 512.
        observe: A callback ``observe(function, rows)`` for each call of the model. Defaults to a function that does nothing.

    Attributes:
        card: The model card.
        specs: A dict from each function to its inputs, as in the card.

    Raises:
        UserError: If there is no export in the folder, or its outputs differ from those of the trained model.
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
        elif self.main == "classify":  # earlier versions exported classifiers without calibration, and no examples
            message = "the export in %r has no %s and may not be calibrated: run the training job and the export again"
            logging.getLogger("ganlib").warning(message, str(folder), export.examples.NAME)
        self._batchers = {
            name: Batcher(functions[name], max_rows, max_waiting, functools.partial(observe, name))
            for name, spec in self.specs.items()
            if all(array_spec["shape"] for array_spec in spec.values())
        }
        if "classify" in self.specs:
            self.specs["classify_files"] = FILES

    @property
    def waiting_rows(self):
        """The number of waiting rows of all functions."""
        return sum(batcher.waiting_rows for batcher in self._batchers.values())

    async def call(self, function, request, size=0):
        """Calls a function with a request in TensorFlow Serving's format. Returns a dict of arrays.

        Args:
            function: The name of the function.
            request: The JSON object.
            size: The size of the request in bytes. Small requests are parsed directly, because passing them to a thread would
                take longer. Defaults to 0.

        Raises:
            inputs.BadRequest: If the request is invalid.
            Busy: If the queue is full.
        """
        if function not in self.specs:
            raise inputs.BadRequest(f"unknown function {function!r}: known are {', '.join(self.specs)}")
        choices = len(self.card["class_names"]) or None
        arguments = request, self.specs[function], self.max_rows, choices
        arrays = inputs.arrays(*arguments) if size <= SMALL else await run_in_threadpool(inputs.arrays, *arguments)
        if function == "classify_files":
            return await self._classify_files(arrays["image_bytes"])
        if function in self._batchers:
            return await self._batchers[function](arrays)
        return await self._from_seed(function, arrays)

    async def _classify_files(self, contents):
        arguments = {"image_shape": self.card["image_shape"], "background": self.card["background"], "fit": self.card["fit"]}
        decoded = functools.partial(data.folders.decoded, **arguments)
        try:
            images = [await run_in_threadpool(decoded, content) for content in contents]
        except UserError as error:
            raise inputs.BadRequest(str(error)) from None
        results = await self._batchers["classify"]({"images": np.stack(images)})
        names = np.array(self.card["class_names"])
        return {**results, "class": names[results["probabilities"].argmax(axis=-1)]}

    async def _from_seed(self, function, arrays):
        """Calls an unbatched function, in the same thread as the batched ones."""
        return await self._batchers[self.main].run_between_batches(lambda: self._functions[function](**arrays))

    def warm_up(self):
        """Calls every batched function once, so that the first client does not wait for tracing."""
        for name in self._batchers:
            zeros = {
                key: np.zeros([self.max_rows, *spec["shape"][1:]], spec["dtype"]) for key, spec in self.specs[name].items()
            }
            self._functions[name](**zeros)
