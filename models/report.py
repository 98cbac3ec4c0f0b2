"""The figures of a training run, as JSON for the manifest and as tables for the README."""

import collections
import hashlib
import pathlib

import figures as fig

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def kind_of(row: dict) -> tuple:
    """(label, kind of text): a technique for attacks, an origin for ordinary text."""
    if row["label"] == 1:
        return 1, row["kind"]
    return 0, row["source"] if row["kind"] in ("ordinary", "request") else row["kind"]


def rounded(value: float) -> float:
    return round(value, 4)


def data_summary(data: pathlib.Path, rows: list[dict]) -> dict:
    files = {}
    for path in sorted(data.glob("*.jsonl.gz")):
        files[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    counts = collections.Counter((row["head"], row["use"]) for row in rows)
    licences = collections.Counter(row["licence"] for row in rows if row["use"] == "fit")
    return {"files_sha256": files,
            "rows": {head: {use: counts[head, use] for use in ("fit", "dev")}
                     for head in sorted({row["head"] for row in rows})},
            "licences_fitted": dict(sorted(licences.items()))}


def softmax_figures(scored: list[tuple]) -> dict:
    gold = [row["label"] for row, _ in scored]
    guess = [fig.argmax(z) for _, z in scored]
    probability = [max(fig.softmax(z)) for _, z in scored]
    right = [float(g == p) for g, p in zip(gold, guess)]
    return {"rows": len(scored), "accuracy": rounded(fig.accuracy(gold, guess)),
            "macro_f1": rounded(fig.macro_f1(gold, guess)),
            "calibration_error": rounded(fig.calibration_error(probability, right))}


def reliability(confidence: list[float], right: list[float]) -> list[dict]:
    return [{"from": low, "to": high, "rows": n, "confidence": rounded(c), "observed": rounded(a)}
            for low, high, n, c, a in fig.reliability(confidence, right)]


def binary_figures(scored: list[tuple], threshold: float) -> dict:
    kinds = collections.defaultdict(list)
    for row, logits in scored:
        kinds[kind_of(row)].append(fig.sigmoid(logits[0]))
    positive = [p for kind, values in kinds.items() for p in values if kind[0] == 1]
    negative = [p for kind, values in kinds.items() for p in values if kind[0] == 0]
    return {"positive": len(positive), "negative": len(negative),
            "auc": rounded(fig.auc(positive, negative)),
            "recall_at_1_percent": rounded(fig.recall_at(positive, negative, 0.01)),
            "recall_at_5_percent": rounded(fig.recall_at(positive, negative, 0.05)),
            "recall_at_threshold": rounded(fig.share_above(positive, threshold)),
            "false_positives_at_threshold": rounded(fig.share_above(negative, threshold)),
            "by_kind": {("attack " if kind[0] else "benign ") + kind[1]:
                        {"rows": len(values),
                         "above_threshold": rounded(fig.share_above(values, threshold))}
                        for kind, values in sorted(kinds.items())}}


def fold_auc(scored: list[tuple]) -> dict:
    """Mean over folds of what a model says about families that it has not seen."""
    folds = collections.defaultdict(lambda: ([], []))
    for row, logits in scored:
        folds[row["holdout"]][1 - row["label"]].append(logits[0])
    folds = [f for f in folds.values() if f[0] and f[1]]
    return {"folds": len(folds),
            "mean_fold_auc": rounded(sum(fig.auc(*f) for f in folds) / len(folds)),
            "mean_fold_recall_at_1_percent":
                rounded(sum(fig.recall_at(*f, 0.01) for f in folds) / len(folds))}


def slices(scored: list[tuple]) -> dict:
    return {lang: softmax_figures(part) for lang in ("en", "zh", "all")
            if (part := [(r, z) for r, z in scored if lang in (r["lang"], "all")])}


def domain_slices(scored: list[tuple]) -> dict:
    out = {}
    for kind in ("natural", "exam"):
        for lang in ("en", "zh", "all"):
            part = [(row, z) for row, z in scored
                    if row["kind"] == kind and lang in (row["lang"], "all")]
            if part:
                out[f"{kind} {lang}"] = softmax_figures(part)
    return out


def rank_figures(scored: list[tuple]) -> dict:
    out = {}
    for kind in ("solve_rate", "tier", "weak_strong"):
        part = [(row["label"], z[0]) for row, z in scored if row["kind"] == kind]
        out[kind] = {"rows": len(part), "rank_correlation": rounded(fig.spearman(*zip(*part)))}
    return out


def figures(dev: dict, held_out: dict, fusion: dict) -> dict:
    """Of calibrated logits by head."""
    out = {"domain": {"dev": domain_slices(dev["domain"]),
                      "unseen sources": domain_slices(held_out["domain"])},
           "tier": {"dev": slices(dev["tier"]), "unseen groups": slices(held_out["tier"])},
           "feedback": {"unseen groups": slices(held_out["feedback"])},
           "difficulty": {"dev": rank_figures(dev["difficulty"]),
                          "unseen groups": rank_figures(held_out["difficulty"])}}
    for head in ("jailbreak", "harmful"):
        threshold = fusion[f"{head}_threshold"]
        out[head] = {"dev": binary_figures(dev[head], threshold),
                     "unseen folds": binary_figures(held_out[head], threshold)
                     | fold_auc(held_out[head])}
    probability = [fig.softmax(z) for _, z in dev["domain"]]
    out["domain"]["reliability on dev"] = reliability(
        [max(p) for p in probability],
        [float(fig.argmax(p) == row["label"]) for p, (row, _) in zip(probability, dev["domain"])])
    attack = [fig.sigmoid(z[0]) for _, z in dev["jailbreak"]]
    out["jailbreak reliability on dev"] = reliability(
        attack, [float(row["label"]) for row, _ in dev["jailbreak"]])
    return out


def table(head: list[str], body: list[list]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in body]
    return "\n".join(lines)


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def markdown(manifest: dict) -> str:
    f = manifest["figures"]
    parts = []
    parts.append("Classes (accuracy and macro-F1 in percent, calibration error of the confidence):\n\n"
                 + table(["head", "on", "rows", "accuracy", "macro-F1", "calibration error"],
                         [[head, f"{on}, {part}", v["rows"], percent(v["accuracy"]),
                           percent(v["macro_f1"]), f"{v['calibration_error']:.3f}"]
                          for head in ("domain", "tier", "feedback")
                          for on, parts_of in f[head].items()
                          if isinstance(parts_of, dict) for part, v in parts_of.items()]))
    parts.append("Attacks and harmful requests (at the shipped threshold: recall and false positives "
                 "in percent):\n\n"
                 + table(["head", "on", "positive / negative", "AUC", "recall at 1 %", "at 5 %",
                          "recall", "false positives"],
                         [[head, on, f"{v['positive']} / {v['negative']}", f"{v['auc']:.3f}",
                           percent(v["recall_at_1_percent"]), percent(v["recall_at_5_percent"]),
                           percent(v["recall_at_threshold"]),
                           percent(v["false_positives_at_threshold"])]
                          for head in ("jailbreak", "harmful") for on, v in f[head].items()]))
    folds = f["jailbreak"]["unseen folds"]
    parts.append(f"Jailbreak, mean over {folds['folds']} folds of unseen families: AUC "
                 f"{folds['mean_fold_auc']:.3f}, recall at 1 % false positives "
                 f"{percent(folds['mean_fold_recall_at_1_percent'])} %.")
    parts.append("Jailbreak by kind, unseen folds, share above the shipped threshold of "
                 f"{manifest['thresholds']['jailbreak']:.3f}:\n\n"
                 + table(["kind", "rows", "above"],
                         [[kind, v["rows"], percent(v["above_threshold"])]
                          for kind, v in folds["by_kind"].items()]))
    parts.append("Difficulty (Spearman's rank correlation of the score with the label):\n\n"
                 + table(["on", "label", "rows", "correlation"],
                         [[on, kind, v["rows"], f"{v['rank_correlation']:.3f}"]
                          for on, kinds in f["difficulty"].items() for kind, v in kinds.items()]))
    for name, table_of in (("the domain confidence", f["domain"]["reliability on dev"]),
                           ("P(attack)", f["jailbreak reliability on dev"])):
        parts.append(f"Reliability of {name} on dev:\n\n"
                     + table(["from", "rows", "mean", "observed"],
                             [[f"{r['from']:.1f}–{r['to']:.1f}", r["rows"],
                               f"{r['confidence']:.3f}", f"{r['observed']:.3f}"]
                              for r in table_of]))
    parts += [f"{name}: {w['bytes']:,} bytes, sha256 `{w['sha256']}`."
              for name, w in manifest["weights"].items()]
    return "\n\n".join(parts)


def fill(readme: str, manifest: dict) -> str:
    """The README with the text between the two marks replaced."""
    before, rest = readme.split(BEGIN)
    behind = rest.split(END)[1]
    return f"{before}{BEGIN}\n{markdown(manifest)}\n{END}{behind}"
