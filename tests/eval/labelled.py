"""The labelled data: loading it, and samples of it that are the same on every run."""

import gzip
import hashlib
import json
import pathlib


def load(data: pathlib.Path, name: str, split: str | None = None) -> list[dict]:
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if split is None or row["split"] == split]


def draw(text: str, salt: str) -> int:
    """A number that depends on the text and the purpose alone."""
    digest = hashlib.blake2b(f"{salt}\0{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def sample(rows: list[dict], count: int, salt: str) -> list[dict]:
    return sorted(rows, key=lambda row: draw(row["text"], salt))[:count]
