"""ONNX, for onnxruntime, OpenCV, browsers and the compilers of accelerators: one file with the main function."""

import json

from ganlib.errors import UserError
from ganlib.files import written_whole

NAME = "network.onnx"
OPSET = 17


def write(functions, network, path):
    """Writes the first function.

    Args:
        functions: A list of `ganlib.export.functions.Function`.
        network: The network that the functions call.
        path: The file.

    Raises:
        UserError: If the converter is not installed.
    """
    try:
        import onnx
        import tf2onnx
    except ImportError:
        raise UserError("the format onnx requires onnx and tf2onnx: pip install 'ganlib[export]'") from None
    main = functions[0]
    model, _ = tf2onnx.convert.from_function(main.traced(), main.inputs, opset=OPSET)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.helper.set_model_props(model, {"function": main.name, "inputs": json.dumps([spec.name for spec in main.inputs])})
    with written_whole(path) as partial:
        onnx.save(model, partial)


def read(path):
    """Reads the main function, run by onnxruntime: see `ganlib.export.saved_model.read`.

    Raises:
        UserError: If onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UserError("running the format onnx requires onnxruntime: pip install 'ganlib[export]'") from None
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    function = session.get_modelmeta().custom_metadata_map["function"]
    return {function: lambda **arrays: dict(zip(names, session.run(None, arrays), strict=True))}
