"""Exports a trained run, and proves that what was written computes what the network does:
python -m experiments.export --workdir=runs/mnist_dcgan --format=onnx --output=exported/mnist_dcgan

Formats: saved_model (TensorFlow, TensorFlow Serving), onnx (onnxruntime, OpenCV), litert (phones; --quantize=float16 or
int8), keras (Keras on TensorFlow, PyTorch or JAX, compared on those that are installed). Of a GAN the averaged generator is
exported, of a classifier the averaged classifier with its calibration; in float32, whatever it was trained in. What was
written is read again and compared on random inputs; a difference above 1e-4 is an error, except for quantised networks, of
which it is only printed. Beside it lies a model card, model_card.json and model_card.md.
"""

import pathlib

from absl import flags

from experiments import job

WORKDIR = flags.DEFINE_string("workdir", None, "the folder of a trained run", required=True)
FORMAT = flags.DEFINE_enum("format", "saved_model", ["saved_model", "onnx", "litert", "keras"], "what to write")
OUTPUT = flags.DEFINE_string("output", None, "the folder to write to", required=True)
BEST = flags.DEFINE_bool("best", False, "take the checkpoint with the lowest FID instead of the newest")
QUANTIZE = flags.DEFINE_enum("quantize", "none", ["none", "float16", "int8"], "of litert")
LICENCE = flags.DEFINE_string("licence", "", "for the model card, such as CC-BY-4.0")


def main():
    from ganlib import UserError, export, runs

    if QUANTIZE.value != "none" and FORMAT.value != "litert":
        raise UserError(f"--quantize={QUANTIZE.value} goes with --format=litert, not with {FORMAT.value!r}")
    run, folder = runs.open_run(WORKDIR.value), pathlib.Path(OUTPUT.value)
    model = runs.load(WORKDIR.value, best=BEST.value, precision="float32")
    network, functions = export.functions.of_model(model, run.class_names)
    form = export.FORMATS[FORMAT.value]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / form.NAME
    options = {}
    if QUANTIZE.value != "none":
        examples = export.functions.inputs_as_used(functions[0], runs.open_data(run.config), export.litert.CALIBRATION)
        options = {"quantize": QUANTIZE.value, "examples": examples}
    form.write(functions, network, path, **options)
    found = export.verification.differences(functions, form.read(path))
    for backend in export.keras_file.installed() if FORMAT.value == "keras" else ():
        others = export.verification.differences(functions, form.read(path, backend))
        found |= {f"{name} on {backend}": value for name, value in others.items()}
    for name, value in found.items():
        print(f"{name}: largest difference {value:.1e}")
    if QUANTIZE.value == "none":
        export.verification.check(found)
    export.card.write(
        folder, pathlib.Path(WORKDIR.value).resolve().name, run, [f for f in functions if f.name in found],
        licence=LICENCE.value, format=FORMAT.value, quantized=QUANTIZE.value, step=int(model.step.numpy()),
        image_range="[-1, 1]" if functions[0].name == "generate" else "uint8", largest_difference=max(found.values()),
    )  # fmt: skip
    print(f"exported: {path}")


if __name__ == "__main__":
    job.start(main)
