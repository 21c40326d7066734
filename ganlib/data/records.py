"""Random access to the records of ArrayRecord files, from TensorFlow."""

import threading

import numpy as np
import tensorflow as tf

from ganlib.data import python_functions

READER_OPTIONS = "readahead_buffer_size:0"  # for random access


class Records:
    """The records of several ArrayRecord files, numbered from the first of the first file.

    Only the bytes of a record are handled in Python, a batch at a time.

    Args:
        paths: The files.

    Attributes:
        bytes_read: The size in bytes of the records that were read so far.
    """

    def __init__(self, paths):
        from array_record.python.array_record_module import ArrayRecordReader

        self._readers = [ArrayRecordReader(str(path), READER_OPTIONS) for path in paths]
        self._starts = np.cumsum([0, *(reader.num_records() for reader in self._readers)])
        self._lock = threading.Lock()
        self.bytes_read = 0

    def __len__(self):
        return int(self._starts[-1])

    def fetch(self, indices):
        """Reads the records at ``(n,)`` int64 indices, a TensorFlow operation that returns ``(n,)`` strings."""
        records = python_functions.call(lambda indices: np.array(self.read(indices), object), [indices], tf.string)
        return tf.ensure_shape(records, indices.shape)

    def read(self, indices):
        """Reads the records at ``(n,)`` integer indices, and returns a list of bytes."""
        indices = np.asarray(indices)
        files = np.searchsorted(self._starts, indices, side="right") - 1
        records = [b""] * len(indices)
        for file in np.unique(files):
            rows = np.flatnonzero(files == file)
            positions = (indices[rows] - self._starts[file]).tolist()
            for row, record in zip(rows, self._readers[file].read(positions), strict=True):
                records[row] = record
        with self._lock:
            self.bytes_read += sum(map(len, records))
        return records
