"""Fails on an include that docs/ARCHITECTURE.md does not allow, on a room without a row, and on
words that have a replacement. usage: check_tree.py ROOT"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
ROW = re.compile(r"^\|\s*((?:`\w+`(?:,\s*)?)+)\s*\|[^|]*\|\s*([^|]*?)\s*\|\s*$", re.MULTILINE)

# Outside libraries that only some rooms may know.
LIBRARIES = {
    "boost/": {"net"},
    "openssl/": {"net", "base"},
    "llhttp": {"http"},
    "simdjson": {"json", "wire"},
    "re2/": {"signals"},
    "libfyaml": {"config"},
    "sqlite3": {"store"},
    "prometheus/": {"operator", "gateway"},
    "spdlog/": {"app", "gateway", "operator", "cli", "store", "http", "net"},
    "CLI/": {"cli"},
}
# Pattern → what to use instead.
BANNED = {
    r"\bstd::print(?:ln)?\b": "fmt::print (libstdc++ 12 has no <print>)",
    r"\bstd::regex\b": "re2::RE2, which runs in linear time",
    r"\bgetenv\(": "the environment function that the loader is given",
    r"\bsleep_for\(": "a timer of the loop, or a fake clock in a test",
    r"\bassert\(": "VSR_CHECK, which stays on in release",
    r"\busing namespace std;": "names with std::",
    r"\bstd::cout\b": "fmt::print",
}
# Files that are the replacement, or that stand at the edge of the program.
EXEMPT = {
    r"\bgetenv\(": ("src/config/load", "src/app/", "src/cli/", "src/base/environment"),
    r"\bsleep_for\(": ("_test.cc", "_bench.cc", "src/cli/", "src/sim/"),
}
NO_ROOM = {"utils", "util", "common", "helpers", "helper", "misc"}


def allowed_edges(table: str) -> dict[str, set[str]]:
    """Reads the table of rooms: name → all rooms it may include, transitively, base included."""
    direct = {}
    for rooms, may in ROW.findall(table):
        for room in re.findall(r"`(\w+)`", rooms):
            direct[room] = set(re.findall(r"\w+", may)) if may != "–" else set()
    everything = set(direct)
    for room, may in direct.items():
        if "everything" in may:
            direct[room] = everything - {room, "cli", "term", "agent"}

    def closure(room, seen):
        for next_room in direct.get(room, ()):
            if next_room not in seen:
                seen.add(next_room)
                closure(next_room, seen)
        return seen

    return {room: closure(room, {"base"}) | {room} for room in direct}


def check(root: pathlib.Path) -> list[str]:
    problems = []
    table = allowed_edges((root / "docs/ARCHITECTURE.md").read_text())
    for folder in sorted(p for p in (root / "src").iterdir() if p.is_dir()):
        room = folder.name
        if room in NO_ROOM:
            problems.append(f"src/{room}: name the folder after what it does")
        if room not in table:
            problems.append(f"src/{room}: no row in docs/ARCHITECTURE.md says what it may include")
            continue
        for path in sorted(folder.rglob("*")):
            if path.suffix not in (".cc", ".h", ".c"):
                continue
            problems += check_file(root, path, room, table)
    return problems


def check_file(root, path, room, table) -> list[str]:
    problems = []
    name = path.relative_to(root).as_posix()
    text = path.read_text()
    if path.suffix == ".h" and "#pragma once" not in text:
        problems.append(f"{name}: a header starts with #pragma once")
    for quote, target in INCLUDE.findall(text):
        first = target.split("/")[0]
        if quote == '"' and "/" in target and first in table and first not in table[room]:
            problems.append(f"{name}: {room} may not include {target}")
        is_test = path.name.endswith(("_test.cc", "_bench.cc", "_fuzz.cc"))
        for prefix, rooms in LIBRARIES.items():
            if quote == "<" and target.startswith(prefix) and room not in rooms and not is_test:
                problems.append(f"{name}: only {', '.join(sorted(rooms))} know {prefix}")
    for pattern, instead in BANNED.items():
        if any(part in name for part in EXEMPT.get(pattern, ())):
            continue
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start()) + 1
            problems.append(f"{name}:{line}: {match.group(0)} → use {instead}")
    return problems


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    problems = check(root)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems in the tree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
