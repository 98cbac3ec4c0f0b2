"""The shipped recipes give every probe the decision that the probe file expects."""

import json
import subprocess

import pytest
from conftest import BIN, RECIPE, SOURCE

RECIPES = SOURCE / "deploy/recipes"


def evaluate(*args):
    return subprocess.run(
        [BIN, "eval", "--probes", *map(str, args)], capture_output=True, text=True, timeout=500
    )


@pytest.mark.parametrize(
    "name, at_least",
    [
        ("agentic-saars", 400),
        ("customer-support", 40),
        ("privacy-first-office", 40),
        ("cost-ladder", 40),
    ],
)
def test_every_probe_of_a_shipped_recipe_passes(name, at_least):
    result = evaluate(RECIPES / f"{name}.probes.yaml", "--config", RECIPES / f"{name}.yaml")
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr
    passed, failed = (int(x.split()[0]) for x in result.stdout.splitlines()[-1].split(", "))
    assert passed >= at_least and failed == 0


def test_every_shipped_recipe_has_probes():
    probes = {f.name.removesuffix(".probes.yaml") for f in RECIPES.glob("*.probes.yaml")}
    assert probes == {f.stem for f in RECIPES.glob("*.yaml")} - {f"{p}.probes" for p in probes}


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
