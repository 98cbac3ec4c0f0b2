"""The guide's checklist, row by row, against the shipped recipe and the simulator."""

import httpx
from conftest import RECIPE, Router, recipe_with, route, to_sim

LOCAL = "qwen/qwen3.6-rocm"
PRO = "google/gemini-3.1-pro"
OPUS = "anthropic/claude-opus-4.6"

SIMPLE = "What is 17 * 23? Answer with only the number."
PRIVATE = "My API key is sk_live_123456. Is it safe to paste this into a public issue?"
ARCHITECTURE = (
    "Design the architecture of a sharded, multi-region event store with exactly-once delivery. "
    "Compare leader-based and leaderless replication, show the failure modes of each, and write "
    "the C++ interfaces of the storage engine, with the concurrency model and lock ordering."
)
STEM = (
    "Synthesise the research on quantum error correction with surface codes against LDPC codes: "
    "derive the threshold theorem's main steps, compare decoders, and say which experiments would "
    "settle the open questions."
)
LEGAL = (
    "Analyse whether a limitation-of-liability clause in a software contract is enforceable under "
    "German law when the supplier acted with gross negligence, and what a court would look at."
)
TOOLS = [{"type": "function", "function": {"name": "read_file", "parameters": {"type": "object"}}}]


def ids(session, conversation):
    return {"x-session-id": session, "x-conversation-id": conversation}


def tool_turn(prompt, call_id, result="total 3", after=()):
    return [
        {"role": "user", "content": prompt},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {"name": "read_file", "arguments": '{"path":"a.cc"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call_id, "content": result},
        *after,
    ]


def call_tool(sim, router, prompt, headers, call_id):
    """A first turn whose answer calls a tool."""
    sim.script({"tool_calls": [{"id": call_id, "name": "read_file", "arguments": '{"path":"a.cc"}'}]})
    response = router.chat(prompt, headers=headers, tools=TOOLS)
    assert response.status_code == 200, response.text
    return response


def test_models_list_names_the_logical_models(router):
    listed = [m["id"] for m in httpx.get(router.url + "/v1/models").json()["data"]]
    assert listed[0] == "auto"
    for model in (LOCAL, "google/gemini-2.5-flash-lite", PRO, "openai/gpt5.4", OPUS):
        assert model in listed


def test_simple_route(router):
    response = router.chat(SIMPLE, headers=ids("demo-session", "demo-run-simple"))
    assert response.status_code == 200, response.text
    assert route(response)[:3] == ("simple_math_fast_path", LOCAL, "select")
    assert response.headers["x-vsr-learning-scopes"] == "session_aware=conversation"


def test_privacy_route_bypasses_learning(router):
    response = router.chat(PRIVATE, headers=ids("demo-session", "demo-run-private"))
    assert route(response) == ("local_privacy_policy", LOCAL, "bypass", "decision_bypass")


def test_domain_routes(router):
    for conversation, prompt, decision, model in (
        ("code", ARCHITECTURE, "domain_code_complex", PRO),
        ("stem", STEM, "domain_stem_research", PRO),
        ("legal", LEGAL, "domain_legal_health", OPUS),
    ):
        response = router.chat(prompt, headers=ids("demo-session", f"demo-run-{conversation}"))
        assert route(response)[:2] == (decision, model)


def test_conversation_scope_routes_again_in_a_new_conversation(router):
    first = router.chat(ARCHITECTURE, headers=ids("s", "run-1"))
    second = router.chat(SIMPLE, headers=ids("s", "run-2"))
    assert route(first)[1:3] == (PRO, "select")
    assert route(second)[1:] == (LOCAL, "select", "missing_previous_model")


def test_session_scope_stays_on_the_first_model(start, sim, tmp_path):
    recipe = recipe_with(tmp_path, **{"scope: conversation": "scope: session"})
    router = start(Router, recipe, *to_sim(sim))
    first = router.chat(ARCHITECTURE, headers=ids("s", "run-1"))
    second = router.chat(SIMPLE, headers=ids("s", "run-2"))
    assert route(first)[1:3] == (PRO, "select")
    assert route(second)[1:] == (PRO, "stay", "session_scope_protect")
    assert second.headers["x-vsr-learning-scopes"] == "session_aware=session"


def test_tool_result_is_locked_to_the_model_that_called(sim, router):
    headers = ids("s", "loop")
    call_tool(sim, router, ARCHITECTURE, headers, "call_1")
    response = router.chat(messages=tool_turn(SIMPLE, "call_1"), tools=TOOLS, headers=headers)
    assert route(response)[1:] == (PRO, "hard_lock", "hard_lock=tool_loop")
    assert response.headers["x-vsr-session-phase"] == "tool_loop"


def test_trailing_synthetic_user_message_keeps_the_lock(sim, router):
    headers = ids("s", "synthetic")
    call_tool(sim, router, ARCHITECTURE, headers, "call_2")
    messages = tool_turn(
        ARCHITECTURE, "call_2", after=[{"role": "user", "content": "Continue from the tool output."}]
    )
    response = router.chat(messages=messages, tools=TOOLS, headers=headers)
    assert route(response)[1:] == (PRO, "hard_lock", "hard_lock=tool_loop")


def test_result_of_a_call_made_by_an_earlier_model(sim, router):
    """The owner is found by the call's id, whatever model the conversation is on now."""
    headers = ids("s", "earlier")
    call_tool(sim, router, ARCHITECTURE, headers, "call_3")
    # The user goes on with something else on an explicit model before the result is delivered.
    explicit = router.chat(
        "Name a colour.", model="google/gemini-2.5-flash-lite", headers=headers, tools=TOOLS
    )
    assert route(explicit)[1] == "google/gemini-2.5-flash-lite"
    response = router.chat(messages=tool_turn(ARCHITECTURE, "call_3"), tools=TOOLS, headers=headers)
    assert route(response)[1:] == (PRO, "hard_lock", "hard_lock=tool_loop")


def test_replay_resolves_as_soon_as_the_headers_are_out(sim, router):
    sim.script({"content": "slow", "chunks": 5, "chunk_delay_ms": 200})
    with httpx.stream(
        "POST",
        router.url + "/v1/chat/completions",
        json={
            "model": "auto",
            "stream": True,
            "messages": [{"role": "user", "content": SIMPLE}],
        },
        headers=ids("s", "replay"),
    ) as response:
        record = httpx.get(
            f"{router.url}/v1/router_replay/{response.headers['x-vsr-replay-id']}"
        )
        assert record.status_code == 200, record.text
        assert record.json()["lifecycle_state"] == "running"
        assert record.json()["decision"] == "simple_math_fast_path"
        response.read()
    assert router.finished_record(response)["lifecycle_state"] == "completed"


def test_prefix_cache_counters_and_cached_tokens(sim, router):
    """The simulator counts as vLLM does; the embedded backend is checked in test_embedded.py."""

    def hits():
        text = httpx.get(sim.url + "/metrics").text
        lines = [x for x in text.splitlines() if x.startswith("vllm:prefix_cache_hits_total")]
        return float(lines[0].rsplit(" ", 1)[1])

    prefix = [{"role": "system", "content": "You keep the books of a small library. " * 60}]
    before = hits()
    for question in ("Which books are due?", "Which books are late?"):
        response = router.chat(
            messages=[*prefix, {"role": "user", "content": question}], headers=ids("s", "cache")
        )
        assert response.status_code == 200, response.text
    assert hits() > before
    record = router.finished_record(response)
    assert record["cached_prompt_tokens"] > 0
    assert record["cached_tokens_source"] == "backend_reported"


def test_shipped_recipe_is_the_guides(router):
    text = RECIPE.read_text()
    for name in ("scope: conversation", "session: x-session-id", "conversation: x-conversation-id"):
        assert name in text
