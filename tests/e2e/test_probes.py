"""The shipped recipe gives every probe the decision that the probe file expects."""

import json
import subprocess

from conftest import BIN, RECIPE, SOURCE

PROBES = SOURCE / "deploy/recipes/agentic-saars.probes.yaml"


def evaluate(*args):
    return subprocess.run(
        [BIN, "eval", "--probes", *map(str, args)], capture_output=True, text=True, timeout=120
    )


def test_every_probe_of_the_shipped_recipe_passes():
    result = evaluate(PROBES, "--config", RECIPE)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr
    passed, failed = (int(x.split()[0]) for x in result.stdout.splitlines()[-1].split(", "))
    assert passed >= 400 and failed == 0


def test_a_probe_that_fails_is_named_with_the_reason(tmp_path):
    file = tmp_path / "probes.yaml"
    file.write_text(
        "decisions:\n"
        "  - id: wrong\n"
        "    expected_decision: domain_business\n"
        "    variants:\n"
        "      - {id: sum, query: What is 17 * 23?}\n"
    )
    result = evaluate(file, "--config", RECIPE)
    assert result.returncode == 1
    assert "wrong/sum: expected domain_business, got simple_math_fast_path" in result.stdout
    assert result.stdout.splitlines()[-1] == "0 passed, 1 failed"
    as_json = evaluate(file, "--config", RECIPE, "--json")
    assert json.loads(as_json.stdout)["failed"][0]["id"] == "wrong/sum"


def test_a_bad_probe_file_is_refused_with_its_place(tmp_path):
    file = tmp_path / "probes.yaml"
    file.write_text("decisions:\n  - id: empty\n    variants:\n      - {id: nothing}\n")
    result = evaluate(file, "--config", RECIPE)
    assert result.returncode == 2
    assert "probes.yaml:4:9: needs `query` or `messages`" in result.stderr
