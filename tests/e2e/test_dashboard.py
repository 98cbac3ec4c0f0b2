"""The dashboard in a real Chromium: dashboard/test/*.test.mjs, each over a router of its own."""

import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import RECIPE, SOURCE, Router, Sim, free_port, to_sim, wait_until

MODELS = (
    "qwen/qwen3.6-rocm,google/gemini-2.5-flash-lite,google/gemini-3.1-pro,openai/gpt5.4,"
    "anthropic/claude-opus-4.6"
)
BACKEND = pathlib.Path(os.environ.get("VSR_BACKEND_DIR", "build/backend"))
ARTEFACTS = pathlib.Path(os.environ.get("VSR_ARTEFACTS", SOURCE / "build/dashboard-screenshots"))


@pytest.fixture(scope="module", autouse=True)
def browser_is_there():
    assert shutil.which("chromium"), "run scripts/setup test"


def run(name, router):
    """One file of browser tests; its output is shown when it fails."""
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", f"dashboard/test/{name}.test.mjs"],
        cwd=SOURCE,
        env={
            **os.environ,
            "VSR_DASHBOARD": router.operator,
            "VSR_API": router.url,
            "VSR_ARTEFACTS": str(ARTEFACTS),
        },
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:] + router.text()[-2000:]


def recipe_of_its_own(tmp_path):
    """The shipped recipe and its probes, to be changed by the test."""
    for name in (RECIPE.name, RECIPE.with_suffix(".probes.yaml").name):
        shutil.copy(RECIPE.parent / name, tmp_path / name)
    return tmp_path / RECIPE.name


def test_pages(start, tmp_path):
    sim = start(Sim, "--models", MODELS)
    run("pages", start(Router, recipe_of_its_own(tmp_path), *to_sim(sim)))


def test_onboarding(start):
    sim = start(Sim, "--models", MODELS)
    run("welcome", start(Router, None, *to_sim(sim)))


def test_the_guide(start, tmp_path):
    """Over the embedded model, so that answers, tokens and cache counters are real ones."""
    assert (BACKEND / "backend.py").exists(), "run scripts/setup backend"
    router = start(
        Router,
        recipe_of_its_own(tmp_path),
        "--embedded-port",
        free_port(),
        env={"VLLM_SR_BACKEND_DIR": str(BACKEND), "VSR_BACKEND_DIR": str(BACKEND),
             "VLLM_PORT_QWEN36": str(free_port())},
    )
    wait_until(
        "the model answers",
        lambda: router.chat("hi", max_tokens=1, model="qwen/qwen3.6-rocm").status_code == 200,
        90,
        every=0.5,
    )
    run("guide", router)
