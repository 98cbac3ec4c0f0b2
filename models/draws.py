"""Random choices that are seeded by the text they are about, so that adding a source changes no
other row."""

import hashlib


def draw(text: str, salt: str) -> float:
    """A number in 0..1 that depends on the text and the purpose alone."""
    digest = hashlib.sha256(f"{salt}\0{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def pick(choices: list, text: str, salt: str):
    return choices[int(draw(text, salt) * len(choices))]
