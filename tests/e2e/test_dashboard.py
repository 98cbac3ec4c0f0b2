"""The dashboard in a real Chromium: dashboard/test/*.test.mjs, each over a router of its own."""

import contextlib
import os
import pathlib
import shutil
import sqlite3
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


ARCHIVED = 100_000
COPIES_APART_MS = 20_000  # all of them within the 30 days that are kept
TURNS = 20  # of a copied conversation
# Copies of what the file holds, each with an id, a time and a place in a conversation of its own.
COPIES = """
CREATE TEMP TABLE copies AS
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :copies),
  original AS (SELECT seq, row_number() OVER (ORDER BY seq) - 1 AS place FROM records)
  SELECT original.seq AS original, randomblob(16) AS id, :newest - :apart * n.i AS ms,
         (:newest - :apart * n.i) << 20 AS seq, printf('%016x', n.i / :turns) AS conversation
  FROM n JOIN original ON original.place = n.i % (SELECT count(*) FROM original)
"""
COPIED = {
    "seq": "copies.seq",
    "id": "copies.id",
    "session_id": "copies.conversation",
    "conversation_id": "copies.conversation",
}
BEGINNING = """json_set(t.document, '$.session_id', copies.conversation,
  '$.conversation_id', copies.conversation,
  '$.timestamp', strftime('%Y-%m-%dT%H:%M:%fZ', copies.ms / 1000.0, 'unixepoch'))"""


def multiply(path, total):
    """Fills the replay file at `path` with older copies of its records until it holds `total`."""
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        (there, oldest) = file.execute("SELECT count(*), min(seq) >> 20 FROM records").fetchone()
        file.execute(
            COPIES,
            {
                "copies": total - there,
                "newest": oldest - COPIES_APART_MS,
                "apart": COPIES_APART_MS,
                "turns": TURNS,
            },
        )
        for table in ("records", "beginnings", "endings"):
            names = [row[1] for row in file.execute(f"PRAGMA table_info({table})")]
            values = [COPIED.get(name, f"t.{name}") for name in names]
            if table == "beginnings":
                values[names.index("document")] = BEGINNING
            file.execute(
                f"INSERT INTO {table} ({','.join(names)}) SELECT {','.join(values)} "
                f"FROM copies JOIN {table} t ON t.seq = copies.original ORDER BY copies.seq"
            )
        assert file.execute("SELECT count(*) FROM records").fetchone() == (total,)


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


def test_the_archive(start, tmp_path):
    """Over a replay file of a hundred thousand records of several kinds."""
    sim = start(Sim, "--models", MODELS)
    recipe = recipe_of_its_own(tmp_path)
    first = Router(tmp_path, recipe, *to_sim(sim))
    try:
        for i, prompt in enumerate((
            "What is 17 * 23? Answer with only the number.",
            "My API key is sk_live_123456. Is it safe to paste this into a public issue?",
            "Write a friendly plan for a weekend in the mountains.",
            "Design a sharded event store with exactly-once delivery and explain how it fails.",
            "Translate to French: the weather is fine today.",
        )):
            identity = {"x-session-id": f"archive-{i}", "x-conversation-id": f"archive-{i}"}
            answer = first.chat(prompt, identity)
            assert answer.status_code == 200, answer.text
            first.finished_record(answer)
    finally:
        first.stop()
    multiply(first.state / "replay.sqlite", ARCHIVED)
    router = start(Router, recipe, *to_sim(sim))
    run("archive", router)
