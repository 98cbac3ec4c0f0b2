"""The sentence encoder beside onnxruntime's int8 on one core, pass by pass in turn.

The reference is the same network: its graph is built here with onnx.helper from models/encoder.bin and
quantised by onnxruntime's quantize_dynamic (int8 weights, activations quantised as it runs), with every
graph optimisation on. It is given token ids; ours is given text and does the tokenizing, too. Both use
one thread and are bound to the same core. Prints the median milliseconds of a pass, the ratio, and how
alike the vectors are.

usage: bench/encoder.py [--build build/release] [--tokens 16,32,64,128,512] [--passes 60] [--json]
"""

import argparse
import json
import logging
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.append(str(ROOT / "scripts"))

ENCODER = ROOT / "models" / "encoder.bin"
HEADER = "<8sQQ6I2fQ"  # of src/nn/encoder_file.cc
ALIGNMENT = 64
WARM_UP = 5
EPSILON = 1e-12
GOAL = 0.5
WORDS = ("time year people way day man thing woman life child world school state family student group "
         "country problem hand part place case week company system program question work government "
         "number night point home water room mother area money story fact month lot right study book "
         "eye job word business issue side kind head house service friend father power hour game line "
         "end member law car city community name").split()


class Weights:
    """The arrays of the encoder's file in their order, as floats."""

    def __init__(self):
        self.bytes = ENCODER.read_bytes()
        (_, _, _, vocabulary, self.width, self.heads, self.inner, self.positions, self.layers, *_,
         letters) = struct.unpack_from(HEADER, self.bytes)
        self.at = struct.calcsize(HEADER)
        self.take(np.uint32, vocabulary)
        self.take(np.uint8, letters)
        self.words = self.quantized(vocabulary, self.width)
        self.places = self.take(np.float32, self.positions, self.width)

    def take(self, kind, *shape):
        self.at += -self.at % ALIGNMENT
        count = int(np.prod(shape))
        out = np.frombuffer(self.bytes, kind, count, self.at).reshape(shape)
        self.at += out.nbytes
        return out

    def quantized(self, rows, columns):
        weight = self.take(np.int8, rows, columns)
        return weight.astype(np.float32) * self.take(np.float32, rows)[:, None]

    def linear(self, inputs, outputs):
        weight = self.quantized(outputs, inputs)
        return weight, self.take(np.float32, outputs)

    def norm(self):
        return self.take(np.float32, self.width), self.take(np.float32, self.width)


class Graph:
    """The network as the usual export writes it: ids [1, n] to the vector of the text."""

    def __init__(self, w: Weights):
        self.nodes, self.constants = [], []
        hidden = self.add("Gather", self.constant(w.words), "ids")
        places = self.add("Slice", self.constant(w.places), self.constant([0]),
                          self.add("Slice", self.add("Shape", "ids"), *map(self.constant, ([1], [2]))))
        hidden = self.norm(self.add("Add", hidden, places), w.norm())
        for _ in range(w.layers):
            weight, bias = w.linear(w.width, 3 * w.width)
            context = self.attention(hidden, weight, bias, w)
            hidden = self.norm(self.add("Add", hidden, self.linear(context, *w.linear(w.width, w.width))),
                               w.norm())
            wide = self.add("Gelu", self.linear(hidden, *w.linear(w.width, w.inner)))
            hidden = self.norm(self.add("Add", hidden, self.linear(wide, *w.linear(w.inner, w.width))),
                               w.norm())
        mean = self.add("ReduceMean", hidden, self.constant([1]), keepdims=0)
        self.nodes.append(onnx.helper.make_node("LpNormalization", [mean], ["vector"], axis=1, p=2))

    def constant(self, value) -> str:
        array = np.asarray(value)
        if array.dtype == np.int_:
            array = array.astype(np.int64)
        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, *inputs: str, **attributes) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def linear(self, x: str, weight, bias) -> str:
        return self.add("Add", self.add("MatMul", x, self.constant(weight.T)), self.constant(bias))

    def norm(self, x: str, norm) -> str:
        return self.add("LayerNormalization", x, *map(self.constant, norm), axis=-1, epsilon=EPSILON)

    def attention(self, x: str, weight, bias, w: Weights) -> str:
        head = w.width // w.heads
        split = self.constant([0, 0, w.heads, head])
        q, k, v = (self.add("Reshape", self.linear(x, part, b), split)
                   for part, b in zip(np.split(weight, 3), np.split(bias, 3)))
        q, v = (self.add("Transpose", part, perm=[0, 2, 1, 3]) for part in (q, v))
        k = self.add("Transpose", k, perm=[0, 2, 3, 1])
        scores = self.add("Div", self.add("MatMul", q, k), self.constant(np.float32(head**0.5)))
        context = self.add("MatMul", self.add("Softmax", scores, axis=-1), v)
        return self.add("Reshape", self.add("Transpose", context, perm=[0, 2, 1, 3]),
                        self.constant([0, 0, w.width]))

    def save(self, path: pathlib.Path) -> None:
        kinds = onnx.TensorProto
        graph = onnx.helper.make_graph(
            self.nodes, "encoder",
            [onnx.helper.make_tensor_value_info("ids", kinds.INT64, [1, "tokens"])],
            [onnx.helper.make_tensor_value_info("vector", kinds.FLOAT, [1, "width"])], self.constants)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)],
                                       ir_version=10)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def reference():
    logging.getLogger().setLevel(logging.ERROR)  # it asks for steps that change nothing here
    with tempfile.TemporaryDirectory() as work:
        whole, small = pathlib.Path(work, "float.onnx"), pathlib.Path(work, "int8.onnx")
        Graph(Weights()).save(whole)
        onnxruntime.quantization.quantize_dynamic(
            whole, small, weight_type=onnxruntime.quantization.QuantType.QInt8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        return onnxruntime.InferenceSession(small.read_bytes(), options,
                                            providers=["CPUExecutionProvider"])


class Ours:
    def __init__(self, tool: pathlib.Path):
        self.tool = tool
        self.times = subprocess.Popen([tool, "times", ENCODER], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)

    def milliseconds(self, text: str) -> float:
        self.times.stdin.write(json.dumps(text) + "\n")
        self.times.stdin.flush()
        return float(self.times.stdout.readline()) / 1000

    def _answers(self, mode: str, texts: list[str]) -> bytes:
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        return subprocess.run([self.tool, mode, ENCODER], input=lines.encode(), check=True,
                              stdout=subprocess.PIPE).stdout

    def ids(self, texts: list[str]) -> list[list[int]]:
        cls, sep = 101, 102
        return [[cls, *map(int, line.split()), sep]
                for line in self._answers("ids", texts).decode().splitlines()]

    def vectors(self, texts: list[str]) -> "np.ndarray":
        return np.frombuffer(self._answers("vectors", texts), np.float32).reshape(len(texts), -1)

    def close(self) -> None:
        self.times.stdin.close()
        self.times.wait()


def measure(tokens: int, passes: int, ours: Ours, session) -> dict:
    draw = random.Random(tokens)
    texts = [" ".join(draw.choices(WORDS, k=tokens - 2)) for _ in range(passes + WARM_UP)]
    inputs = [np.array([ids], np.int64) for ids in ours.ids(texts)]
    if any(ids.shape[1] != tokens for ids in inputs):
        raise SystemExit(f"the texts have not {tokens} tokens each")
    mine, theirs, vectors = [], [], []
    for text, ids in zip(texts, inputs):
        mine.append(ours.milliseconds(text))
        begun = time.perf_counter()
        vectors.append(session.run(None, {"ids": ids})[0][0])
        theirs.append(1000 * (time.perf_counter() - begun))
    mine, theirs = (statistics.median(times[WARM_UP:]) for times in (mine, theirs))
    alike = (np.array(vectors) * ours.vectors(texts)).sum(axis=1)
    return {"tokens": tokens, "ours_ms": round(mine, 3), "onnxruntime_ms": round(theirs, 3),
            "ratio": round(mine / theirs, 3), "least_cosine": round(float(alike.min()), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--tokens", default="16,32,64,128,512")
    parser.add_argument("--passes", type=int, default=60)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.core})
    session = reference()
    ours = Ours(options.build / "models" / "encode_texts")
    rows = [measure(int(n), options.passes, ours, session) for n in options.tokens.split(",")]
    ours.close()
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'tokens':>6} {'ours, ms':>9} {'onnxruntime int8, ms':>21} {'ratio':>6} {'least cosine':>13}")
    for row in rows:
        print(f"{row['tokens']:>6} {row['ours_ms']:>9.2f} {row['onnxruntime_ms']:>21.2f} "
              f"{row['ratio']:>6.2f} {row['least_cosine']:>13.4f}"
              + ("" if row["ratio"] <= GOAL else f"  above the goal of {GOAL}"))


if __name__ == "__main__":
    try:
        import numpy as np
        import onnx
        import onnxruntime
        import onnxruntime.quantization
    except ImportError:
        if os.environ.get("VSR_IN_ENVIRONMENT"):
            raise
        import environment
        python = environment.python(pathlib.Path(__file__).with_suffix(".requirements.txt"),
                                    "encoder-venv")
        os.execve(python, [str(python), *sys.argv], os.environ | {"VSR_IN_ENVIRONMENT": "1"})
    main()
