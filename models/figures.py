"""Figures from scores: pure functions over lists, no dependencies."""

import math


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def softmax(logits: list[float], temperature: float = 1.0) -> list[float]:
    top = max(logits)
    powers = [math.exp((z - top) / temperature) for z in logits]
    total = sum(powers)
    return [p / total for p in powers]


def argmax(values: list[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def accuracy(gold: list[int], guess: list[int]) -> float:
    return sum(g == p for g, p in zip(gold, guess)) / max(1, len(gold))


def macro_f1(gold: list[int], guess: list[int]) -> float:
    """Over the labels that occur in gold."""
    scores = []
    for label in sorted(set(gold)):
        hit = sum(g == label and p == label for g, p in zip(gold, guess))
        miss = sum(g == label and p != label for g, p in zip(gold, guess))
        false = sum(g != label and p == label for g, p in zip(gold, guess))
        scores.append(2 * hit / (2 * hit + miss + false))
    return sum(scores) / len(scores) if scores else 0.0


def ranks(values: list[float]) -> list[float]:
    """1-based, ties share their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    out = [0.0] * len(values)
    begin = 0
    while begin < len(order):
        end = begin
        while end < len(order) and values[order[end]] == values[order[begin]]:
            end += 1
        for i in order[begin:end]:
            out[i] = (begin + end + 1) / 2
        begin = end
    return out


def auc(positive: list[float], negative: list[float]) -> float:
    if not positive or not negative:
        return float("nan")
    rank = ranks(positive + negative)
    n = len(positive)
    return (sum(rank[:n]) - n * (n + 1) / 2) / (n * len(negative))


def threshold_at(negative: list[float], rate: float) -> float:
    """The lowest score above which at most `rate` of the negatives lie."""
    ordered = sorted(negative, reverse=True)
    return ordered[min(len(ordered) - 1, int(rate * len(ordered)))]


def share_above(values: list[float], threshold: float) -> float:
    return sum(v > threshold for v in values) / max(1, len(values))


def recall_at(positive: list[float], negative: list[float], rate: float) -> float:
    return share_above(positive, threshold_at(negative, rate))


def spearman(a: list[float], b: list[float]) -> float:
    x, y = ranks(a), ranks(b)
    mx, my = sum(x) / len(x), sum(y) / len(y)
    cov = sum((p - mx) * (q - my) for p, q in zip(x, y))
    return cov / math.sqrt(sum((p - mx) ** 2 for p in x) * sum((q - my) ** 2 for q in y))


def fit_temperature(logits: list[list[float]], gold: list[int]) -> float:
    """The temperature of least log loss, by ternary search on its logarithm."""

    def loss(log_t: float) -> float:
        t = math.exp(log_t)
        total = 0.0
        for row, label in zip(logits, gold):
            top = max(row)
            total += math.log(sum(math.exp((z - top) / t) for z in row)) - (row[label] - top) / t
        return total

    low, high = math.log(0.1), math.log(10)
    for _ in range(40):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    return math.exp((low + high) / 2)


def fit_platt(logits: list[float], target: list[float], weight: list[float]) -> tuple[float, float]:
    """Slope and offset of least weighted log loss, by Newton's method; targets may be shares."""
    slope, offset = 1.0, 0.0
    for _ in range(50):
        g0 = g1 = h00 = h01 = h11 = 0.0
        for x, y, w in zip(logits, target, weight):
            p = sigmoid(slope * x + offset)
            d, c = w * (p - y), w * p * (1 - p)
            g0, g1 = g0 + d * x, g1 + d
            h00, h01, h11 = h00 + c * x * x, h01 + c * x, h11 + c
        h00, h11 = h00 + 1e-9, h11 + 1e-9
        det = h00 * h11 - h01 * h01
        a, b = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        step = min(1.0, 2.0 / max(abs(a), abs(b), 1e-12))
        slope, offset = slope - step * a, offset - step * b
        if max(abs(a), abs(b)) < 1e-7:
            break
    return slope, offset


def reliability(confidence: list[float], correct: list[float], bins: int = 10) -> list[tuple]:
    """(low, high, rows, mean confidence, share correct) of every bin that holds rows."""
    out = []
    for b in range(bins):
        low, high = b / bins, (b + 1) / bins
        inside = [i for i, c in enumerate(confidence) if low <= c < high or (c == 1 == high)]
        if inside:
            out.append((low, high, len(inside), sum(confidence[i] for i in inside) / len(inside),
                        sum(correct[i] for i in inside) / len(inside)))
    return out


def calibration_error(confidence: list[float], correct: list[float]) -> float:
    table = reliability(confidence, correct)
    return sum(n * abs(c - a) for _, _, n, c, a in table) / max(1, len(confidence))
