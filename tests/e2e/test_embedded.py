"""The real model behind the router: the embedded backend is found missing, started, used, watched
and stopped by `serve` itself."""

import os
import pathlib
import signal

import httpx
import openai
import pytest
from conftest import RECIPE, Router, free_port, route, wait_until

FOLDER = pathlib.Path(os.environ.get("VSR_BACKEND_DIR", "build/backend"))
MODEL_SECONDS = 90


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The shipped recipe on the embedded backend; one for all tests here, since it takes seconds."""
    assert (FOLDER / "backend.py").exists(), "run scripts/setup backend"
    folder = tmp_path_factory.mktemp("embedded")
    port = free_port()
    router = Router(
        folder,
        RECIPE,
        "--embedded-port",
        port,
        env={"VSR_BACKEND_DIR": str(FOLDER), "VLLM_SR_BACKEND_DIR": str(FOLDER),
             "VLLM_PORT_QWEN36": str(free_port())},
    )
    router.backend = f"http://127.0.0.1:{port}"

    def answers():
        assert router.running(), router.text()
        response = router.chat("hi", max_tokens=1, model="qwen/qwen3.6-rocm")
        return response.status_code == 200

    try:
        wait_until("the model answers", answers, MODEL_SECONDS, every=0.5)
        yield router
    finally:
        router.stop()


def test_it_is_started_and_said_so(served):
    system = httpx.get(served.operator + "/api/v1/system").json()
    assert system["backends"]["embedded"] == served.backend.removeprefix("http://")
    assert any("embedded" in line for line in system["backends"]["tried"])


def test_all_aliases_go_to_it(served):
    for model in ("google/gemini-2.5-flash-lite", "anthropic/claude-opus-4.6"):
        response = served.chat("Say hello.", model=model, max_tokens=4)
        assert response.status_code == 200, response.text
        assert route(response)[1] == model


def test_the_guides_simple_request(served):
    response = served.chat(
        "What is 17 * 23? Answer with only the number.",
        headers={"x-session-id": "demo-session", "x-conversation-id": "demo-run-simple"},
        max_tokens=16,
    )
    assert response.status_code == 200, response.text
    assert route(response)[:2] == ("simple_math_fast_path", "qwen/qwen3.6-rocm")
    assert response.json()["choices"][0]["message"]["content"].strip()


def test_prefix_cache_counters_move_and_reach_the_record(served):
    def cached():
        text = httpx.get(served.backend + "/metrics").text
        line = next(x for x in text.splitlines() if x.startswith("llamacpp:prompt_tokens_cached_total"))
        return float(line.rsplit(" ", 1)[1])

    prefix = {"role": "system", "content": "You keep the books of a small library. " * 25}
    before = cached()
    for question in ("Name a book.", "Name an author."):
        response = served.chat(
            messages=[prefix, {"role": "user", "content": question}],
            model="qwen/qwen3.6-rocm",
            max_tokens=2,
        )
        assert response.status_code == 200, response.text
    assert cached() > before
    record = served.finished_record(response)
    assert record["cached_prompt_tokens"] > 100
    assert record["cached_tokens_source"] == "backend_reported"


def test_streaming_through_the_official_sdk(served):
    client = openai.OpenAI(base_url=served.url + "/v1", api_key="none", max_retries=0)
    stream = client.chat.completions.create(
        model="auto", stream=True, max_tokens=8, messages=[{"role": "user", "content": "Say hello."}]
    )
    chunks = list(stream)
    assert any(c.choices and c.choices[0].delta.content for c in chunks)
    # The usage chunk was asked for by the router, not by the client.
    assert all(c.usage is None for c in chunks)


def test_it_is_started_again_when_it_ends(served):
    system = httpx.get(served.operator + "/api/v1/system").json()
    pid = system["backends"]["embedded_pid"]
    os.kill(pid, signal.SIGKILL)

    def another():
        now = httpx.get(served.operator + "/api/v1/system").json()["backends"]
        return now["embedded_running"] and now["embedded_pid"] != pid

    wait_until("a new backend process", another, 20)
    wait_until(
        "it answers again",
        lambda: served.chat("hi", max_tokens=1, model="qwen/qwen3.6-rocm").status_code == 200,
        MODEL_SECONDS,
        every=0.5,
    )
