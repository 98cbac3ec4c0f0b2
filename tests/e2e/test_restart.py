"""A router that is stopped and started again on the same state folder remembers its conversations."""

import json
import stat

import pytest
from conftest import RECIPE, Router, route, to_sim
from test_guide import ARCHITECTURE, PRO, SIMPLE, TOOLS, call_tool, ids, tool_turn
from test_simulate import simulate

SIGNED = {"extra_content": {"google": {"thought_signature": "sim-opaque-1"}}}


@pytest.fixture
def restarted(start, sim, router):
    """The router of `router`, ended with SIGTERM, and another one in its place."""

    def restart(change=lambda state: None):
        router.stop()
        file = router.state / "learning.state"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        change(file)
        return start(Router, RECIPE, *to_sim(sim))

    return restart


def test_a_tool_result_goes_to_the_model_that_called(sim, router, restarted):
    assert route(call_tool(sim, router, ARCHITECTURE, ids("s", "loop"), "call_1"))[1] == PRO
    again = restarted()
    sim.clear()
    # Under another conversation id there is nothing but the call's id to know it by.
    for conversation in ("loop", "another"):
        response = again.chat(
            messages=tool_turn(SIMPLE, "call_1"), tools=TOOLS, headers=ids("s", conversation)
        )
        assert route(response)[1:] == (PRO, "hard_lock", "hard_lock=tool_loop")
    assert {json.loads(r["body"])["model"] for r in sim.requests()} == {PRO}


def test_provider_state_goes_to_its_maker(sim, router, restarted):
    sim.script({"content": "done", "extra": SIGNED})
    assert route(router.chat(ARCHITECTURE, headers=ids("s", "signed")))[1] == PRO
    again = restarted()
    messages = [
        {"role": "user", "content": SIMPLE},
        {"role": "assistant", "content": "done", **SIGNED},
        {"role": "user", "content": SIMPLE},
    ]
    response = again.chat(messages=messages, headers=ids("s", "another"))
    reason = "hard_lock=context_portability:thought_signature"
    assert route(response)[1:] == (PRO, "hard_lock", reason)


def test_a_conversation_goes_on(router, restarted):
    messages = [{"role": "user", "content": ARCHITECTURE}]
    assert route(router.chat(messages=messages, headers=ids("s", "talk")))[1] == PRO
    again = restarted()
    messages += [
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "continue"},
    ]
    assert route(again.chat(messages=messages, headers=ids("s", "talk")))[1:3] == (PRO, "stay")


def test_what_is_decided_after_a_restart_is_not_simulated_from_nothing(sim, router, restarted):
    call_tool(sim, router, ARCHITECTURE, ids("s", "loop"), "call_1")
    again = restarted()
    last = again.chat(messages=tool_turn(SIMPLE, "call_1"), tools=TOOLS, headers=ids("s", "loop"))
    fresh = again.chat(SIMPLE, headers=ids("new", "new"))
    for response in (last, fresh):
        again.finished_record(response)
    report = json.loads(simulate(again, "--json"))
    assert report["records"]["replayable"] == 2, report
    assert report["records"]["not_replayable_causes"] == {"history_missing": 1}, report
    assert report["changed"]["decision_model_action_or_reason"] == 0, report


def test_a_damaged_file_is_put_aside(sim, router, restarted):
    call_tool(sim, router, ARCHITECTURE, ids("s", "loop"), "call_1")

    def damage(file):
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)

    again = restarted(damage)
    assert again.text().count("its checksum is wrong") == 1, again.text()
    assert not (again.state / "learning.state").exists()
    assert (again.state / "learning.state.bad").exists()
    # Nobody knows who called, so that the route decides: what the other tests saw came of the file.
    response = again.chat(
        messages=tool_turn(SIMPLE, "call_1"), tools=TOOLS, headers=ids("s", "loop")
    )
    assert route(response)[1] != PRO
    assert route(response)[2] == "select"
