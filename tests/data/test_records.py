import pytest
import tensorflow as tf
from array_record.python.array_record_module import ArrayRecordWriter

import ganlib
from ganlib.data.records import Records


@pytest.fixture
def files(tmp_path):
    """Three files with 5, 1 and 4 records: b"0", b"1", ..., of different lengths."""
    paths, number = [], 0
    for index, count in enumerate((5, 1, 4)):
        paths.append(tmp_path / f"{index}.array_record")
        writer = ArrayRecordWriter(str(paths[-1]), "group_size:1,uncompressed")
        for _ in range(count):
            writer.write(str(number).encode() * (number + 1))
            number += 1
        writer.close()
    return paths


def expected(index):
    return str(index).encode() * (index + 1)


def test_records_of_several_files_are_read_in_the_order_of_the_indices(files):
    content = Records(files)
    assert len(content) == 10
    order = [9, 0, 5, 5, 4, 6, 0]
    assert content.read(order) == [expected(index) for index in order]
    assert content.read([]) == []


def test_records_are_fetched_in_a_pipeline(files):
    content = Records(files)
    dataset = tf.data.Dataset.range(10).batch(4, drop_remainder=True).map(content.fetch, num_parallel_calls=2)
    assert dataset.element_spec.shape == (4,)
    assert [batch.numpy().tolist() for batch in dataset] == [[expected(i) for i in rows] for rows in (range(4), range(4, 8))]


def test_the_bytes_that_are_read_are_counted(files):
    content, before = Records(files), Records.bytes_read
    content.read([0, 9, 9])
    assert Records.bytes_read - before == 1 + 10 + 10


@pytest.mark.parametrize("position", range(65_536, 65_536 * 3, 9_973))
def test_no_damage_gives_a_wrong_record(tmp_path, position):
    path = tmp_path / "0.array_record"
    writer = ArrayRecordWriter(str(path), "group_size:1,uncompressed")
    for index in range(200):
        writer.write(bytes([index]) * 1000)
    writer.close()
    content = bytearray(path.read_bytes())
    content[position] ^= 255
    path.write_bytes(content)
    try:
        found = Records([path]).read(range(200))
    except (ganlib.UserError, IndexError):  # IndexError: fewer records, whose number `ganlib.data.prepared` checks
        return
    assert found == [bytes([index]) * 1000 for index in range(200)]
