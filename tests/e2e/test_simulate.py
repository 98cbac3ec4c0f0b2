"""Recorded traffic of the real program, decided again: by the recipe it was served by, and by others."""

import json
import os
import subprocess

import httpx
from conftest import BIN, RECIPE, wait_until

TOOLS = [{"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}}]


def simulate(router, *argv):
    done = subprocess.run(
        [BIN, "replay", "simulate", "--state-dir", str(router.state), *[str(a) for a in argv]],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def traffic(router, sim):
    """Conversations with a tool loop, a private turn, a switch of subject and a named model."""
    sent = 0
    for number in range(4):
        ids = {"x-session-id": f"s{number}", "x-conversation-id": f"c{number}"}
        messages = [{"role": "user", "content": "What is 17 * 23? Answer with only the number."}]
        for prompt in (
            "Now design a sharded event store with exactly-once delivery and prove that it is sound.",
            "Thanks. My API key is sk_live_123456. Is it safe to paste it?",
            "continue",
        ):
            answer = router.chat(messages=messages, headers=ids)
            assert answer.status_code == 200, answer.text
            sent += 1
            messages.append({"role": "assistant", "content": "Done."})
            messages.append({"role": "user", "content": prompt})
        call = {"id": f"call_{number}", "name": "run", "arguments": {"n": number}}
        sim.script({"tool_calls": [call]})
        answer = router.chat(messages=messages, headers=ids, tools=TOOLS)
        assert answer.status_code == 200, answer.text
        messages.append(answer.json()["choices"][0]["message"])
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": "fine"})
        assert router.chat(messages=messages, headers=ids, tools=TOOLS).status_code == 200
        named = router.chat("hello", headers=ids, model="google/gemini-3.1-pro", stream=False)
        assert named.status_code == 200, named.text
        sent += 3

    def all_ended():
        summary = httpx.get(router.operator + "/v1/router_replay/aggregate").json()["lifecycle"]
        return summary["completed"] == sent

    wait_until("records ended", all_ended, 10)
    return sent


def test_the_running_recipe_gives_what_was_recorded(router, sim):
    sent = traffic(router, sim)
    answer = json.loads(simulate(router, "--json"))
    assert answer["records"]["replayable"] == sent, answer["records"]
    assert answer["changed"]["decision_model_action_or_reason"] == 0, answer["changed"]
    assert answer["cost"]["before"] == answer["cost"]["after"] > 0
    same = json.loads(simulate(router, "--json", "--recipe", RECIPE))
    assert same["changed"] == answer["changed"]
    assert same["policy_version"] == answer["policy_version"]


def test_another_policy_and_the_aggregate_speak_of_the_same_models(router, sim):
    sent = traffic(router, sim)
    text = simulate(router, "--candidate-set", "ladder", "--quality-weight-usd", "0.0001")
    assert f"{sent} records read, {sent} match the filter, {sent} can be decided again" in text
    answer = json.loads(
        simulate(router, "--json", "--candidate-set", "ladder", "--quality-weight-usd", "0.0001")
    )
    assert answer["cost"]["after"] <= answer["cost"]["before"]
    totals = httpx.get(router.operator + "/v1/router_replay/aggregate").json()
    lines = {line["model"]: line["cost"] for line in totals["always_one_model"]}
    for line in answer["cost"]["always_one_model"]:
        assert abs(line["cost"] - lines[line["model"]]) < 1e-9
    assert totals["as_routed_under_cache_model"]["record_count"] > 0


def test_an_interrupted_call_hands_nothing_over(router, sim):
    ids = {"x-session-id": "s", "x-conversation-id": "c"}
    user = {"role": "user", "content": "Read the file."}

    def call(name, model, messages):
        sim.script({"tool_calls": [{"id": name, "name": "run", "arguments": {}}]})
        answer = router.chat(messages=messages, headers=ids, tools=TOOLS, model=model)
        assert answer.status_code == 200, answer.text
        return answer.json()["choices"][0]["message"]

    interrupted = [user, call("call_a", "openai/gpt5.4", [user])]
    interrupted.append({"role": "user", "content": "Stop. Read the other one."})
    history = [*interrupted, call("call_b", "google/gemini-3.1-pro", interrupted)]
    history.append({"role": "tool", "tool_call_id": "call_b", "content": "fine"})
    answer = router.chat(messages=history, headers=ids, tools=TOOLS)
    assert answer.status_code == 200, answer.text
    record = router.finished_record(answer)
    assert record["selected_model"] == "google/gemini-3.1-pro"
    assert record["route_diagnostics"]["session_action"] == "hard_lock"
    assert len(record["delivered_ids"]) == 1 and record["is_unsafe_switch"] is False
    totals = httpx.get(router.operator + "/v1/router_replay/aggregate").json()
    assert totals["unsafe_switches"] == 0
    assert totals["deliveries"]["known_issuer"] == 1


def test_a_recipe_of_other_models_compares_no_money(router, sim, tmp_path):
    sent = traffic(router, sim)
    other = tmp_path / "other.yaml"
    other.write_text(
        """version: v0.3
providers:
  defaults: {default_model: elsewhere}
  models: [{name: elsewhere, backend_refs: [{endpoint: "127.0.0.1:9"}]}]
routing:
  modelCards: [{name: elsewhere}]
  decisions: [{name: all, rules: {operator: AND, conditions: []}, modelRefs: [{model: elsewhere}]}]
global: {router: {learning: {enabled: true, adaptations: {session_aware: {enabled: true}}}}}
"""
    )
    text = simulate(router, "--recipe", other)
    assert f"cost: none of {sent} records can be priced on both sides" in text, text
    assert "google/gemini-3.1-pro is not in this recipe" in text, text
    assert "difference" not in text, text


def test_mistakes_are_told(router, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: v0.3\nproviders: {defaults: {default_model: nothing}}\n")
    empty = tmp_path / "empty.yaml"
    empty.write_text("\n")
    for arguments, status, message in (
        (("--recipe", str(bad)), 1, f"{bad}:2:"),
        (("--recipe", str(empty)), 2, f"{empty} is empty"),
        (("--quality-weight-usd", "nan"), 2, "nan is not a number from 0"),
        (("--quality-weight-usd", "-1"), 2, "-1 is not a number from 0"),
    ):
        done = subprocess.run(
            [BIN, "replay", "simulate", "--state-dir", str(router.state), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, message in done.stderr) == (status, True), done.stderr
        assert "candidate" not in done.stderr
    done = httpx.post(
        router.operator + "/api/v1/replay/simulate", json={"policy": {"quality_weight_usd": None}}
    )
    assert done.status_code == 400 and "a number from 0" in done.text
