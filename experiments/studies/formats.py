"""What a trained run is in each format that it can be exported to: its size, its speed here, and what it loses.
python -m experiments.studies.formats --workdirs=runs/digits_sgan,runs/digits_dcgan --output=formats.json

For each format: the bytes written, the largest difference from the network on random inputs, images a second in batches of
--batch_size on the CPU, and how good it is by itself: a classifier's accuracy on test images, the FID of a generator's images.
Quantized files are measured the same way, and the Keras file on PyTorch and JAX, too, where they are installed. The table is
Markdown; --output gets the numbers.
"""

import pathlib
import tempfile

from absl import flags

from experiments.common import job

WORKDIRS = flags.DEFINE_list("workdirs", None, "the folders of trained runs", required=True)
BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "rows in a call", lower_bound=1)
SECONDS = flags.DEFINE_integer("seconds", 5, "how long the speed of each is measured", lower_bound=1)
SAMPLES = flags.DEFINE_integer("samples", 10_000, "test images to classify, or images to generate", lower_bound=2)
SEED = flags.DEFINE_integer("seed", 0, "of the latents")
OUTPUT = flags.DEFINE_string("output", None, "a JSON file for the numbers")
KINDS = {  # the name of a row: a format, how it is written, how it is read
    "saved_model": ("saved_model", {}, {}), "onnx": ("onnx", {}, {}), "litert": ("litert", {}, {}),
    "litert, float16": ("litert", {"quantize": "float16"}, {}), "litert, int8": ("litert", {"quantize": "int8"}, {}),
    "keras": ("keras", {}, {}),
}  # fmt: skip
HEADER = ("run", "format", "MiB", "largest difference", "images/s", "quality")


def main():
    from ganlib.files import write_json

    rows = [row for workdir in WORKDIRS.value for row in of_run(workdir)]
    print(table(rows))
    if OUTPUT.value:
        write_json(OUTPUT.value, {"batch_size": BATCH_SIZE.value, "samples": SAMPLES.value, "rows": rows})


def of_run(workdir):
    """The rows of one run."""
    import numpy as np

    from ganlib import export, runs

    run, model = runs.open_run(workdir), runs.load(workdir, precision="float32")
    network, functions = export.functions.of_model(model, run.class_names, run.config.background)
    source, load_function = runs.open_data(run.config), functions[0]
    examples = export.functions.inputs_as_used(load_function, source, export.litert.CALIBRATION)
    is_classifier = load_function.name == "classify"
    judge = accuracy_on(test_images(run)) if is_classifier else fid_to(source, run, load_function)
    others = {f"keras on {backend}": ("keras", {}, {"backend": backend}) for backend in export.keras_file.installed()}
    sample, rows = load_function.example(BATCH_SIZE.value, np.random.default_rng(SEED.value)), []
    for name, (form, writing, reading) in (KINDS | others).items():
        form = export.FORMATS[form]
        if writing:
            writing = {**writing, "examples": examples}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / form.NAME
            form.write(functions, network, path, **writing)
            read = form.read(path, **reading)
            written = sum(file.stat().st_size for file in pathlib.Path(folder).rglob("*") if file.is_file())
            found = export.verification.differences(functions[:1], read)
            call = read[load_function.name]
            rows.append({
                "run": pathlib.Path(workdir).resolve().name, "format": name, "mib": written / 2**20,
                "largest_difference": found[load_function.name],
                "images_per_second": export.speed.rows_per_second(call, sample, SECONDS.value), **judge(call),
            })  # fmt: skip
        print(cells(rows[-1]), flush=True)
    return rows


def test_images(run):
    """The images that a classifier's run was tested on."""
    from ganlib import UserError, runs

    if not run.config.test_split:
        raise UserError(f"run {str(run.folder)!r} has no test images: its test_split is empty")
    return runs.open_data(run.config, run.config.test_split)


def accuracy_on(test):
    """A function from what classifies to its accuracy on test images."""
    import numpy as np

    images, labels = test.pick(np.arange(test.num_examples)[: SAMPLES.value]), test.labels[: SAMPLES.value]

    def judge(call):
        batches = np.split(images, range(BATCH_SIZE.value, len(images), BATCH_SIZE.value))
        chosen = np.concatenate([call(images=batch)["probabilities"].argmax(axis=1) for batch in batches])
        return {"accuracy": float(np.mean(chosen == labels))}

    return judge


def fid_to(source, run, function):
    """A function from what generates to the FID of its images."""
    import numpy as np

    from ganlib import evaluation, plots
    from ganlib.data import sources

    evaluate = evaluation.Evaluation(source, ["fid"], run.config.features, SAMPLES.value, SEED.value)
    inputs = function.example(SAMPLES.value, np.random.default_rng(SEED.value))

    def judge(call):
        starts = range(0, SAMPLES.value, BATCH_SIZE.value)
        parts = [{name: values[start : start + BATCH_SIZE.value] for name, values in inputs.items()} for start in starts]
        images = np.concatenate([plots.to_uint8(call(**part)["images"]) for part in parts])
        return {"fid": evaluate.of_source(sources.from_arrays("exported", images))["fid"]}

    return judge


def cells(row):
    """A row of the table."""
    quality = f"accuracy {100 * row['accuracy']:.2f} %" if "accuracy" in row else f"FID {row['fid']:.3f}"
    shown = (f"`{row['run']}`", row["format"], f"{row['mib']:.2f}", f"{row['largest_difference']:.1e}",
             f"{row['images_per_second']:,.0f}", quality)  # fmt: skip
    return f"| {' | '.join(shown)} |"


def table(rows):
    """All rows under a header."""
    return "\n".join([f"\n| {' | '.join(HEADER)} |", "| --- " * len(HEADER) + "|", *map(cells, rows)])


if __name__ == "__main__":
    job.start(main)
