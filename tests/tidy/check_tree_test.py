"""The checker itself: each kind of problem is found, and a clean tree has none."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_tree  # noqa: E402

TABLE = """
| folder | one line | may include |
|---|---|---|
| `base` | x | – |
| `json` | x | – |
| `wire` | x | json |
| `router` | x | wire |
| `app` | x | everything above |
| `term`, `agent` | x | json |
"""


def problems_of(files: dict[str, str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {"docs/ARCHITECTURE.md": TABLE, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_tree.check(root)


class CheckTree(unittest.TestCase):
    def test_allowed_edges_are_quiet(self):
        self.assertEqual(
            problems_of(
                {
                    "src/wire/a.h": '#pragma once\n#include "base/result.h"\n#include "json/w.h"\n',
                    "src/router/b.cc": '#include "json/w.h"\n#include "router/own.h"\n',
                    "src/app/c.cc": '#include "router/own.h"\n',
                    "src/agent/d.cc": '#include "json/w.h"\n',
                }
            ),
            [],
        )

    def test_each_problem_is_found(self):
        cases = {
            "forbidden edge": ({"src/json/a.cc": '#include "wire/x.h"\n'}, "may not include"),
            "row missing": ({"src/novel/a.cc": ""}, "no row"),
            "vague name": ({"src/utils/a.cc": ""}, "name the folder"),
            "pragma": ({"src/json/a.h": "int x;\n"}, "#pragma once"),
            "library": ({"src/wire/a.cc": "#include <re2/re2.h>\n"}, "only signals know"),
            "banned": ({"src/json/a.cc": "void f() { assert(true); }\n"}, "VSR_CHECK"),
        }
        for name, (files, expected) in cases.items():
            with self.subTest(name):
                self.assertTrue(any(expected in p for p in problems_of(files)), problems_of(files))


if __name__ == "__main__":
    unittest.main()
