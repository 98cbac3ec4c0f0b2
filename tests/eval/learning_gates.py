"""The gates of the learning evaluation: every figure beside its limit and the reference figure,
measured by running `vllm-sr eval --learning`.

usage: tests/eval/learning_gates.py [--bin build/release/vllm-sr] [--threads N]

Exit status 1 if a gate is missed. The negative controls are policies that must fail: if they pass,
the accounting sees no violations.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODES = ["ours:decision", "ours:ladder_after_first", "ours:at_least", "ours:ladder"]
LADDER, DECISION = "ours:ladder", "ours:decision"
# The first sequence of the vectors, without its expected values: t, L, prefix, tokens of the user's
# message, proposal, kind, completion.
SEQUENCE_A = [
    (0, 9060, 0, 60, 2, "u", 150), (10, 10500, 0, 60, 0, "t", 150), (20, 12000, 0, 60, 2, "t", 500),
    (60, 12502, 0, 2, 0, "u", 300), (100, 12900, 0, 12, 0, "u", 300),
    (140, 13300, 0, 90, 0, "u", 300), (180, 13700, 0, 3, 3, "u", 300),
    (220, 14200, 0, 200, 3, "u", 300), (260, 14600, 0, 5, 0, "s", 300),
    (300, 14950, 0, 20, 0, "p", 300), (340, 15300, 0, 4, 1, "u", 300),
    (1400, 60000, 0, 150, 1, "u", 300), (1440, 14000, 1, 30, 2, "u", 300),
]
# Policy → cost and failures of the first ten coding sessions at real4, λ = 1.
CHECKS = {
    "always_1": (2.842710360, 11.149830054), "locks_only": (8.435864540, 14.699352226),
    "single_turn": (10.593196660, 30.273328093), "published": (5.577824770, 20.572083541),
    "ours:decision": (5.749575090, 10.771206611),
    "ours:ladder_after_first": (5.876050190, 7.337593644),
    "ours:at_least": (7.115050260, 5.760316400), "ours:ladder": (7.115050260, 5.760316400),
}
OPTIMUM = 10.415193599
MATRIX = "85ca58bc97e829d2d84918dea4e9bd85414ff1d3a9a6b57c614fdfe352c98650"
CLOSED_CHECKS = {"always_1": (3.287067260, 98, 24, 40), "ours:ladder": (9.075480200, 87, 8, 43)}


class Gates:
    def __init__(self, binary: pathlib.Path, threads: int | None):
        self.command = [str(binary), "eval", "--learning"]
        if threads:
            self.command += ["--threads", str(threads)]
        self.missed = 0

    def run(self, *options: str, given: str | None = None) -> list[dict]:
        done = subprocess.run([*self.command, *options, "--json"], input=given, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(self.command)} {' '.join(options)}: {done.stderr.strip()}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def say(self, gate: str, what: str, figure: float, sign: str, limit: float,
            reference: str = "", decimals: int = 1) -> None:
        good = {"≤": figure <= limit, "<": figure < limit, "≥": figure >= limit,
                "=": figure == limit}[sign]
        self.missed += not good
        print(f"{gate:<3} {what:<58} {figure:>10.{decimals}f}  {sign} {limit:<10g} "
              f"{reference:<10} {'' if good else 'MISSED'}".rstrip(), flush=True)


def cells(rows: list[dict]) -> dict[tuple, dict[str, dict]]:
    out: dict[tuple, dict[str, dict]] = {}
    for row in rows:
        out.setdefault((row["suite"], row["profile"], row["prices"], row["lambda"]),
                       {})[row["policy"]] = row
    return out


def mean_regret(rows: list[dict], policy: str, suite: str = "agentmix") -> float:
    return statistics.mean(r["regret_pct"] for r in rows
                           if r["policy"] == policy and r["suite"] == suite)


def exactness(gates: Gates, folder: pathlib.Path) -> None:
    few = ("--seeds", "9001..9001", "--sessions", "10")
    rows = gates.run("--suite", "agentmix", "--policy", ",".join(CHECKS), *few)
    worst = max(abs(row[field] / expected - 1)
                for row in rows
                for field, expected in zip(("cost_usd", "failed"), CHECKS[row["policy"]]))
    gates.say("1", "check values of policies, largest relative error", worst, "≤", 1e-9, decimals=12)
    gates.say("1", "check value of the optimum, relative error", abs(rows[0]["oracle_j"] / OPTIMUM - 1),
              "≤", 1e-9, decimals=12)
    gates.say("1", "requests of the check", rows[0]["requests"], "=", 718, decimals=0)
    closed = gates.run("--suite", "closed-loop", "--policy", ",".join(CLOSED_CHECKS), *few)
    wrong = 0
    for row in closed:
        cost, attempts, failed, solved = CLOSED_CHECKS[row["policy"]]
        wrong += (abs(row["cost_usd"] / cost - 1) > 1e-9 or row["attempts"] != attempts or
                  row["failed"] != failed or round(45 * row["task_success"]) != solved)
    gates.say("1", "check values of the closed loop that differ", wrong, "=", 0, decimals=0)


    matrix = gates.run("--matrix-csv", str(folder / "gate_turns.csv"))[0]
    gates.say("1", "SHA-256 of the published matrix differs", matrix["sha256"] != MATRIX, "=", 0,
              decimals=0)


def safety(gates: Gates, grid: dict) -> None:
    ours = sum(by_policy[mode]["violations"] for by_policy in grid.values() for mode in MODES)
    gates.say("2", "violations of all modes in all cells", ours, "=", 0, "0", 0)
    coding = grid["agentmix", "coding", "recipe5", 1]
    for policy, limit, reference in (("single_turn", 200, "255"), ("shipped_june", 8, "12")):
        row = coding[policy]
        gates.say("2", f"negative control: {policy}, violations per 1,000",
                  1000 * row["violations"] / row["requests"], "≥", limit, reference)
    matrix = grid["matrix", "matrix", "pub3", 0.5]["single_turn"]
    gates.say("2", "negative control: single_turn on the matrix, violations", matrix["violations"],
              "=", 3836, "3836", 0)


def regret(gates: Gates, rows: list[dict], grid: dict) -> None:
    for mode, limit, reference in zip(reversed(MODES), (36, 48, 63, 85), ("33", "44", "58", "79")):
        gates.say("3", f"{mode}, mean regret of 27 cells, %", mean_regret(rows, mode), "≤", limit,
                  reference)
    constants = {key: min(r["j"] for p, r in by.items() if p.startswith("always_"))
                 for key, by in grid.items()}
    beaten = sum(any(r["j"] <= by[LADDER]["j"] for p, r in by.items()
                     if not p.startswith(("always_", "ours:"))) for by in grid.values())
    gates.say("4", "cells where a non-constant baseline is as good as ladder", beaten, "=", 0, "0", 0)
    mixed = {key: by for key, by in grid.items() if key[0] == "agentmix"}
    behind = [100 * (by[LADDER]["j"] - constants[key]) / by[LADDER]["oracle_j"]
              for key, by in mixed.items()]
    gates.say("4", "ladder over the best constant in hindsight, worst, points", max(behind), "≤", 8,
              "6")
    gates.say("4", "cells of 27 where ladder is no worse than it", sum(b <= 0 for b in behind), "≥",
              18, "21", 0)
    above = sum(by[mode]["j"] >= min(by["published"]["j"], by["locks_only"]["j"])
                for by in grid.values() for mode in MODES)
    gates.say("4", "cells and modes not below published and locks_only", above, "=", 0, "0", 0)
    for lam, limit, reference, of_decision in ((0.1, 1, "0", "16"), (0.5, 13, "10", "41"),
                                               (2, 3, "1", "133")):
        by = grid["matrix", "matrix", "pub3", lam]
        gates.say("5", f"matrix, λ = {lam}: ladder, %", by[LADDER]["regret_pct"], "≤", limit,
                  reference)
        other = min(by["published"]["regret_pct"], by["locks_only"]["regret_pct"])
        gates.say("5", f"matrix, λ = {lam}: decision, below published and locks_only, %",
                  by[DECISION]["regret_pct"], "<", round(other, 1), of_decision)


def frontier(gates: Gates) -> None:
    rows = gates.run("--suite", "frontier", "--seeds", "9001..9020", "--sessions", "20")
    for policy, limit, reference in ((LADDER, 45, "51–84"), (DECISION, 33, "38–71")):
        savings = [row["saving_pct"] for row in rows if row["policy"] == policy]
        lowest = min(-1 if saving is None else saving for saving in savings)
        gates.say("6", f"{policy} below published at equal success, least of {len(savings)}, %",
                  lowest, "≥", limit, reference)


def movement(gates: Gates, vectors: pathlib.Path) -> None:
    keys = ("t", "L", "ep", "ut", "p", "kind", "comp")
    lines = [{"prices": "real4", "lambda": 1.0, "candidate_set": "decision", "shared": 9000},
             *(dict(zip(keys, row)) for row in SEQUENCE_A)]
    vectors.write_text("".join(json.dumps(line) + "\n" for line in lines))
    answers = gates.run("--vectors", str(vectors))
    switched = sum(answers[i - 1]["action"] == "switch" for i in (8, 12, 13))
    gates.say("7", "vectors A8, A12 and A13 that switch", switched, "=", 3, "3", 0)
    rows = {r["policy"]: r for r in gates.run("--suite", "agentmix", "--policy",
                                              f"{LADDER},locks_only")}
    gates.say("7", "coding: ladder, switches per 100 requests", rows[LADDER]["switches_per_100"],
              "≤", 2.5, "1.45", 2)
    gates.say("7", "coding: ladder, prefill p95, below locks_only, s", rows[LADDER]["prefill_p95_s"],
              "<", round(rows["locks_only"]["prefill_p95_s"], 2), "2.34", 2)


def robustness(gates: Gates, rows: list[dict]) -> None:
    def with_options(*options: str) -> float:
        return mean_regret(gates.run("--suite", "grid", "--policy", LADDER, *options), LADDER)
    gates.say("8", "label confusion 40 %: ladder, %", with_options("--label-confusion", "0.4"), "≤",
              46)
    for ttl in ("60", "600", "3600"):
        gates.say("8", f"caches that last {ttl} s: ladder, %", with_options("--cache-ttl", ttl), "≤",
                  38)
    for factor in ("0.25", "0.5", "2", "4"):
        gates.say("8", f"prices times {factor}: ladder, %", with_options("--price-factor", factor),
                  "≤", 34)
    gates.say("8", "nothing kept across conversations: ladder, %",
              with_options("--no-shared-counts"), "≤", 46)
    gates.say("8", "flap: ladder, mean of 9 cells, %", mean_regret(rows, LADDER, "flap"), "≤", 80)


def closed_loop(gates: Gates) -> None:
    rows = gates.run("--suite", "closed-loop")
    per_session = {row["policy"]: row["j"] / row["sessions"] for row in rows}
    best = min(j for policy, j in per_session.items() if policy.startswith("always_"))
    gates.say("9", "closed loop: ladder with feedback, J a session", per_session[LADDER], "≤", 1.75,
              "1.62", 2)
    for what, figure, reference in (("published", per_session["published"], "3.19"),
                                    ("ewma", per_session["ewma"], "1.97"),
                                    ("best constant", best, "1.68")):
        gates.say("9", f"closed loop: ladder, below {what}", per_session[LADDER], "<",
                  round(figure, 2), reference, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "release" / "vllm-sr")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    gates = Gates(options.bin.resolve(), options.threads)
    folder = options.bin.resolve().parent
    print(f"{'':<3} {'':<58} {'figure':>10}  {'limit':<12} reference")
    begun = time.monotonic()
    rows = gates.run("--suite", "grid")
    seconds = time.monotonic() - begun
    grid = cells(rows)
    exactness(gates, folder)
    safety(gates, grid)
    regret(gates, rows, grid)
    frontier(gates)
    movement(gates, folder / "gate_vectors.jsonl")
    robustness(gates, rows)
    closed_loop(gates)
    gates.say("", "39 cells, seconds", seconds, "≤", 180)
    print(f"{gates.missed} missed" if gates.missed else "all gates are met")
    return 1 if gates.missed else 0


if __name__ == "__main__":
    sys.exit(main())
