"""Each example of docs/signals.md is a valid part of a recipe, with keys that the program knows."""

import re
import subprocess
import textwrap

import pytest
from conftest import BIN, SOURCE

EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", (SOURCE / "docs/signals.md").read_text(), re.M | re.S)
HEAD = """version: v0.3
providers:
  defaults: {default_model: small}
  models: [{name: small, backend_refs: [{name: b, endpoint: "127.0.0.1:8000"}]}]
routing:
  modelCards: [{name: small}]
"""
# What the decision of the guide refers to.
SIGNALS = """  signals:
    keywords: [{name: billing_words, keywords: [refund]}]
    embeddings: [{name: billing, candidates: [Where is my refund?]}]
    language: [{name: zh}]
"""


def recipe_of(example):
    if example.startswith("global:"):
        top, _, routing = example.partition("routing:\n")
        return top + HEAD + routing
    if example.startswith("decisions:"):
        return HEAD + SIGNALS + textwrap.indent(example, "  ")
    return HEAD + "  signals:\n" + textwrap.indent(example, "    ")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[0])
def test_an_example_of_the_guide_is_valid(tmp_path, example):
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe_of(example))
    result = subprocess.run(
        [BIN, "validate", "--config", path], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0 and "warning" not in result.stderr, result.stderr


def test_the_probes_of_the_guide_run(tmp_path):
    guide = (SOURCE / "docs/signals.md").read_text()
    example = re.search(r"^## A file of probes\n((?:    .*\n)+)", guide, re.M)[1]
    path = tmp_path / "my.probes.yaml"
    path.write_text(textwrap.dedent(example))
    recipe = SOURCE / "deploy/recipes/customer-support.yaml"
    result = subprocess.run(
        [BIN, "eval", "--probes", path, "--config", recipe],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0 and "2 passed, 0 failed" in result.stdout, result.stdout


def test_the_guide_has_an_example_of_every_type():
    shown = {key for text in EXAMPLES for key in re.findall(r"^(\w+):", text, re.M)}
    assert shown == {
        "keywords", "embeddings", "domains", "complexity", "pii", "jailbreak", "context",
        "conversation", "structure", "language", "reasks", "user_feedbacks", "fact_check",
        "modality", "preferences", "metadata", "events", "role_bindings", "classifiers",
        "decisions", "global", "routing",
    }  # fmt: skip
