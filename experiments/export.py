"""Exports a trained run, and proves that what was written computes what the network does:
python -m experiments.export --workdir=runs/mnist_dcgan --format=onnx --output=exported/mnist_dcgan

Formats: saved_model (TensorFlow, TensorFlow Serving), onnx (onnxruntime, OpenCV), litert (phones; --quantize=float16 or
int8), keras (Keras on TensorFlow, PyTorch or JAX, compared on those that are installed). Of a GAN the averaged generator is
exported, of a classifier the averaged classifier with its calibration; in float32, whatever it was trained in. What was
written is read again and compared with the checkpoint on random inputs; a difference above 1e-4 is an error, except for
quantized networks, of which it is only printed. It is also compared with the examples that the training job left in the run,
examples.npz, made before anything was saved or loaded. Beside it lie these examples and a model card, model_card.json and
model_card.md. A folder holds one model in one format; a new export of the same model and format replaces it.
"""

import dataclasses
import pathlib

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "the folder of a trained run", required=True)
FORMAT = flags.DEFINE_enum("format", "saved_model", ["saved_model", "onnx", "litert", "keras"], "what to write")
OUTPUT = flags.DEFINE_string("output", None, "the folder to write to", required=True)
BEST = flags.DEFINE_bool("best", False, "take the checkpoint with the lowest FID instead of the newest")
QUANTIZE = flags.DEFINE_enum("quantize", "none", ["none", "float16", "int8"], "of litert")
LICENCE = flags.DEFINE_string("licence", "", "for the model card, such as CC-BY-4.0")


def main():
    from ganlib import UserError, export, runs
    from ganlib.files import folder_written_whole

    if QUANTIZE.value != "none" and FORMAT.value != "litert":
        raise UserError(f"--quantize={QUANTIZE.value} goes with --format=litert, not with {FORMAT.value!r}")
    run, folder = runs.open_run(WORKDIR.value), pathlib.Path(OUTPUT.value)
    export.card.check_free(folder, run, FORMAT.value)
    model = runs.load(WORKDIR.value, best=BEST.value, precision="float32")
    step = int(model.step.numpy())
    network, functions = export.functions.of_model(model, run.class_names, run.config.background)
    with folder_written_whole(folder) as partial:
        write(run, network, functions, step, partial)
    print(f"exported: {folder / export.FORMATS[FORMAT.value].NAME}")


def write(run, network, functions, step, folder):
    """Writes the format, the examples and the card to a folder, and compares what was written with the network."""
    from ganlib import export, runs

    form, options = export.FORMATS[FORMAT.value], {}
    path = folder / form.NAME
    if QUANTIZE.value != "none":
        examples = export.functions.inputs_as_used(functions[0], runs.open_data_of(run), export.litert.CALIBRATION)
        options = {"quantize": QUANTIZE.value, "examples": examples}
    form.write(functions, network, path, **options)
    read = form.read(path)
    found = export.verification.differences(functions, read)
    for backend in export.keras_file.installed() if FORMAT.value == "keras" else ():
        others = export.verification.differences(functions, form.read(path, backend))
        found |= {f"{name} on {backend}": value for name, value in others.items()}
    for name, value in found.items():
        print(f"{name}: largest difference {value:.1e}")
    if QUANTIZE.value == "none":
        export.verification.check(found)
    compare_with_training(run, step, folder, read[functions[0].name])
    export.card.write(
        folder, run, [f for f in functions if f.name in found], step, licence=LICENCE.value, format=FORMAT.value,
        quantized=QUANTIZE.value, image_range="[-1, 1]" if functions[0].name == "generate" else "uint8",
        largest_difference=max(found.values()),
    )  # fmt: skip


def compare_with_training(run, step, folder, call):
    """Compares what was written with the examples that the training left, and puts these beside it."""
    from ganlib import export

    examples = export.examples.read(run.folder)
    if examples is None or examples.step != step:
        why = f"its {export.examples.NAME} is of step {examples.step}" if examples else f"it has no {export.examples.NAME}"
        print(f"not compared with the training's own examples: the run's checkpoint is of step {step}, and {why}")
        return
    if QUANTIZE.value != "none":
        loss = export.examples.difference(examples, call)
        examples = dataclasses.replace(examples, tolerance=loss + examples.tolerance)
    found = export.examples.check(examples, call, f"what was written of {str(run.folder)!r}")
    print(f"the training's own examples: difference {found:.1e}")
    export.examples.write(folder, examples)


if __name__ == "__main__":
    job.start(main)
