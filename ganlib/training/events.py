"""Event files of TensorBoard, and errors of TensorFlow's own file access."""

import contextlib

import tensorflow as tf

from ganlib.errors import first_line

_FILE_ERRORS = (
    tf.errors.AbortedError, tf.errors.AlreadyExistsError, tf.errors.DataLossError, tf.errors.FailedPreconditionError,
    tf.errors.NotFoundError, tf.errors.PermissionDeniedError, tf.errors.ResourceExhaustedError, tf.errors.UnavailableError,
    tf.errors.UnknownError,
)  # fmt: skip
"""The errors to which TensorFlow maps those of the system. It also raises `ResourceExhaustedError` without memory."""


class EventFile:
    """An event file of TensorBoard, which is created at the first write.

    Args:
        folder: The folder of the file.
    """

    def __init__(self, folder):
        self._folder, self._writer = folder, None

    def write(self, values, step):
        """Writes numbers.

        Args:
            values: A dict from names to numbers.
            step: The step.

        Raises:
            OSError: If the file system fails.
        """
        with file_errors():
            self._writer = self._writer or tf.summary.create_file_writer(str(self._folder))
            with self._writer.as_default():
                for name, value in values.items():
                    tf.summary.write(name, tf.constant(value, tf.float32), step=step, metadata=_scalar_metadata())

    def close(self):
        """Writes what is still in memory.

        Raises:
            OSError: If the file system fails.
        """
        if self._writer:
            with file_errors():
                self._writer.close()
            self._writer = None


@contextlib.contextmanager
def file_errors():
    """Raises an error of TensorFlow's file access in the block as an OSError of one line."""
    try:
        yield
    except _FILE_ERRORS as error:
        if "OOM when allocating" in str(error):
            raise
        raise OSError(first_line(error)) from None


def _scalar_metadata():
    """Returns the metadata of a scalar summary. `tf.summary.scalar` writes the same, but needs TensorBoard installed."""
    metadata = tf.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
    metadata.plugin_data.plugin_name = "scalars"
    return metadata
