"""Random access to the records of ArrayRecord files, from TensorFlow."""

import threading

import numpy as np
import tensorflow as tf

from ganlib.data import python_functions
from ganlib.errors import UserError

READER_OPTIONS = "readahead_buffer_size:0"  # for random access


class Records:
    """The records of several ArrayRecord files, numbered from the first of the first file.

    Only the bytes of a record are handled in Python, a batch at a time.

    Args:
        paths: The files.

    Raises:
        UserError: If a file is not an ArrayRecord file.

    Attributes:
        bytes_read: The size in bytes of all records that this process has read so far, from any files.
    """

    bytes_read = 0
    _lock = threading.Lock()

    def __init__(self, paths):
        self._paths = list(paths)
        self._readers = [_reader(path) for path in self._paths]
        self._starts = np.cumsum([0, *(reader.num_records() for reader in self._readers)])

    def __len__(self):
        return int(self._starts[-1])

    def fetch(self, indices):
        """Reads the records at ``(n,)`` int64 indices, a TensorFlow operation that returns ``(n,)`` strings."""
        records = python_functions.call(lambda indices: np.array(self.read(indices), object), [indices], tf.string)
        return tf.ensure_shape(records, indices.shape)

    def read(self, indices):
        """Reads the records at ``(n,)`` integer indices, and returns a list of bytes.

        Raises:
            UserError: If a record is damaged.
        """
        indices = np.asarray(indices)
        files = np.searchsorted(self._starts, indices, side="right") - 1
        records = [b""] * len(indices)
        for file in np.unique(files):
            rows = np.flatnonzero(files == file)
            positions = (indices[rows] - self._starts[file]).tolist()
            try:
                found = self._readers[file].read(positions)
            except (ValueError, RuntimeError) as error:  # a record that does not have its checksum
                raise UserError(f"{str(self._paths[file])!r} is damaged ({error}): copy or prepare the dataset again") from None
            for row, record in zip(rows, found, strict=True):
                records[row] = record
        with self._lock:
            Records.bytes_read += sum(map(len, records))
        return records


def _reader(path):
    try:
        from array_record.python.array_record_module import ArrayRecordReader
    except ImportError:  # on Windows
        raise UserError("prepared datasets need the package array_record, which is not installed here: use a folder") from None
    try:
        return ArrayRecordReader(str(path), READER_OPTIONS)
    except (ValueError, RuntimeError) as error:  # no or a damaged end of the file
        raise UserError(f"{str(path)!r} is not a complete ArrayRecord file ({error}): copy or prepare it again") from None
