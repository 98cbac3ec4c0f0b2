"""How the opinions of n-grams and of the encoder become one calibrated score: fitted on rows that
neither had seen. Needs numpy and torch."""

import collections
import math
import random
import re

import numpy as np
import torch

import figures as fig
import report
from tuned_file import COLUMNS

# Columns of the heads, as in src/nn/heads.h.
COLUMNS_OF = {"domain": (0, 14), "jailbreak": (14, 15), "harmful": (15, 16), "tier": (16, 20),
              "difficulty": (20, 21), "feedback": (21, 26)}
# The share of attacks (harmful requests) in the traffic that the probability is calibrated for, and
# the share of false alarms that sets the shipped threshold: its mean over the kinds of benign text.
PRIOR = {"jailbreak": 0.1, "harmful": 0.1}
FALSE_ALARMS = {"jailbreak": 0.015, "harmful": 0.01}
# The same for attacks in other languages than English, as the mean over the languages.
FOREIGN_FALSE_ALARMS = 0.01
KIND_ROWS_MIN = 30  # kinds with fewer rows count as one: a single row would move the threshold

BLOCK_BYTES = 256  # features.block_bytes; windows are two blocks and overlap by one
# Long texts are made of rows, to see how much looks bad by chance where there is much to look at.
LONG_TEXTS = 1000  # of each size
LONG_FALSE_ALARMS = 0.01
LONG_SIZES = (16, 64, 256)
# At least: windows of a long text begin amid a sentence and look worse than rows. The least at which
# no text of ordinary dev rows is taken for an attack, and half as much again.
COST_MIN = 0.08
# Up to here, a few pages, the number of windows costs nothing; src/nn/text_classifier.cc has it too.
WINDOWS_FREE = 8
# Chinese, Japanese and Korean, by the blocks that matter of what src/text/script.h knows.
CJK = re.compile("[\u1100-\u11ff\u2e80-\u2fdf\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
                 "\uac00-\ud7af\uf900-\ufaff]")
SUSPECTS = 4  # windows that the encoder reads between the first and the last


class Pair:
    """A row with the logits of both for its head; `lexical` may be None. `windows`: how many the
    n-grams looked at; `cjk`: share of Chinese, Japanese and Korean among the characters."""

    def __init__(self, row, lexical, encoder):
        self.row, self.lexical, self.encoder = row, lexical, encoder
        self.cjk = len(CJK.findall(row["text"])) / max(1, len(row["text"]))
        self.windows = max(1, -(-len(row["text"].encode()) // BLOCK_BYTES) - 1)


def minimise(parameters: list, loss) -> None:
    optimiser = torch.optim.LBFGS(parameters, max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    optimiser.step(closure)


def stack(pairs: list) -> tuple:
    encoder = torch.tensor(np.array([p.encoder for p in pairs]), dtype=torch.float64)
    lexical = torch.zeros_like(encoder)
    if pairs[0].lexical is not None:
        lexical = torch.tensor(np.array([p.lexical for p in pairs]), dtype=torch.float64)
    return lexical, encoder


def even(keys: list) -> torch.Tensor:
    """Weights that let every key count alike, mean 1."""
    sizes = collections.Counter(keys)
    return torch.tensor([len(keys) / len(sizes) / sizes[k] for k in keys], dtype=torch.float64)


def by_script(pairs: list, mixed: torch.Tensor, lexical: torch.Tensor,
              temperature: float) -> torch.Tensor:
    """The encoder was made for English, and of a Chinese text it tells next to nothing about the
    subject: in that share n-grams speak alone. src/nn/text_classifier.cc has it too."""
    cjk = torch.tensor([[p.cjk] for p in pairs], dtype=torch.float64)
    return (1 - cjk) * mixed + cjk * lexical / temperature


def temperature_of(pairs: list) -> float:
    return fig.fit_temperature([list(p.lexical) for p in pairs], [p.row["label"] for p in pairs])


def fit_classes(pairs: list, temperature: float | None = None) -> tuple:
    """Two weights of least log loss; sources count alike, by language. No offsets: they would learn
    how often the left-out sources ask about what."""
    lexical, encoder = stack(pairs)
    gold = torch.tensor([int(p.row["label"]) for p in pairs])
    weight = even([(p.row["source"], p.row["lang"] if p.row["lang"] in ("en", "zh") else "")
                   for p in pairs])
    mix = torch.tensor([0.5, 0.5], dtype=torch.float64, requires_grad=True)

    def loss():
        z = mix[0] * lexical + mix[1] * encoder
        if temperature is not None:
            z = by_script(pairs, z, lexical, temperature)
        losses = torch.nn.functional.cross_entropy(z, gold, reduction="none")
        return (losses * weight).mean()

    minimise([mix], loss)
    return *mix.detach().tolist(), 0.0


def fit_logistic(pairs: list, weight: torch.Tensor) -> tuple:
    """Two weights and an offset of least log loss; labels may be shares."""
    lexical, encoder = stack(pairs)
    target = torch.tensor([float(p.row["label"]) for p in pairs], dtype=torch.float64)
    mix = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64, requires_grad=True)

    def loss():
        z = mix[0] * lexical[:, 0] + mix[1] * encoder[:, 0] + mix[2]
        losses = torch.nn.functional.binary_cross_entropy_with_logits(z, target, reduction="none")
        return (losses * weight).sum()

    minimise([mix], loss)
    return tuple(mix.detach().tolist())


def doublings_of(pair: Pair) -> float:
    return np.log2(max(1, pair.windows / WINDOWS_FREE))


def fit_binary(head: str, pairs: list) -> tuple:
    """For a traffic with PRIOR positives; every kind counts alike."""
    kinds = [report.kind_of(p.row) for p in pairs]
    sizes = collections.Counter(kinds)
    of_side = {side: sum(1 for kind in sizes if kind[0] == side) for side in (0, 1)}
    share = {1: PRIOR[head], 0: 1 - PRIOR[head]}
    return fit_logistic(pairs, torch.tensor(
        [share[k[0]] / of_side[k[0]] / sizes[k] for k in kinds], dtype=torch.float64))


def long_texts(pairs: list, fused: list, size: int) -> list:
    """The calibrated logits of texts of `size` windows, made of ordinary rows. The encoder reads both
    ends and the windows that look worst to the n-grams."""
    draw = random.Random(size)
    short = [(p.lexical[0], z[0]) for p, z in zip(pairs, fused)
             if p.windows <= 2 and p.row["label"] == 0 and p.row["lang"] == "en"
             and (p.row["kind"] == "ordinary" or p.row["kind"].startswith("other:"))]
    out = []
    for _ in range(LONG_TEXTS):
        members = draw.choices(short, k=2 * size)  # looked at alone and in pairs
        read = members[:2] + sorted(members, reverse=True)[:SUSPECTS]
        out.append(max(z for _, z in read))
    return out


def cost_of_doubling(pairs: list, fused: list, threshold: float) -> float:
    """The least that keeps the false alarms of long benign texts below LONG_FALSE_ALARMS."""
    limit = math.log(threshold / (1 - threshold))
    cost = COST_MIN
    for size in LONG_SIZES:
        highest = fig.threshold_at(long_texts(pairs, fused, size), LONG_FALSE_ALARMS)
        cost = max(cost, (highest - limit) / math.log2(size / WINDOWS_FREE))
    return cost


def fit_foreign(pairs: list, threshold: float) -> tuple:
    """Slope and offset of the n-grams alone for attacks in other languages than English, the one that
    the encoder was made for, so that `threshold` gives FOREIGN_FALSE_ALARMS.
    src/nn/text_classifier.cc has it too."""
    slope, _, offset = fit_binary("jailbreak", pairs)
    own = threshold_for(FOREIGN_FALSE_ALARMS, [p.row["lang"] for p in pairs], pairs,
                        [[slope * p.lexical[0] + offset] for p in pairs])
    return slope, offset + math.log(threshold / (1 - threshold)) - math.log(own / (1 - own))


def is_foreign(pair: Pair) -> bool:
    return pair.row["lang"] != "en"


def threshold_for(share: float, kinds: list, pairs: list, fused: list) -> float:
    """The least with at most this share of false alarms, the mean over the kinds of benign rows."""
    benign = [(kind, z[0]) for kind, pair, z in zip(kinds, pairs, fused) if pair.row["label"] == 0]
    sizes = collections.Counter(kind for kind, _ in benign)
    by_kind = collections.defaultdict(list)
    for kind, z in benign:
        by_kind[kind if sizes[kind] >= KIND_ROWS_MIN else "few"].append(z)

    def false_alarms(threshold: float) -> float:
        return sum(fig.share_above(v, threshold) for v in by_kind.values()) / len(by_kind)

    low, high = -30.0, 30.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if false_alarms(middle) <= share else (middle, high)
    return fig.sigmoid(high)


def threshold_of(head: str, pairs: list, fused: list) -> float:
    return threshold_for(FALSE_ALARMS[head], [report.kind_of(p.row) for p in pairs], pairs, fused)


def fit_difficulty(pairs: list) -> tuple:
    """Of rows with a measured failure rate: they alone tell the scale."""
    measured = [p for p in pairs if p.row["kind"] == "solve_rate"]
    return fit_logistic(measured, torch.full((len(measured),), 1 / len(measured),
                                             dtype=torch.float64))


def fuse(pairs: list, head: str, fusion: dict) -> list:
    """Calibrated logits of the pairs."""
    begin, end = COLUMNS_OF[head]
    lexical, encoder = stack(pairs)
    columns = [torch.tensor(fusion[name][begin:end], dtype=torch.float64)
               for name in ("lexical", "encoder", "offset")]
    fused = columns[0] * lexical + columns[1] * encoder + columns[2]
    if head == "domain":
        fused = by_script(pairs, fused, lexical, fusion["domain_temperature"])
    if head == "jailbreak" and "foreign" in fusion:
        slope, offset = fusion["foreign"]
        foreign = torch.tensor([[is_foreign(p)] for p in pairs])
        fused = torch.where(foreign, slope * lexical + offset, fused)
    if head == "jailbreak" and "per_doubling" in fusion:
        doublings = torch.tensor([[doublings_of(p)] for p in pairs], dtype=torch.float64)
        fused = fused - fusion["per_doubling"] * doublings
    return fused.tolist()


def lexical_calibration(held_out: dict) -> dict:
    """Of the n-grams alone, as train_heads wants it: temperatures, slopes, offsets, thresholds."""
    out = {}
    for head in ("domain", "tier"):
        out[f"{head}.temperature"] = temperature_of(held_out[head])
    for head in ("jailbreak", "harmful", "difficulty"):
        alone = [Pair(p.row, p.lexical, [0.0]) for p in held_out[head]]
        slope, _, offset = (fit_difficulty(alone) if head == "difficulty"
                            else fit_binary(head, alone))
        out[f"{head}.slope"], out[f"{head}.offset"] = slope, offset
        if head in PRIOR:
            fused = [[slope * p.lexical[0] + offset] for p in alone]
            out[f"{head}.threshold"] = threshold_of(head, alone, fused)
    return out


def fit(held_out: dict, foreign: list) -> dict:
    """`held_out`: pairs by head; `foreign`: those of attacks and benign text in other languages than
    English, by n-grams that had not seen their group. Most families have few rows in such a language,
    so that n-grams without a whole fold of them would not know its words. Returns what
    tuned_file.write wants."""
    out = {name: [0.0] * len(COLUMNS) for name in ("lexical", "encoder", "offset")}
    for head, pairs in held_out.items():
        begin, end = COLUMNS_OF[head]
        if head == "domain":
            out["domain_temperature"] = temperature_of(pairs)
            a, b, offset = fit_classes(pairs, out["domain_temperature"])
        elif end - begin > 1:
            a, b, offset = fit_classes(pairs)
        elif head == "difficulty":
            a, b, offset = fit_difficulty(pairs)
        else:
            a, b, offset = fit_binary(head, pairs)
        for column in range(begin, end):
            out["lexical"][column] = a if pairs[0].lexical is not None else 0.0
            out["encoder"][column] = b
            out["offset"][column] = offset
        if head in PRIOR:
            fused = fuse(pairs, head, out)
            threshold = out[f"{head}_threshold"] = threshold_of(head, pairs, fused)
            if head == "jailbreak":
                out["per_doubling"] = cost_of_doubling(pairs, fused, threshold)
                out["foreign"] = fit_foreign(foreign, threshold)
    return out
