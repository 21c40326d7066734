"""Runs tutorials, and saves their outputs and the last picture of each for its header:
python docs/tutorials/run.py 01_first_gan 06_few_labels (without names: all tutorials)

A translation, NAME.zh.ipynb, has the same code and receives the same outputs.
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
    """Copies the outputs of a notebook to its translation, if there is one."""
    if path.exists():
        translation = nbformat.read(path, as_version=4)
        for translated, cell in zip(translation.cells, notebook.cells, strict=True):
            if cell.cell_type == "code":
                translated.outputs = cell.outputs
                translated.execution_count = cell.execution_count
        nbformat.write(translation, path)


def cleaned(cell):
    """Removes warnings and times from a cell and returns its pictures."""
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
