"""Disguises of a text, each the same on every run: what an attacker would try, and what ordinary
people send too."""

import base64
import random

import labelled

HOMOGLYPHS = str.maketrans("aceiopsxyABCEHIKMOPTX", "асеіорѕхуАВСЕНІКМОРТХ")
ZERO_WIDTH = "\u200b\u200c\u200d\u2060"
NEXT_TO = {"a": "s", "b": "v", "c": "x", "d": "f", "e": "r", "f": "g", "g": "h", "h": "j", "i": "o",
           "j": "k", "k": "l", "l": "k", "m": "n", "n": "m", "o": "p", "p": "o", "q": "w", "r": "t",
           "s": "d", "t": "y", "u": "i", "v": "c", "w": "e", "x": "z", "y": "u", "z": "x"}
TYPO_RATE = 0.25  # of the words of four letters and more


def homoglyph(text: str, _: random.Random) -> str:
    return text.translate(HOMOGLYPHS)


def zero_width(text: str, draw: random.Random) -> str:
    return "".join(c + draw.choice(ZERO_WIDTH) if c.isalpha() else c for c in text)


def in_base64(text: str, _: random.Random) -> str:
    return base64.b64encode(text.encode()).decode()


def typo(word: str, draw: random.Random) -> str:
    """Two letters swapped, one left out, one doubled or a neighbour on the keyboard."""
    at = draw.randrange(1, len(word) - 1)
    kind = draw.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2:]
    if kind == 1:
        return word[:at] + word[at + 1:]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + NEXT_TO.get(word[at], word[at]) + word[at + 1:]


def typos(text: str, draw: random.Random) -> str:
    return " ".join(typo(word, draw) if len(word) > 3 and draw.random() < TYPO_RATE else word
                    for word in text.split(" "))


def split_words(text: str, draw: random.Random) -> str:
    """Every word of six letters and more in two parts."""
    def split(word: str) -> str:
        if len(word) < 6:
            return word
        at = draw.randrange(2, len(word) - 1)
        return word[:at] + " " + word[at:]
    return " ".join(split(word) for word in text.split(" "))


VARIANTS = {
    "homoglyph": homoglyph,
    "zero-width": zero_width,
    "base64": in_base64,
    "typos": typos,
    "split words": split_words,
}
AROUND = ("benign prefix", "benign suffix")
NAMES = [*VARIANTS, *AROUND]


def make(name: str, text: str, benign: list[str]) -> str:
    """`benign` holds the ordinary requests that are put before or after a text."""
    draw = random.Random(labelled.draw(text, name))
    if name not in AROUND:
        return VARIANTS[name](text, draw)
    other = draw.choice(benign)
    return f"{other}\n{text}" if name == "benign prefix" else f"{text}\n{other}"
