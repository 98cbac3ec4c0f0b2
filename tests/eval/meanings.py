"""What the vectors of the encoder are worth, as JSON: intents told by them, and how much the embedding
rules of the recipes hang on single candidates. Runs in the environment of requirements.txt.

usage: meanings.py DATA_DIR BUILD_DIR
"""

import copy
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
import yaml

import labelled

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENCODER = ROOT / "models" / "encoder.bin"
RECIPES = ROOT / "deploy" / "recipes"
CURVE_AT = 48  # of slope and offset in the encoder's file, see src/nn/encoder_file.cc
OUT_OF_SCOPE = "clinc:oos"
EPOCHS, BATCH, RATE, DECAY, SCALE, SEED = 30, 256, 0.02, 1e-6, 16, 1
FOLDS = 5


class Encoder:
    def __init__(self, build: pathlib.Path):
        self.tool = build / "models" / "encode_texts"
        slope, offset = struct.unpack_from("<2f", ENCODER.read_bytes(), CURVE_AT)
        self.slope, self.offset = slope, offset

    def vectors(self, texts: list[str]) -> np.ndarray:
        lines = "".join(json.dumps(text) + "\n" for text in texts).encode()
        done = subprocess.run([self.tool, "vectors", ENCODER, "--threads", "2"], input=lines,
                              stdout=subprocess.PIPE, check=True)
        return np.frombuffer(done.stdout, np.float32).reshape(len(texts), -1)

    def likeness(self, cosine: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(self.slope * cosine + self.offset)))


def softmax_regression(x: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """Weights [width + 1, classes] of least log loss, by Adam on shuffled batches."""
    draw = np.random.default_rng(SEED)
    x = np.hstack([x * SCALE, np.ones((len(x), 1), np.float32)])
    w, m, v = (np.zeros((x.shape[1], classes), np.float32) for _ in range(3))
    step, steps = 0, EPOCHS * -(-len(x) // BATCH)
    for _ in range(EPOCHS):
        order = draw.permutation(len(x))
        for begin in range(0, len(x), BATCH):
            rows = order[begin:begin + BATCH]
            z = x[rows] @ w
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(rows)), y[rows]] -= 1
            gradient = x[rows].T @ p / len(rows) + DECAY * w
            step += 1
            m = 0.9 * m + 0.1 * gradient
            v = 0.999 * v + 0.001 * gradient * gradient
            rate = RATE * (1 - step / steps) * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            w -= (rate * m / (np.sqrt(v) + 1e-8)).astype(np.float32)
    return w


def figure(section: str, name: str, value: float, rows: int, goal=None, shares="", detail=()) -> dict:
    return dict(section=section, name=name, value=float(value), rows=rows, goal=goal, shares=shares,
                detail=list(detail))


def intents(data: pathlib.Path, encoder: Encoder) -> list[dict]:
    part = [row for row in labelled.load(data, "intents") if row["label"] != OUT_OF_SCOPE]
    names = sorted({row["label"] for row in part})
    x = encoder.vectors([row["text"] for row in part])
    y = np.array([names.index(row["label"]) for row in part])
    fit = np.array([row["split"] == "train" for row in part])
    w = softmax_regression(x[fit], y[fit], len(names))
    linear = (x[~fit] * SCALE @ w[:-1] + w[-1]).argmax(axis=1) == y[~fit]
    centroids = np.stack([x[fit][y[fit] == n].mean(axis=0) for n in range(len(names))])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    nearest = (x[~fit] @ centroids.T).argmax(axis=1) == y[~fit]
    of_clinc = np.array([row["label"].startswith("clinc:") for row in part])[~fit]
    return [figure("intents", "in scope, linear head on the vector", linear.mean(), len(linear), .96,
                   shares="intents"),
            *(figure("intents", f"in scope, linear head, {name}", linear[mask].mean(),
                     int(mask.sum()), shares="intents")
              for name, mask in (("CLINC", of_clinc), ("Banking77", ~of_clinc))),
            figure("intents", "in scope, nearest centroid", nearest.mean(), len(nearest),
                   shares="intents")]


def candidate_lists(node) -> list[list[str]]:
    """The lists named `candidates` below a node of a recipe."""
    if isinstance(node, list):
        return [found for item in node for found in candidate_lists(item)]
    if not isinstance(node, dict):
        return []
    own = [node["candidates"]] if isinstance(node.get("candidates"), list) else []
    return own + [found for item in node.values() for found in candidate_lists(item)]


def probes_passed(build: pathlib.Path, recipe: pathlib.Path, probes: pathlib.Path) -> int:
    done = subprocess.run([build / "vllm-sr", "eval", "--probes", probes, "--config", recipe, "--json"],
                          capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)["passed"]


def left_out(build: pathlib.Path, path: pathlib.Path, probes: pathlib.Path) -> dict:
    """Probes that still pass with a fifth of every rule's candidates left out, mean of the folds."""
    whole = yaml.safe_load(path.read_text(encoding="utf-8"))
    passed = []
    with tempfile.TemporaryDirectory() as work:
        for fold in range(FOLDS):
            recipe = copy.deepcopy(whole)
            for candidates in candidate_lists(recipe["routing"]["signals"]):
                candidates[:] = [c for n, c in enumerate(candidates) if n % FOLDS != fold]
            file = pathlib.Path(work) / "recipe.yaml"
            file.write_text(yaml.safe_dump(recipe, allow_unicode=True, sort_keys=False),
                            encoding="utf-8")
            passed.append(probes_passed(build, file, probes))
    base = probes_passed(build, path, probes)
    return figure("candidates", f"{path.stem}, probes kept without a fifth of them",
                  np.mean(passed) / base, base,
                  detail=[f"by fold: {', '.join(map(str, passed))} of {base}"])


def prompts(probes: pathlib.Path) -> list[str]:
    out = []
    for decision in yaml.safe_load(probes.read_text(encoding="utf-8"))["decisions"]:
        for variant in decision["variants"]:
            texts = [variant.get("query")] + [m["content"] for m in variant.get("messages", [])
                                              if m["role"] == "user"]
            out += [text for text in texts if isinstance(text, str)][-1:]
    return out


def held_alone(path: pathlib.Path, probes: pathlib.Path, encoder: Encoder) -> list[dict]:
    """For each embedding rule, the probes above its threshold by one candidate only."""
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))["routing"]["signals"]
    texts = prompts(probes)
    vectors = encoder.vectors(texts)
    out = []
    for rule in rules.get("embeddings", []):
        candidates = rule["candidates"]
        hits = encoder.likeness(vectors @ encoder.vectors(candidates).T) >= rule["threshold"]
        matched, alone = hits.any(axis=1), hits.sum(axis=1) == 1
        counts = hits[alone].sum(axis=0)
        most = [f"{counts[n]} by “{candidates[n]}”" for n in np.argsort(-counts, kind="stable")[:3]
                if counts[n] > 1]
        out.append(figure("candidates", f"{path.stem}, {rule['name']}: held by one alone",
                          alone.sum() / max(1, matched.sum()), int(matched.sum()), detail=most))
    return out


def main() -> None:
    data, build = map(pathlib.Path, sys.argv[1:])
    encoder = Encoder(build)
    out = intents(data, encoder)
    for path in sorted(RECIPES.glob("*.yaml")):
        probes = path.with_suffix(".probes.yaml")
        if not probes.exists():
            continue
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
        if candidate_lists(recipe["routing"]["signals"]):
            out.append(left_out(build, path, probes))
            out += held_alone(path, probes, encoder)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
