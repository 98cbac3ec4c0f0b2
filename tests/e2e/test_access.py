"""Keys, CORS, paths and setup mode of the public listener; the operator's address; reload; signals."""

import json
import signal
import subprocess
import time

import httpx
import pytest
from conftest import BIN, RECIPE, Router, recipe_with, route, to_sim, wait_until

LISTENER = "    timeout: 1200s\n"
KEYS = LISTENER + (
    "    api_keys:\n"
    "      - {name: team, key: key-team-123}\n"
    "      - {name: narrow, key: key-narrow-123, models: [auto]}\n"
    "    cors_origins: ['https://console.example']\n"
)
SIMPLE = "What is 17 * 23? Answer with only the number."


@pytest.fixture
def keyed(start, sim, tmp_path):
    return start(Router, recipe_with(tmp_path, **{LISTENER: KEYS}), *to_sim(sim))


def test_keys_are_asked_for_and_never_forwarded(keyed, sim):
    assert keyed.chat(SIMPLE).status_code == 401
    assert keyed.chat(SIMPLE, headers={"authorization": "Bearer wrong"}).status_code == 401
    for headers in ({"authorization": "Bearer key-team-123"}, {"x-api-key": "key-team-123"}):
        assert keyed.chat(SIMPLE, headers=headers).status_code == 200
    for request in sim.requests():
        assert "key-team-123" not in json.dumps(request["headers"])


def test_a_key_with_a_model_list_may_use_nothing_else(keyed):
    headers = {"x-api-key": "key-narrow-123"}
    assert keyed.chat(SIMPLE, headers=headers).status_code == 200
    refused = keyed.chat(SIMPLE, headers=headers, model="openai/gpt5.4")
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "model_not_allowed"


def test_replay_lists_show_a_key_its_own_records(keyed):
    mine = {"x-api-key": "key-team-123"}
    other = {"x-api-key": "key-narrow-123"}
    response = keyed.chat(SIMPLE, headers=mine)
    url = f"{keyed.url}/v1/router_replay"
    listed = lambda h: [r["id"] for r in httpx.get(url, headers=h).json()["data"]]  # noqa: E731
    assert response.headers["x-vsr-replay-id"] in listed(mine)
    assert response.headers["x-vsr-replay-id"] not in listed(other)


def test_cors_only_for_listed_origins(keyed):
    def preflight(origin):
        return httpx.options(keyed.url + "/v1/chat/completions", headers={"origin": origin})

    assert preflight("https://console.example").headers["access-control-allow-origin"] == (
        "https://console.example"
    )
    assert "access-control-allow-origin" not in preflight("https://evil.example").headers
    answer = keyed.chat(
        SIMPLE, headers={"x-api-key": "key-team-123", "origin": "https://console.example"}
    )
    assert answer.headers["access-control-allow-origin"] == "https://console.example"


def test_setup_mode_says_where_to_go(start, tmp_path):
    process = subprocess.Popen(
        [BIN, "serve", "--state-dir", tmp_path / "s", "--listen", "127.0.0.1:0", "--dashboard",
         "127.0.0.1:0", "--backend", "none"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        run_file = tmp_path / "s/run.json"
        run = wait_until("run file", lambda: run_file.exists() and json.loads(run_file.read_text()))
        url = f"http://127.0.0.1:{run['listeners'][0]['port']}"
        response = httpx.get(url + "/v1/models")
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "not_configured"
        assert httpx.get(f"http://127.0.0.1:{run['operator']['port']}/readyz").status_code == 503
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0, errors


def test_a_changed_recipe_is_taken_over_and_a_bad_one_is_not(start, sim, tmp_path):
    recipe = recipe_with(tmp_path)
    router = start(Router, recipe, *to_sim(sim))
    good = recipe.read_text()
    recipe.write_text(good.replace("name: simple_math_fast_path", "name: sums"))
    wait_until("the new name", lambda: route(router.chat(SIMPLE))[0] == "sums", 10)
    recipe.write_text(good.replace("strategy: tiered", "strategy: random"))

    def problem():
        ready = httpx.get(router.operator + "/readyz")
        # A typo must not take a serving router out of a load balancer.
        assert ready.status_code == 200 and ready.json()["ready"]
        return ready.json()["problem"]

    assert "routing.strategy" in wait_until("the problem is told", problem, 10)
    assert route(router.chat(SIMPLE))[0] == "sums"


def test_the_operator_answers_to_this_machine_alone(router):
    for host, status in (
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost:8700", 200),
        ("[::1]:8700", 200),
        ("127.0.0.1", 200),
    ):
        answer = httpx.get(router.operator + "/v1/router_replay", headers={"host": host})
        assert answer.status_code == status, host


def test_sigterm_finishes_what_runs(start, sim):
    router = start(Router, RECIPE, *to_sim(sim))
    sim.script({"content": "slow but whole", "chunks": 4, "chunk_delay_ms": 150})
    with httpx.stream(
        "POST",
        router.url + "/v1/chat/completions",
        json={"model": "auto", "stream": True, "messages": [{"role": "user", "content": SIMPLE}]},
    ) as response:
        router.signal(signal.SIGTERM)
        text = b"".join(response.iter_bytes()).decode()
    assert text.rstrip().endswith("data: [DONE]")
    assert router.wait(10) == 0


def test_operator_api(router):
    router.chat(SIMPLE)
    text = httpx.get(router.operator + "/metrics").text
    assert 'llm_decision_match_total{decision_name="simple_math_fast_path"} 1' in text
    assert "vsr_routing_seconds_count 1" in text
    evaluated = httpx.post(router.operator + "/api/v1/eval", json={"text": SIMPLE}).json()
    assert evaluated["routing_decision"] == "simple_math_fast_path"
    assert evaluated["decision_result"]["matched_signals"]["keywords"]
    assert len(evaluated["decisions"]) == 12
    models = httpx.get(router.operator + "/api/v1/models").json()["models"]
    assert len(models) == 5 and all(m["healthy"] for m in models)
    assert "routing:" in httpx.get(router.operator + "/api/v1/config").text
    bad = httpx.post(router.operator + "/api/v1/config/validate", content="version: v9").json()
    assert bad["valid"] is False and bad["diagnostics"]
    sessions = httpx.get(router.operator + "/api/v1/sessions").json()
    assert sessions["count"] == 1
    assert httpx.get(router.operator + "/api/v1/nothing").status_code == 404


def test_events_arrive_live(router):
    with httpx.stream("GET", router.operator + "/api/v1/events", timeout=10) as events:
        lines = events.iter_lines()
        assert next(lines) == ": live"
        router.chat(SIMPLE)
        data = next(line for line in lines if line.startswith("data: "))
    assert json.loads(data[6:])["decision"] == "simple_math_fast_path"


def test_a_taken_port_is_named(router, tmp_path):
    port = router.url.rsplit(":", 1)[1]
    result = subprocess.run(
        [BIN, "serve", "--config", RECIPE, "--listen", f"127.0.0.1:{port}", "--dashboard",
         "127.0.0.1:0", "--state-dir", tmp_path / "other", "--backend", "none"],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert result.returncode == 1
    assert f"127.0.0.1:{port}" in result.stderr and "vllm-sr status" in result.stderr


def test_active_health_takes_a_backend_out_and_back(start, sim, tmp_path):
    health = "weight: 1, health: {path: /health, interval: 100ms}}"
    router = start(Router, recipe_with(tmp_path, **{"weight: 1}": health}), *to_sim(sim))

    def healthy():
        models = httpx.get(router.operator + "/api/v1/models").json()["models"]
        return all(m["healthy"] for m in models)

    wait_until("healthy", healthy, 10)
    sim.signal(signal.SIGSTOP)
    try:
        wait_until("unhealthy", lambda: not healthy(), 15)
        refused = router.chat(SIMPLE)
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "no_healthy_endpoint"
    finally:
        sim.signal(signal.SIGCONT)
    wait_until("healthy again", healthy, 15)
    assert router.chat(SIMPLE).status_code == 200


def test_short_stream_has_no_nagle_delay(router, sim):
    """Forty milliseconds are what a delayed acknowledgement costs. The router may add less than that
    to what the same stream takes from the backend itself, whatever the machine is busy with."""
    body = {
        "model": "google/gemini-2.5-flash-lite",
        "stream": True,
        "messages": [{"role": "user", "content": SIMPLE}],
    }
    times = {router.url: [], sim.url: []}
    for _ in range(9):
        for url, taken in times.items():
            begun = time.monotonic()
            response = httpx.post(url + "/v1/chat/completions", json=body, timeout=60)
            assert response.status_code == 200
            taken.append(time.monotonic() - begun)
    assert min(times[router.url]) - min(times[sim.url]) < 0.04


def test_private_text_is_redacted_on_disk(router):
    response = router.chat("My API key is sk_live_123456. Is it safe?")
    record = router.finished_record(response)
    assert "[" in record["prompt"] and "sk_live_123456" not in json.dumps(record)
    time.sleep(0.5)  # the writer's interval
    for path in router.state.rglob("replay.sqlite*"):
        assert b"sk_live_123456" not in path.read_bytes()


def test_cli_talks_to_the_running_router(router):
    def cli(*args):
        return subprocess.run(
            [BIN, *args, "--state-dir", router.state], capture_output=True, text=True, timeout=30
        )

    assert cli("status").returncode == 0
    answer = cli("chat", SIMPLE)
    assert answer.returncode == 0 and "simple_math_fast_path" in answer.stderr
    listed = json.loads(cli("replay", "list", "--json").stdout)
    assert listed["data"]
    shown = cli("replay", "show", listed["data"][0]["id"], "--json")
    assert json.loads(shown.stdout)["decision"] == "simple_math_fast_path"
    assert "openai/gpt5.4" in cli("models").stdout
    assert cli("stop").returncode == 0
    assert router.wait(10) == 0

