"""Reads the labelled data and makes the training rows of every head: which rows, with which
weight, held out by which key."""

import collections
import gzip
import json
import pathlib
import random

import compose
from draws import draw, pick

DOMAINS = ["biology", "business", "chemistry", "computer science", "economics", "engineering",
           "health", "history", "law", "math", "other", "philosophy", "physics", "psychology"]
TIERS = ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"]
# Where a tier stands on the scale of difficulty.
TIER_DIFFICULTY = {"SIMPLE": 0.05, "MEDIUM": 0.3, "COMPLEX": 0.7, "REASONING": 0.85}
OUTCOME_DIFFICULTY = {"weak_ok": 0.2, "strong_only": 0.65, "both_wrong": 0.9}
BALANCE = 0.3  # a source of n rows weighs n^(1 - BALANCE)
FOLDS = 6
# Rows that were written for the router are nearer to what it will read than most of the data.
WRITTEN_WEIGHT = 2.0
LANGUAGE_FACTOR_MAX = 4.0  # of a weight, to even out languages
# Folds that one tuned encoder leaves out together; each group mixes ideas that are far apart.
GROUP_OF_FOLD = {"fold0": 0, "fold1": 0, "fold2": 1, "fold4": 1, "fold3": 2, "fold5": 2,
                 "arena-hard-v2": 0, "uncommonroute": 1, "llmrouter": 1, "clinc": 2}
GROUPS = 3
FEEDBACK = ["satisfied", "need_clarification", "wrong_answer", "want_different", "none"]
# Sources of natural requests that cover many subjects: each tells how the others carry over.
DOMAIN_HELD_OUT = {"arena-hard-v2", "uncommonroute", "llmrouter", "clinc"}
# Attack techniques that are held out together: those of one origin or one idea.
FAMILY_FOLD = {
    "gcg": 0, "dsn": 0, "random_search": 0,
    "injection_direct": 1, "injection_indirect": 1, "multilingual": 1,
    "template": 2, "fiction": 2, "persona": 2,
    "override": 3, "extraction": 3, "authority": 3, "rewritten": 3,
    "document_injection": 4, "document": 4, "tool_abuse": 4, "hijack": 4,
    "encoding": 5, "format_injection": 5, "refusal_suppression": 5,
    "hypothetical": 2, "moral_pressure": 2, "payload_splitting": 5, "many_shot": 5,
}


class Row(dict):
    """head, id, use (fit|dev|none), holdout, weight, label, text; and for figures: kind, lang,
    source, name of the label."""


def load(data: pathlib.Path, name: str) -> list[dict]:
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def origin(row: dict) -> str:
    return row["source"].split(":")[0]


def fold(row: dict) -> str:
    return f"fold{int(draw(row['group'], 'fold') * FOLDS)}"


def fold_of_kind(kind: str, row: dict) -> str:
    """Documents stand with the attacks that were put into them."""
    return f"fold{FAMILY_FOLD[kind]}" if kind in FAMILY_FOLD else fold(row)


def group_of(row: dict) -> int | None:
    """The group that is left out together with the row; None for rows that always train."""
    return GROUP_OF_FOLD.get(row["holdout"])


def quarter_of(row: dict) -> int:
    """The quarter of the groups of rows that it stands in."""
    return int(draw(row["group"], "quarter") * 4)


def balanced(rows: list[Row]) -> list[Row]:
    """Weights ∝ count^-BALANCE of (label, source), mean 1 over the rows that are fitted."""
    fitted = [row for row in rows if row["use"] == "fit"]
    sizes = collections.Counter((row["name"], row["source"]) for row in fitted)
    for row in fitted:
        row["weight"] *= sizes[row["name"], row["source"]] ** -BALANCE
    mean = sum(row["weight"] for row in fitted) / len(fitted)
    for row in fitted:
        row["weight"] /= mean
    return rows


def make(head: str, row: dict, label, holdout: str, **more) -> Row:
    return Row(head=head, text=row["text"], label=label, holdout=holdout,
               use="fit" if row["split"] == "train" else "dev", weight=1.0, lang=row["lang"],
               source=origin(row), licence=row["licence"], group=row["group"],
               **{"kind": "", "name": str(label), **more})


def domain_rows(files: dict, short: list[dict]) -> list[Row]:
    rows = [make("domain", row, DOMAINS.index(row["label"]),
                 origin(row) if origin(row) in DOMAIN_HELD_OUT else "-", kind=row["kind"],
                 name=row["label"]) for row in files["domain"]]
    rows += [make("domain", row, DOMAINS.index(row["domain"]), "-", kind="short",
                  name=row["domain"]) for row in short]
    return balanced(rows)


def tier_rows(files: dict, short: list[dict]) -> list[Row]:
    rows = [make("tier", row, TIERS.index(row["label"]), fold(row), name=row["label"])
            for row in files["difficulty"] if row["kind"] == "tier"]
    rows += [make("tier", row, TIERS.index(row["tier"]), "-", kind="short", name=row["tier"])
             for row in short]
    return balanced(rows)


def difficulty_rows(files: dict, short: list[dict]) -> list[Row]:
    rows = []
    for row in files["difficulty"]:
        kind = row["kind"]
        target = (TIER_DIFFICULTY[row["label"]] if kind == "tier" else
                  1 - row["label"] if kind == "solve_rate" else OUTCOME_DIFFICULTY[row["label"]])
        rows.append(make("difficulty", row, target, fold(row), kind=kind, name=kind))
    rows += [make("difficulty", row, TIER_DIFFICULTY[row["tier"]], "-", kind="short",
                  name="short") for row in short]
    return balanced(rows)


def with_typos(text: str) -> str:
    """A letter dropped, doubled or swapped in a fifth of the words."""
    rng = random.Random(text)
    words = text.split(" ")
    for i, word in enumerate(words):
        if len(word) < 4 or not word.isascii() or rng.random() > 0.2:
            continue
        at = rng.randrange(1, len(word) - 1)
        words[i] = rng.choice([word[:at] + word[at + 1:], word[:at] + word[at] + word[at:],
                               word[:at] + word[at + 1] + word[at] + word[at + 2:]])
    return " ".join(words)


def with_splits(text: str) -> str:
    """A space or a hyphen inside a quarter of the words."""
    rng = random.Random(text)
    words = text.split(" ")
    for i, word in enumerate(words):
        if len(word) < 4 or not word.isascii() or rng.random() > 0.25:
            continue
        at = rng.randrange(1, len(word))
        words[i] = word[:at] + rng.choice(" -") + word[at:]
    return " ".join(words)


def disguised(row: Row, benign: list[str], paragraphs: list[str], share: float) -> list[Row]:
    """The row again behind, before and amid ordinary text, with typos and with split words; each
    for `share` of the rows."""
    text = row["text"]
    variants = {
        "prefix": lambda: f"{pick(benign, text, 'prefix text')} {text}",
        "suffix": lambda: f"{text}\n{pick(benign, text, 'suffix text')}",
        "amid": lambda: (f"{pick(paragraphs, text, 'before')}\n{text}\n"
                         f"{pick(paragraphs, text, 'behind')}"),
        "after a page": lambda: f"{pick(paragraphs, text, 'page')}\n\n{text}",
        "typos": lambda: with_typos(text),
        "splits": lambda: with_splits(text),
    }
    return [Row(row, kind="augmented", text=make_variant()) for name, make_variant
            in variants.items() if draw(text, name) < share and len(text) < 1500]


def jailbreak_row(row: dict) -> Row:
    return make("jailbreak", row, int(row["label"] == "attack"), fold_of_kind(row["family"], row),
                kind=row["family"], name=row["label"])


def jailbreak_rows(files: dict, short: list[dict]) -> list[Row]:
    rows = [jailbreak_row(row) for row in files["jailbreak"]]
    known = {row["text"] for row in rows}
    dev = {row["text"] for name in files for row in files[name] if row["split"] == "dev"}
    # Ordinary text of other tasks: the wider the benign side, the fewer false alarms.
    for name in ("domain", "pii", "secrets", "agentic", "intents", "difficulty"):
        for row in files[name]:
            text = row.get("text")
            if not text or row["split"] != "train" or text in known or text in dev:
                continue
            known.add(text)
            rows.append(make("jailbreak", row, 0, fold(row), kind=f"other:{name}",
                             name="benign"))
    rows += [make("jailbreak", row, 0, "-", kind="short", name="benign") for row in short]
    return balanced(rows)


def even_languages(rows: list[Row]) -> None:
    """Attacks weigh in every language as much beside its benign text as in English, or nearly so:
    much of the data in other languages is attacks, and a language would be a sign of one."""
    total = collections.Counter()
    for row in rows:
        total[row["lang"], row["label"]] += row["weight"]
    english = total["en", 1] / total["en", 0]
    for row in rows:
        ratio = total[row["lang"], 1] / max(1.0, total[row["lang"], 0]) / english
        factor = min(LANGUAGE_FACTOR_MAX, max(1.0, ratio) ** 0.5)
        row["weight"] *= 1 / factor if row["label"] == 1 else factor


def disguises(rows: list[Row]) -> list[Row]:
    """Attacks in disguise, and benign text in the same, so that no disguise is a sign by itself."""
    fitted = [row for row in rows if row["head"] == "jailbreak" and row["use"] == "fit"]
    ordinary = [row["text"] for row in fitted
                if row["kind"] in ("ordinary", "other:domain", "other:agentic")]
    benign = [text for text in ordinary if len(text) < 120]
    paragraphs = [text for text in ordinary if 120 <= len(text) < 360]
    out = []
    for row in fitted:
        if row["label"] == 1:
            out += disguised(row, benign, paragraphs, 0.3)
        elif row["kind"] != "short" and not row["kind"].startswith("other:"):
            out += disguised(row, benign, paragraphs, 0.08)
    return out


def harmful_rows(files: dict, short: list[dict]) -> list[Row]:
    rows = [make("harmful", row, int(row["label"] == "harmful"), fold(row), kind=row["family"],
                 name=row["label"]) for row in files["harmful"]]
    rows += [make("harmful", row, 0, "-", kind="short", name="benign") for row in short]
    return balanced(rows)


def read_written(path: pathlib.Path, *columns: str) -> list[dict]:
    """Requests that were written for this router: tab-separated columns and the text."""
    out = []
    if not path.exists():
        return out
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split("\t")
        if len(fields) != len(columns) + 1:
            raise SystemExit(f"{path}:{number}: {len(fields)} columns, expected {len(columns) + 1}")
        text = fields[-1].replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
        out.append(dict(zip(columns, fields), text=text, split="train", source="written",
                        group=text, licence="CC0-1.0"))
    return out


def written_rows(folder: pathlib.Path) -> list[Row]:
    extra = folder / "extra"
    rows = [make("domain", row, DOMAINS.index(row["label"]), "-", kind="written",
                 name=row["label"]) for row in read_written(extra / "domain.tsv", "label", "lang")]
    for row in read_written(extra / "tier.tsv", "label", "lang"):
        rows.append(make("tier", row, TIERS.index(row["label"]), fold(row), kind="written",
                         name=row["label"]))
        rows.append(make("difficulty", row, TIER_DIFFICULTY[row["label"]], fold(row),
                         kind="written", name="written"))
    for name, label in (("attacks", "attack"), ("benign", "benign")):
        for row in read_written(extra / f"{name}.tsv", "family", "lang"):
            rows.append(jailbreak_row(dict(row, label=label)))
    rows += [jailbreak_row(row) for row in compose.documents(extra)]
    # Requests by subject and tier are ordinary text, in more languages than the data has.
    for name in ("domain", "tier"):
        rows += [make("jailbreak", row, 0, fold(row), kind="requests", name="benign")
                 for row in read_written(extra / f"{name}.tsv", "label", "lang")]
    for row in read_written(extra / "feedback.tsv", "label", "lang"):
        rows.append(make("feedback", row, FEEDBACK.index(row["label"]), fold(row), kind="written",
                         name=row["label"]))
    return rows


def all_rows(data: pathlib.Path, folder: pathlib.Path) -> list[Row]:
    """`folder`: where short_prompts.tsv and extra/ are."""
    names = ("domain", "difficulty", "jailbreak", "harmful", "pii", "secrets", "agentic", "intents")
    files = {name: load(data, name) for name in names}
    short = read_written(folder / "short_prompts.tsv", "domain", "tier", "lang")
    rows = []
    for of_head in (domain_rows, jailbreak_rows, harmful_rows, tier_rows, difficulty_rows):
        rows += of_head(files, short)
    written = written_rows(folder)
    for head in sorted({row["head"] for row in written}):
        of_head = balanced([row for row in written if row["head"] == head])
        rows += [Row(row, weight=WRITTEN_WEIGHT * row["weight"]) for row in of_head]
    even_languages([row for row in rows if row["head"] == "jailbreak" and row["use"] == "fit"])
    rows += disguises(rows)
    for number, row in enumerate(rows):
        row["id"] = number
    return rows


def escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return text.replace("\r", " ")


def write(rows: list[Row], path: pathlib.Path) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(f"{row['head']}\t{row['id']}\t{row['use']}\t{row['holdout']}\t"
                      f"{row['weight']:.6g}\t{row['label']}\t{escaped(row['text'])}\n")
