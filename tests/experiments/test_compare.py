import pytest

import ganlib
from experiments import compare


def test_configs_are_loaded_with_what_is_set():
    config = compare.load_config("mnist_resnet", ["steps=7", "generator.width=5", "precision=mixed_float16"])
    assert (config.steps, config.generator.width, config.precision) == (7, 5, "mixed_float16")
    for pair in ("stepz=7", "generator.widht=5", "steps=many", "nothing.width=5"):
        with pytest.raises(ganlib.UserError, match=f"--set={pair} does not fit config 'mnist_resnet': ."):
            compare.load_config("mnist_resnet", [pair])
    with pytest.raises(ganlib.UserError, match="no config 'nothing': give names of files"):
        compare.load_config("nothing")
