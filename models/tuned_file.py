"""Writes tuned.bin, the layers that were tuned for the trained heads. Needs numpy and xxhash.

Every array begins at a multiple of 64 bytes, as in encoder.bin:

  header       see src/nn/encoder_file.cc
  stacks       the layers of the general heads, then as many of the heads of safety
  per layer    qkv, attention output, norm, up, down, norm; a linear part is
               i8 [outputs × inputs], f32 scale [outputs], f32 bias [outputs]
  heads        f32 [columns × width], f32 bias [columns]
  fusion       f32 [columns] each: weight of the n-grams, weight of the encoder, offset
  numbers      f32 thresholds of jailbreak and harmful, the cost of each doubling of windows, slope and
               offset of the n-grams for attacks in other languages than English
"""

import pathlib
import struct

import numpy as np
import xxhash

import rows

ALIGNMENT = 64
HEADER = "<8sQQQQQ4I"
MAGIC = b"VSRTUN\0\3"
CHECKED_FROM = 16
COLUMNS = ([f"domain {d}" for d in rows.DOMAINS] + ["jailbreak", "harmful"]
           + [f"tier {t}" for t in rows.TIERS] + ["difficulty"]
           + [f"feedback {f}" for f in rows.FEEDBACK])


class Arrays:
    def __init__(self):
        self.bytes = bytearray(struct.calcsize(HEADER))

    def add(self, array):
        self.bytes += bytes(-len(self.bytes) % ALIGNMENT)
        self.bytes += np.ascontiguousarray(array).tobytes()

    def linear(self, weight, bias):
        scale = np.maximum(np.abs(weight).max(axis=1), 1e-12) / 127
        self.add(np.clip(np.round(weight / scale[:, None]), -127, 127).astype(np.int8))
        self.add(scale.astype(np.float32))
        self.add(bias.astype(np.float32))

    def norm(self, gain, bias):
        self.add(gain.astype(np.float32))
        self.add(bias.astype(np.float32))


def checksum_of(path: pathlib.Path) -> int:
    """encoder.bin and heads.bin both begin with eight letters and their checksum."""
    return struct.unpack_from("<8xQ", path.read_bytes()[:16])[0]


def labels_hash() -> int:
    """As encoder_labels_hash() of src/nn/heads.h."""
    lexical = "".join(f"{label}\n" for label in rows.DOMAINS + rows.TIERS)
    lexical += "jailbreak\nharmful\ndifficulty\n"
    text = f"{xxhash.xxh3_64_intdigest(lexical.encode()):016x}"
    text += "".join(f"\n{label}" for label in rows.FEEDBACK)
    return xxhash.xxh3_64_intdigest(text.encode())


def write(path: pathlib.Path, encoder: pathlib.Path, heads: pathlib.Path, shared_layers: int,
          window: int, stacks: list[list[dict]], head: tuple, fusion: dict) -> None:
    """`stacks`: general and safety, arrays by the names of tune_encoder's Layer; `head`: weight
    [columns × width] and bias; `fusion`: lexical, encoder, offset (one number a column), per_doubling,
    jailbreak_threshold, harmful_threshold, foreign (slope, offset)."""
    out = Arrays()
    general, safety = stacks
    assert len(general) == len(safety)
    for layer in [*general, *safety]:
        out.linear(layer["qkv.weight"], layer["qkv.bias"])
        out.linear(layer["o.weight"], layer["o.bias"])
        out.norm(layer["n1.weight"], layer["n1.bias"])
        out.linear(layer["u.weight"], layer["u.bias"])
        out.linear(layer["d.weight"], layer["d.bias"])
        out.norm(layer["n2.weight"], layer["n2.bias"])
    weight, bias = head
    assert weight.shape[0] == len(bias) == len(COLUMNS)
    out.add(weight.astype(np.float32))
    out.add(bias.astype(np.float32))
    for name in ("lexical", "encoder", "offset"):
        assert len(fusion[name]) == len(COLUMNS)
        out.add(np.array(fusion[name], dtype=np.float32))
    out.add(np.array([fusion["jailbreak_threshold"], fusion["harmful_threshold"],
                      fusion["per_doubling"], *fusion["foreign"]], dtype=np.float32))
    size = struct.calcsize(HEADER)
    fields = (len(out.bytes), checksum_of(encoder), checksum_of(heads), labels_hash(),
              shared_layers, len(general), len(COLUMNS), window)
    out.bytes[:size] = struct.pack(HEADER, MAGIC, 0, *fields)
    checksum = xxhash.xxh3_64_intdigest(bytes(out.bytes[CHECKED_FROM:]))
    out.bytes[:size] = struct.pack(HEADER, MAGIC, checksum, *fields)
    path.write_bytes(out.bytes)
