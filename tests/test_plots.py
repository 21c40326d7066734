import sys

import numpy as np
import pytest
from PIL import Image

import ganlib
from ganlib import UserError, plots
from tests.helpers import mlp_gan


def test_to_uint8_rounds_and_clips():
    assert plots.to_uint8(np.array([-1.0, 0.0, 1.0, 1.2, -3.0])).tolist() == [0, 128, 255, 255, 0]
    pixels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(plots.to_uint8(pixels / np.float32(127.5) - 1), pixels)
    assert plots.to_uint8(pixels) is pixels
    assert plots.to_uint8(np.zeros((0, 4, 4, 1), np.float32)).shape == (0, 4, 4, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_to_uint8_leaves_its_argument_unchanged(dtype):
    images = np.linspace(-1.2, 1.2, 8, dtype=dtype)
    before = images.copy()
    plots.to_uint8(images)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_images_that_are_not_finite_are_rejected_as_arrays_and_marked_in_figures(value, caplog):
    images = np.zeros((4, 28, 28, 1), np.float32)
    images[1, 3, 3], images[3] = value, value
    with pytest.raises(ganlib.UserError, match="^2 of 4 images are not finite: the network has diverged; use an earlier"):
        plots.to_uint8(images)
    with pytest.raises(ganlib.UserError, match="1 of 1 images is not finite"):
        plots.to_image(images[1])
    grid = np.asarray(plots.image_grid(images, columns=2))
    assert "2 of 4 images are not finite and drawn as a cross" in caplog.text
    finite, broken = grid[2:30, 2:30], grid[2:30, 32:60]
    assert (finite == 128).all()
    assert set(np.unique(broken)) == {0, 255}
    assert (broken.diagonal() == 255).all()
    assert (broken[:, ::-1].diagonal() == 255).all()
    assert np.mean(broken == 255) < 0.1
    assert len({grid[32 + top : 60 + top, 32:60].tobytes() for top in (0, -30)}) == 1


def test_images_of_another_dtype_or_range(caplog):
    with pytest.raises(ganlib.UserError, match="uint8 in .0, 255. or floats in .-1, 1., got int64: convert them"):
        plots.to_uint8(np.full((2, 4, 4, 1), 200))
    plots.to_uint8(np.full((2, 4, 4, 1), 1.2, np.float32))
    assert not caplog.text
    plots.to_uint8(np.arange(32, dtype=np.float32).reshape(2, 4, 4, 1))
    assert "images have values from 0 to 31 instead of [-1, 1]" in caplog.text


@pytest.mark.parametrize("channels", [1, 3])
def test_the_grid_contains_every_image_in_order(channels):
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, channels), np.uint8)
    grid = np.asarray(plots.image_grid(images, columns=3)).reshape(70, 104, channels)
    for index, image in enumerate(images):
        top, left = 2 + index // 3 * 34, 2 + index % 3 * 34
        np.testing.assert_array_equal(grid[top : top + 32, left : left + 32], image)
    assert (grid[36:, 70:] == 255).all()


def test_small_images_are_enlarged_without_smoothing():
    image = np.array([[0, 255], [255, 0]], np.uint8)[None, :, :, None]
    grid = np.asarray(plots.image_grid(image))
    assert grid.shape == (32, 32)
    assert (grid[2:16, 2:16] == 0).all()


def test_a_grid_without_images_is_rejected():
    with pytest.raises(ganlib.UserError, match="at least one image"):
        plots.image_grid(np.zeros((0, 4, 4, 1), np.uint8))


@pytest.mark.parametrize(("num_classes", "columns"), [(3, 3), (None, 8), (20, 8)])
def test_each_column_of_samples_shows_a_class(num_classes, columns):
    gan = mlp_gan(num_classes=num_classes)
    images = gan.generate(8 * columns, seed=1)
    np.testing.assert_array_equal(plots.sample_grid(gan, seed=1), plots.image_grid(images, columns))


def test_interpolation_preserves_its_ends_and_the_length():
    start, end = np.random.default_rng(0).normal(size=(2, 50))
    end *= np.linalg.norm(start) / np.linalg.norm(end)
    points = plots.interpolate(start, end, 7)
    np.testing.assert_allclose(points[0], start, rtol=1e-5)
    np.testing.assert_allclose(points[-1], end, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), np.linalg.norm(start), rtol=1e-5)
    np.testing.assert_allclose(plots.interpolate(start, start, 3), [start] * 3, rtol=1e-5)


def test_interpolation_grid_of_plain_and_conditional_models():
    for gan in (mlp_gan(), mlp_gan(num_classes=3)):
        assert plots.interpolation_grid(gan, rows=4, columns=5).size == (5 * 34 + 2, 4 * 34 + 2)


def test_captions_are_wrapped_to_their_columns():
    captions = ["7, not 2\n99 %", "Ankle boot, not Sneaker or Sandal\n100 %", "a_class_named_at_some_length, not another\n98 %"]
    figure = plots.captioned_grid(np.zeros((3, 28, 28, 1), np.uint8), captions)
    figure.draw_without_rendering()
    titles = [axes.title for axes in figure.axes]
    assert titles[0].get_text() == captions[0]
    assert titles[1].get_text() == "Ankle boot, not\nSneaker or Sandal\n100 %"
    boxes = [title.get_window_extent() for title in titles]
    assert boxes[0].x1 < boxes[1].x0
    assert boxes[1].x1 < boxes[2].x0


def test_curves_omit_panels_without_data():
    rows = [{"step": 1, "a": 1.0, "b": 2.0}, {"step": 2, "a": 3.0}]
    figure = plots.curves(rows, [("both", {"a": "first", "b": "second"}), ("none", {"c": "third"})])
    (axes,) = figure.axes
    assert axes.get_title() == "both"
    assert [line.get_label() for line in axes.lines] == ["first", "second"]
    assert axes.lines[0].get_xydata().tolist() == [[1, 1], [2, 3]]
    assert plots.curves([], [("both", {"a": "first"})]) is None


def test_confusion_matrix_shows_the_counts():
    figure = plots.confusion_matrix(np.array([[3, 1], [0, 4]]), ("cat", "dog"))
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["1", "3", "4"]


def frames(*values, size=8):
    return [plots.image_grid(np.full((1, size, size, 3), value, np.uint8)) for value in values]


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_animation(tmp_path, suffix):
    path = plots.animation(frames(0, 120, 255), tmp_path / f"new/a.{suffix}", frames_per_second=10)
    with Image.open(path) as picture:
        assert (picture.n_frames, picture.info["loop"]) == (3, 0)
        shown = []
        for index in range(3):
            picture.seek(index)
            shown.append(int(np.asarray(picture.convert("L"))[10, 10]))
    assert np.abs(np.array(shown) - [0, 120, 255]).max() < 6


def test_animation_as_mp4(tmp_path):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = plots.animation(frames(0, 255, size=33), tmp_path / "a.mp4", frames_per_second=10)
    reader = imageio_ffmpeg.read_frames(str(path))
    facts = next(reader)
    assert facts["size"] == (38, 38), "37 pixels, made even"
    shown = [np.frombuffer(frame, np.uint8).reshape(38, 38, 3)[20, 20, 0] for frame in reader]
    assert len(shown) == 2
    assert shown[0] < 10 < 245 < shown[1]


def test_animation_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r"need imageio-ffmpeg: pip install -e '.\[video\]', or write a .gif or .webp file"):
        plots.animation(frames(0, 255), tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_frames_must_fit(tmp_path):
    with pytest.raises(UserError, match="frames of one size"):
        plots.animation([*frames(0), *frames(0, size=40)], tmp_path / "a.gif")
    with pytest.raises(UserError, match="must end in .gif, .webp, .mp4"):
        plots.animation(frames(0), tmp_path / "a.png")


def test_curves_of_runs_over_each_other():
    runs = {"a": [{"step": 1, "x": 1.0}, {"step": 2, "x": 2.0}], "b": [{"step": 1, "x": 3.0, "y": 1.0}]}
    figure = plots.curves_of_runs(runs, [("losses", {"x": "first", "y": "second"}), ("none", {"z": "z"})])
    assert [axes.get_title() for axes in figure.axes] == ["losses: first", "losses: second"]
    assert [line.get_label() for line in figure.axes[0].lines] == ["a", "b"]
    assert figure.axes[0].lines[1].get_xydata().tolist() == [[1.0, 3.0]]
    assert plots.curves_of_runs({"a": []}, [("losses", {"x": "x"})]) is None
