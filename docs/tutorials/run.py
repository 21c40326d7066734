"""Runs the tutorials from top to bottom, keeps what they print and draw, and saves the
last picture of each for its top:
python docs/tutorials/run.py 01_first_gan 06_few_labels (all without names)

A translation, NAME.zh.ipynb, has the same code, and gets the same outputs.
"""

import base64
import pathlib
import sys
import time

import nbclient
import nbformat

HERE = pathlib.Path(__file__).parent
PICTURES = HERE.parent / "images/tutorials"


def main():
    names = sys.argv[1:] or sorted(
        path.stem for path in HERE.glob("*.ipynb") if not path.stem.endswith(".zh")
    )
    for name in names:
        started, path = time.monotonic(), HERE / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        nbclient.NotebookClient(
            notebook, timeout=900, resources={"metadata": {"path": HERE}}
        ).execute()
        pictures = [picture for cell in notebook.cells for picture in cleaned(cell)]
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(pictures[-1]))
        nbformat.write(notebook, path)
        translate(notebook, HERE / f"{name}.zh.ipynb")
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)


def translate(notebook, path):
    """Gives a translation, where there is one, the outputs of the notebook."""
    if path.exists():
        translation = nbformat.read(path, as_version=4)
        for own, cell in zip(translation.cells, notebook.cells, strict=True):
            if cell.cell_type == "code":
                own.outputs, own.execution_count = cell.outputs, cell.execution_count
        nbformat.write(translation, path)


def cleaned(cell):
    """The pictures of a cell, from which warnings and times are taken out."""
    cell.metadata.pop("execution", None)
    if cell.cell_type != "code":
        return []
    cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return [
        output.data["image/png"]
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]


if __name__ == "__main__":
    main()
