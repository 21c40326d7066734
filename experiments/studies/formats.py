"""Compares the export formats of trained runs by their size, speed and quality:
python -m experiments.studies.formats --workdirs=runs/digits_sgan,runs/digits_dcgan --output=formats.json

For each format the table has the size of the export, the largest difference from the network on random inputs, images per
second in batches of --batch_size on the CPU, and the quality: a classifier's accuracy on test images, or the FID of a
generator's images. It includes quantized exports, and the Keras file on PyTorch and JAX if they are installed. The table is
printed as Markdown. --output writes the numbers to a file.
"""

import pathlib
import tempfile

from absl import flags

from experiments.common import job

WORKDIRS = flags.DEFINE_list("workdirs", None, "folders of trained runs", required=True)
BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "rows per call", lower_bound=1)
SECONDS = flags.DEFINE_integer("seconds", 5, "duration of each speed measurement in seconds", lower_bound=1)
SAMPLES = flags.DEFINE_integer("samples", 10_000, "number of test images to classify, or of images to generate", lower_bound=2)
SEED = flags.DEFINE_integer("seed", 0, "seed of the latents")
OUTPUT = flags.DEFINE_string("output", None, "JSON file for the numbers")
KINDS = {  # name of a row -> format, arguments for writing, arguments for reading
    "saved_model": ("saved_model", {}, {}),
    "onnx": ("onnx", {}, {}),
    "litert": ("litert", {}, {}),
    "litert, float16": ("litert", {"quantize": "float16"}, {}),
    "litert, int8": ("litert", {"quantize": "int8"}, {}),
    "keras": ("keras", {}, {}),
}
HEADER = ("run", "format", "MiB", "largest difference", "images/s", "quality")


def main():
    from ganlib.files import write_json

    rows = [row for workdir in WORKDIRS.value for row in of_run(workdir)]
    print(table(rows))
    if OUTPUT.value:
        write_json(OUTPUT.value, {"batch_size": BATCH_SIZE.value, "samples": SAMPLES.value, "rows": rows})


def of_run(workdir):
    """Returns the rows of one run."""
    import numpy as np

    from ganlib import export, runs

    run, model = runs.open_run(workdir), runs.load(workdir, precision="float32")
    network, functions = export.functions.of_model(model, run.class_names, run.config.background, run.config.get("fit", "crop"))
    source, function = runs.open_data(run.config), functions[0]
    examples = export.functions.inputs_as_used(function, source, export.litert.CALIBRATION)
    is_classifier = function.name == "classify"
    quality = accuracy_on(test_images(run)) if is_classifier else fid_to(source, run, function)
    other_backends = {f"keras on {backend}": ("keras", {}, {"backend": backend}) for backend in export.keras_file.installed()}
    sample, rows = function.example(BATCH_SIZE.value, np.random.default_rng(SEED.value)), []
    for name, (form, writing, reading) in (KINDS | other_backends).items():
        form = export.FORMATS[form]
        if writing:
            writing = {**writing, "examples": examples}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / form.NAME
            form.write(functions, network, path, **writing)
            read = form.read(path, **reading)
            size = sum(file.stat().st_size for file in pathlib.Path(folder).rglob("*") if file.is_file())
            differences = export.verification.differences(functions[:1], read)
            call = read[function.name]
            rows.append({
                "run": pathlib.Path(workdir).resolve().name, "format": name, "mib": size / 2**20,
                "largest_difference": differences[function.name],
                "images_per_second": export.speed.rows_per_second(call, sample, SECONDS.value), **quality(call),
            })  # fmt: skip
        print(cells(rows[-1]), flush=True)
    return rows


def test_images(run):
    """Opens the images that a classifier's run was tested on."""
    from ganlib import UserError, runs

    if not run.config.test_split:
        raise UserError(f"run {str(run.folder)!r} has no test images: its test_split is empty; pass a run with a test split")
    return runs.open_data(run.config, run.config.test_split)


def accuracy_on(test):
    """Returns a function that measures the accuracy of a classification function on test images."""
    import numpy as np

    images, labels = test.pick(np.arange(test.num_examples)[: SAMPLES.value]), test.labels[: SAMPLES.value]

    def quality(call):
        batches = np.split(images, range(BATCH_SIZE.value, len(images), BATCH_SIZE.value))
        predictions = np.concatenate([call(images=batch)["probabilities"].argmax(axis=1) for batch in batches])
        return {"accuracy": float(np.mean(predictions == labels))}

    return quality


def fid_to(source, run, function):
    """Returns a function that measures the FID of a generation function."""
    import numpy as np

    from ganlib import data, evaluation, plots

    evaluate = evaluation.Evaluation(source, ["fid"], run.config.features, SAMPLES.value, SEED.value)
    inputs = function.example(SAMPLES.value, np.random.default_rng(SEED.value))

    def quality(call):
        starts = range(0, SAMPLES.value, BATCH_SIZE.value)
        parts = [{name: values[start : start + BATCH_SIZE.value] for name, values in inputs.items()} for start in starts]
        images = np.concatenate([plots.to_uint8(call(**part)["images"]) for part in parts])
        return {"fid": evaluate.of_source(data.from_arrays("exported", images))["fid"]}

    return quality


def cells(row):
    """Formats a row of the table."""
    quality = f"accuracy {100 * row['accuracy']:.2f} %" if "accuracy" in row else f"FID {row['fid']:.3f}"
    values = (f"`{row['run']}`", row["format"], f"{row['mib']:.2f}", f"{row['largest_difference']:.1e}",
             f"{row['images_per_second']:,.0f}", quality)  # fmt: skip
    return f"| {' | '.join(values)} |"


def table(rows):
    """Formats all rows under a header."""
    return "\n".join([f"\n| {' | '.join(HEADER)} |", "| --- " * len(HEADER) + "|", *map(cells, rows)])


if __name__ == "__main__":
    job.start(main)
