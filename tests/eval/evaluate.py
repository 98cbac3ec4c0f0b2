"""Every figure of the learned signals beside its goal, measured with the router's own program on the
labelled data (docs/evaluation.md).

usage: tests/eval/evaluate.py DATA_DIR [--build build/release] [--only SECTION] [--json] [--strict]

The same build and data give the same figures. Missed goals are marked; --strict makes them an error.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True

import measures  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def shown(value: float, percent: bool) -> str:
    return f"{100 * value:.1f} %" if percent else f"{value:.3f}"


def lines(figure: measures.Figure) -> str:
    goal = ""
    if figure.goal is not None:
        goal = ("≤ " if figure.at_most else "≥ ") + shown(figure.goal, figure.percent)
    shares = f"shares {figure.shares} with training" if figure.shares else ""
    first = (f"{figure.section:<11} {figure.name:<57} {shown(figure.value, figure.percent):>8} "
             f"{goal:>9} {'miss' if figure.missed else '':<5}{figure.rows:>6} rows  {shares}").rstrip()
    return "\n".join([first, *(f"{'':<14}{detail}" for detail in figure.detail)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("data", type=pathlib.Path, metavar="DATA_DIR")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release",
                        help="folder with vllm-sr and models/encode_texts")
    parser.add_argument("--only", action="append", choices=measures.SECTIONS, metavar="SECTION",
                        help=", ".join(measures.SECTIONS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--strict", action="store_true", help="a missed goal is exit status 1")
    options = parser.parse_args()

    run = measures.Measures(options.data.resolve(), options.build.resolve())
    figures = []
    for name in options.only or measures.SECTIONS:
        begun = time.monotonic()
        of_section = measures.SECTIONS[name](run)
        figures += of_section
        if not options.json:
            print(*map(lines, of_section), sep="\n", flush=True)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    missed = [figure for figure in figures if figure.missed]
    goals = sum(figure.goal is not None for figure in figures)
    if options.json:
        print(json.dumps([dataclasses.asdict(f) | {"missed": f.missed} for f in figures], indent=1))
    else:
        print(f"{goals - len(missed)} of {goals} goals reached")
    return 1 if options.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
