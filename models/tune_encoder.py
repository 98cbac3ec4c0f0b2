"""Tunes the last layers of all-MiniLM-L6-v2 with the router's heads on top of them, once for the
heads of safety and once for the others. Needs torch, numpy and safetensors.

The lower layers stay as they are: their output is computed once for every window of text and kept
in a file (about 0.8 KB a token), so that several tunings, each without one group of families and
sources, share it. One pass over the rows: more fits the families of attacks that are there and
loses those that are not, and a second pass for domains alone gained nothing on unseen sources.
"""

import collections
import pathlib
import random
import subprocess
import sys
import time

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

import rows as training_rows
from fusion import COLUMNS_OF
from tuned_file import COLUMNS

SHARED_LAYERS = 5
WIDTH, HEADS, INNER = 384, 12, 1536
BLOCK_BYTES = 256  # as features.block_bytes; a window is two of them
WINDOW_TOKENS = 128
WINDOWS_MAX = 3  # of one row
# Lengths and sizes of batches are few, so that each is compiled once.
LENGTHS = [16, 24, 32, 40, 48, 64, 80, 96, 112, 128]
BATCH_TOKENS = 4096
SAFETY_HEADS = ("jailbreak", "harmful")
LAYER_RATE, HEAD_RATE = 3e-4, 2e-3
WEIGHT = {"domain": 1.0, "jailbreak": 1.5, "harmful": 0.5, "tier": 0.5, "difficulty": 0.7,
          "feedback": 0.3}
# The share of rows that are read, by kind: large kinds that say the same again and again.
SHARE = {"other:difficulty": 0.08, "other:domain": 0.08, "other:intents": 0.08,
         "other:agentic": 0.25, "other:pii": 0.25, "other:secrets": 0.25, "weak_strong": 0.15,
         "requests": 0.5, "augmented": 0.7, "random_search": 0.4}


def windows(text: str) -> list[str]:
    """Pairs of neighbouring blocks of about BLOCK_BYTES, cut at spaces where there are any."""
    raw = text.encode()
    cuts = [0]
    while len(raw) - cuts[-1] > BLOCK_BYTES:
        begin, end = cuts[-1], cuts[-1] + BLOCK_BYTES
        space = max(raw.rfind(b" ", begin + BLOCK_BYTES // 2, end + 1),
                    raw.rfind(b"\n", begin + BLOCK_BYTES // 2, end + 1))
        if space <= begin:
            space = end
            while space > begin + 1 and raw[space] & 0xC0 == 0x80:
                space -= 1
        cuts.append(space)
    if len(cuts) == 1 or cuts[-1] < len(raw):
        cuts.append(len(raw))
    blocks = list(zip(cuts, cuts[1:]))
    if len(blocks) == 1:
        pairs = blocks
    else:
        pairs = [(blocks[i][0], blocks[i + 1][1]) for i in range(0, len(blocks) - 1, 2)]
        if len(blocks) % 2:
            pairs.append((blocks[-2][0], blocks[-1][1]))
    return [raw[begin:end].decode("utf-8", "ignore") for begin, end in pairs]


def windows_of(row: dict) -> list[str]:
    """Those that are read of a row: the first, the last and some between them."""
    all_windows = windows(row["text"])
    if row["head"] in ("difficulty", "tier", "feedback"):
        return all_windows[:1]
    count = 2 if row["head"] == "domain" else WINDOWS_MAX
    if len(all_windows) <= count:
        return all_windows
    between = random.Random(row["text"]).sample(range(1, len(all_windows) - 1), count - 2)
    return [all_windows[0], *(all_windows[i] for i in sorted(between)), all_windows[-1]]


def padded(length: int) -> int:
    return next(size for size in LENGTHS if size >= length)


class Layer(nn.Module):
    def __init__(self, weights: dict, number: int):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.o = nn.Linear(WIDTH, WIDTH)
        self.n1 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.u = nn.Linear(WIDTH, INNER)
        self.d = nn.Linear(INNER, WIDTH)
        self.n2 = nn.LayerNorm(WIDTH, eps=1e-12)
        prefix = f"encoder.layer.{number}."
        state = {}
        for kind in ("weight", "bias"):
            state[f"qkv.{kind}"] = torch.cat([weights[f"{prefix}attention.self.{part}.{kind}"]
                                              for part in ("query", "key", "value")])
            for ours, theirs in (("o", "attention.output.dense"),
                                 ("n1", "attention.output.LayerNorm"),
                                 ("u", "intermediate.dense"), ("d", "output.dense"),
                                 ("n2", "output.LayerNorm")):
                state[f"{ours}.{kind}"] = weights[f"{prefix}{theirs}.{kind}"]
        self.load_state_dict({name: value.float() for name, value in state.items()})

    def forward(self, x, mask):
        batch, length, _ = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        if torch.is_grad_enabled():  # the backward pass of the fused form is slow on a CPU
            scaled = q * (WIDTH // HEADS) ** -0.5
            mixed = (scaled @ k.transpose(-1, -2) + mask).softmax(-1) @ v
        else:
            mixed = nn.functional.scaled_dot_product_attention(q, k, v, mask.to(q.dtype))
        x = self.n1(x + self.o(mixed.transpose(1, 2).reshape(batch, length, WIDTH)))
        return self.n2(x + self.d(nn.functional.gelu(self.u(x))))


class States:
    """What the shared layers make of every window, by the router's own code, so that the tuned
    layers see in training what they will see."""

    def __init__(self, texts: list[str], tool: pathlib.Path, encoder: pathlib.Path,
                 work: pathlib.Path):
        lines = work / "windows.txt"
        with open(lines, "w", encoding="utf-8", newline="\n") as out:
            for text in texts:
                out.write(training_rows.escaped(text) + "\n")
        command = [str(tool), "states", str(encoder), str(SHARED_LAYERS), str(WINDOW_TOKENS),
                   str(lines), str(work / "states.bin")]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        self.length = np.array([int(line) for line in told.split()])
        self.begin = np.concatenate([[0], np.cumsum(self.length)])
        tokens = int(self.begin[-1])
        self.hidden = torch.from_file(str(work / "states.bin"), size=tokens * WIDTH,
                                      dtype=torch.bfloat16).view(tokens, WIDTH)
        print(f"{len(texts)} windows, {tokens} tokens", file=sys.stderr)

    def batch(self, members: list[int]):
        length = padded(int(self.length[members].max()))
        count = max(len(members), BATCH_TOKENS // length)
        x = torch.zeros(count, length, WIDTH, dtype=torch.bfloat16)
        mask = torch.zeros(count, 1, 1, length)
        there = torch.zeros(count, length, 1)
        there[len(members):, 0] = 1
        for j, k in enumerate(members):
            x[j, :self.length[k]] = self.hidden[self.begin[k]:self.begin[k + 1]]
            mask[j, ..., self.length[k]:] = -1e4
            there[j, :self.length[k]] = 1
        return x, mask, there


class Top(nn.Module):
    """All columns, of which only those of its own heads are trained."""

    def __init__(self, weights: dict, safety: bool):
        super().__init__()
        self.safety = safety
        self.layers = nn.ModuleList(Layer(weights, n) for n in range(SHARED_LAYERS, 6))
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(WIDTH, len(COLUMNS))
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, x, mask, there):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            for layer in self.layers:
                x = layer(x, mask)
        count = there.sum(1)
        if self.safety:  # token by token, so that what stands around an attack dilutes it little
            tokens = self.head(self.drop(x.float()))
            return (tokens + there.log()).logsumexp(1) - count.log()
        return self.head(self.drop((x.float() * there).sum(1) / count))


def of_rows(columns: torch.Tensor, counts: list[int], safety: bool) -> torch.Tensor:
    """As TextClassifier::fuse: safety by the window that looks worst, the rest by both ends. A batch is
    filled up with windows of no row."""
    rows = columns[:sum(counts)].split(counts)
    return torch.stack([one.max(0).values if safety else (one[0] + one[-1]) / 2 for one in rows])


def batches(rows: list, states: States, seed: int | None) -> list[list[int]]:
    order = list(range(len(rows)))
    longest = [max(states.length[k] for k in row["windows"]) for row in rows]
    stretch = len(order)
    if seed is not None:
        random.Random(seed).shuffle(order)
        stretch = 4096
    out = []
    for first in range(0, len(order), stretch):
        current, count, length = [], 0, 0
        for i in sorted(order[first:first + stretch], key=longest.__getitem__):
            more = len(rows[i]["windows"])
            if current and (count + more) * padded(max(length, longest[i])) > BATCH_TOKENS:
                out.append(current)
                current, count, length = [], 0, 0
            current.append(i)
            count, length = count + more, max(length, longest[i])
        out.append(current)
    if seed is not None:
        random.Random(seed).shuffle(out)
    return out


def read_batch(top: Top, rows: list, states: States) -> torch.Tensor:
    members = [k for row in rows for k in row["windows"]]
    return of_rows(top(*states.batch(members)), [len(row["windows"]) for row in rows], top.safety)


def loss_of(columns: torch.Tensor, rows: list) -> torch.Tensor:
    total = torch.zeros(())
    by_head = collections.defaultdict(list)
    for i, row in enumerate(rows):
        by_head[row["head"]].append(i)
    for head, members in by_head.items():
        begin, end = COLUMNS_OF[head]
        z = columns[members][:, begin:end]
        weight = torch.tensor([rows[i]["weight"] for i in members])
        labels = [rows[i]["label"] for i in members]
        if end - begin > 1:
            losses = nn.functional.cross_entropy(z, torch.tensor(labels, dtype=torch.long),
                                                 reduction="none", label_smoothing=0.05)
        else:
            losses = nn.functional.binary_cross_entropy_with_logits(
                z[:, 0], torch.tensor(labels, dtype=torch.float32), reduction="none")
        total = total + WEIGHT[head] * (losses * weight).sum()
    return total / len(rows)


def tune(name: str, rows: list, states: States, weights: dict) -> Top:
    """For the heads of these rows: all of safety or none."""
    torch.manual_seed(7)
    top = Top(weights, rows[0]["head"] in SAFETY_HEADS)
    optimiser = torch.optim.AdamW([{"params": top.layers.parameters(), "lr": LAYER_RATE},
                                   {"params": top.head.parameters(), "lr": HEAD_RATE}],
                                  weight_decay=0.01)
    plan = batches(rows, states, seed=11)
    warm_up = max(1, len(plan) * 6 // 100)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda k: min(1.0, (k + 1) / warm_up) * max(0.0, 1 - k / len(plan)))
    top.train()
    begun = told = time.monotonic()
    for step, batch in enumerate(plan):
        chosen = [rows[i] for i in batch]
        loss = loss_of(read_batch(top, chosen, states), chosen)
        loss.backward()
        nn.utils.clip_grad_norm_(top.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print(f"{name}: {step} of {len(plan)} batches, {told - begun:.0f} s", file=sys.stderr)
    return top.eval()


def score(top: Top, rows: list, states: States) -> dict:
    """Columns by the id of the row."""
    out = {}
    with torch.no_grad():
        for batch in batches(rows, states, seed=None):
            chosen = [rows[i] for i in batch]
            for row, columns in zip(chosen, read_batch(top, chosen, states).numpy()):
                out[row["id"]] = columns
    return out


def arrays_of(general: Top, safety: Top) -> tuple:
    """(stacks, head) as tuned_file.write wants them."""
    stacks = [[{name: value.numpy() for name, value in layer.state_dict().items()}
               for layer in top.layers] for top in (general, safety)]
    weight, bias = (getattr(general.head, name).detach().numpy().copy()
                    for name in ("weight", "bias"))
    for begin, end in (COLUMNS_OF[head] for head in SAFETY_HEADS):
        weight[begin:end] = safety.head.weight.detach().numpy()[begin:end]
        bias[begin:end] = safety.head.bias.detach().numpy()[begin:end]
    return stacks, (weight, bias)


def stacks_of(rows: list) -> tuple[list, list]:
    """The rows of the general heads and those of safety."""
    return ([row for row in rows if row["head"] not in SAFETY_HEADS],
            [row for row in rows if row["head"] in SAFETY_HEADS])


def tune_stack(rows: list, states: States, weights: dict) -> tuple:
    """(columns of rows by a top that had not seen their group, columns of dev rows by the last top,
    that top). Rows of kind `augmented` are fitted and not scored."""
    fitted = [row for row in rows if row["use"] == "fit"]
    held_out = {}
    for group in range(training_rows.GROUPS):
        others = [row for row in fitted if training_rows.group_of(row) != group]
        top = tune(f"without group {group}", others, states, weights)
        left_out = [row for row in rows if row["kind"] != "augmented" and row["use"] != "dev"
                    and training_rows.group_of(row) == group]
        held_out |= score(top, left_out, states)
    top = tune("all", fitted, states, weights)
    return held_out, score(top, [row for row in rows if row["use"] == "dev"], states), top


def run(rows: list, model: pathlib.Path, tool: pathlib.Path, encoder: pathlib.Path,
        work: pathlib.Path) -> tuple:
    """`model`: the published weights; `encoder`: encoder.bin made of them. Returns (columns of rows
    left out, columns of dev rows, the general top and that of safety)."""
    weights = load_file(model / "model.safetensors")
    chosen = [row for row in rows if training_rows.draw(row["text"], "encoder")
              < SHARE.get(row["kind"], 1)]
    known, texts = {}, []
    for row in chosen:
        row["windows"] = []
        for text in windows_of(row):
            if text not in known:
                known[text] = len(texts)
                texts.append(text)
            row["windows"].append(known[text])
    states = States(texts, tool, encoder, work)
    general, safety = (tune_stack(part, states, weights) for part in stacks_of(chosen))
    return general[0] | safety[0], general[1] | safety[1], (general[2], safety[2])
