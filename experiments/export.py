"""Exports a trained run and verifies that the export computes the same results as the network:
python -m experiments.export --workdir=runs/mnist_dcgan --format=onnx --output=exported/mnist_dcgan

Formats: saved_model (TensorFlow, TensorFlow Serving), onnx (onnxruntime, OpenCV), litert (phones; --quantize=float16 or
int8), keras (Keras on TensorFlow, PyTorch or JAX, verified on those that are installed). For a GAN the averaged generator is
exported, for a classifier the averaged classifier with its calibration. The export is in float32, regardless of the precision
of training. It is read back and compared with the checkpoint on random inputs. A difference above 1e-4 is an error; for
quantized networks it is only printed. The export is also compared with examples.npz, the examples that the training job wrote
before anything was saved or loaded. The folder also gets these examples and a model card, model_card.json and model_card.md. A
folder holds one model in one format. A new export of the same model and format replaces it.
"""

import dataclasses
import pathlib

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "folder of a trained run", required=True)
FORMAT = flags.DEFINE_enum("format", "saved_model", ["saved_model", "onnx", "litert", "keras"], "format to write")
OUTPUT = flags.DEFINE_string("output", None, "folder to write to", required=True)
BEST = flags.DEFINE_bool("best", False, "use the checkpoint with the lowest FID instead of the newest")
QUANTIZE = flags.DEFINE_enum("quantize", "none", ["none", "float16", "int8"], "quantization of litert")
LICENCE = flags.DEFINE_string("licence", "", "license for the model card, such as CC-BY-4.0")


def main():
    from ganlib import UserError, export, runs
    from ganlib.files import folder_written_whole

    if QUANTIZE.value != "none" and FORMAT.value != "litert":
        raise UserError(f"--quantize={QUANTIZE.value} requires --format=litert, got {FORMAT.value!r}")
    run, folder = runs.open_run(WORKDIR.value), pathlib.Path(OUTPUT.value)
    export.card.check_free(folder, run, FORMAT.value)
    model = runs.load(WORKDIR.value, best=BEST.value, precision="float32")
    step = int(model.step.numpy())
    network, functions = export.functions.of_model(model, run.class_names, run.config.background, run.config.get("fit", "crop"))
    with folder_written_whole(folder) as partial:
        write(run, network, functions, step, partial)
    print(f"exported: {folder / export.FORMATS[FORMAT.value].NAME}")


def write(run, network, functions, step, folder):
    """Writes the export, the examples and the card to a folder, and compares the export with the network."""
    from ganlib import export, runs

    form, options = export.FORMATS[FORMAT.value], {}
    path = folder / form.NAME
    if QUANTIZE.value != "none":
        examples = export.functions.inputs_as_used(functions[0], runs.open_data_of(run), export.litert.CALIBRATION)
        options = {"quantize": QUANTIZE.value, "examples": examples}
    form.write(functions, network, path, **options)
    read = form.read(path)
    differences = export.verification.differences(functions, read)
    for backend in export.keras_file.installed() if FORMAT.value == "keras" else ():
        on_backend = export.verification.differences(functions, form.read(path, backend))
        differences |= {f"{name} on {backend}": value for name, value in on_backend.items()}
    for name, value in differences.items():
        print(f"{name}: largest difference {value:.1e}")
    if QUANTIZE.value == "none":
        export.verification.check(differences)
    compare_with_training(run, step, folder, read[functions[0].name])
    export.card.write(
        folder, run, [f for f in functions if f.name in differences], step, licence=LICENCE.value, format=FORMAT.value,
        quantized=QUANTIZE.value, image_range="[-1, 1]" if functions[0].name == "generate" else "uint8",
        largest_difference=max(differences.values()),
    )  # fmt: skip


def compare_with_training(run, step, folder, call):
    """Compares the export with the examples from training, and copies these to the folder of the export."""
    from ganlib import export

    examples = export.examples.read(run.folder)
    if examples is None or examples.step != step:
        reason = f"its {export.examples.NAME} is from step {examples.step}" if examples else f"it has no {export.examples.NAME}"
        print(f"not compared with the examples from training: the run's checkpoint is from step {step}, and {reason}")
        return
    if QUANTIZE.value != "none":
        loss = export.examples.difference(examples, call)
        examples = dataclasses.replace(examples, tolerance=loss + examples.tolerance)
    difference = export.examples.check(examples, call, f"the export of {str(run.folder)!r}")
    print(f"examples from training: difference {difference:.1e}")
    export.examples.write(folder, examples)


if __name__ == "__main__":
    job.start(main)
