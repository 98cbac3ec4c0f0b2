"""Texts of the data set that the tokenizer is compared on, with what the reference makes of them:
tokenizer_hashes.bin holds (key of the text, hash of its ids), as models/tokenizer_hashes wrote it."""

import hashlib
import json
import pathlib
import struct
import subprocess

import labelled

TEXTS = 10_000
LONG_LINES = 200
LONG_LINE = 20_000
FILES = ("domain", "difficulty", "jailbreak", "intents", "harmful", "pii", "secrets", "agentic",
         "pairs")
HASHES = pathlib.Path(__file__).with_name("tokenizer_hashes.bin")


def key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def texts(data: pathlib.Path) -> list[str]:
    """Every text in a language other than English and Chinese first, then those of the lowest key;
    the first of these also as long lines."""
    found = {}
    for name in FILES:
        for row in labelled.load(data, name):
            if row.get("text"):
                found.setdefault(row["text"], row["lang"] in ("en", "zh"))
    chosen = sorted(found, key=lambda text: (found[text], key(text)))[:TEXTS - LONG_LINES]
    step = len(chosen) // LONG_LINES
    long = [text * -(-LONG_LINE // len(text)) for text in chosen[::step][:LONG_LINES]]
    return chosen + long


def hash_of(ids: list[int]) -> int:
    h = 0xCBF29CE484222325
    for i in ids:
        h = ((h ^ i) * 0x100000001B3) % 2**64
    return h


def check(data: pathlib.Path, tool: pathlib.Path, weights: pathlib.Path) -> tuple[int, int]:
    """(texts compared, texts that agree). A text that the fixture does not know is not compared."""
    want = dict(struct.iter_unpack("<QQ", HASHES.read_bytes()))
    known = [text for text in texts(data) if key(text) in want]
    lines = "".join(json.dumps(text) + "\n" for text in known)
    done = subprocess.run([tool, "ids", weights], input=lines, check=True, text=True,
                          stdout=subprocess.PIPE)
    got = [[int(i) for i in line.split()] for line in done.stdout.splitlines()]
    return len(known), sum(hash_of(ids) == want[key(text)] for text, ids in zip(known, got))
