"""Bad input and bad backends: what the client is told, what the record says, and that the router
goes on serving."""

import concurrent.futures
import contextlib
import json
import re
import socket
import time

import httpx
import pytest
from conftest import (
    LARGE,
    NO_BACKEND,
    SMALL,
    SMALL_SIM,
    Router,
    Sim,
    free_port,
    small_recipe,
    wait_until,
)

CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "hello"}]
GOOD = {"model": SMALL, "messages": MESSAGES}
# The limits of the recipe under test, and what a test adds to them for a busy machine.
LIMITS = "connect_timeout: 1s, first_byte_timeout: 1s, idle_timeout: 1s"
SLACK_SECONDS = 10
ABORT_MS = 100
BODY_BYTES_MAX = 64 << 20


@pytest.fixture
def sim(start):
    return start(Sim, *SMALL_SIM)


@pytest.fixture
def router(start, sim, tmp_path):
    return start(Router, small_recipe(tmp_path, sim.port, limits=LIMITS), *NO_BACKEND)


@pytest.fixture(autouse=True)
def serves_on(request):
    """After every test the router answers a normal request."""
    if "router" not in request.fixturenames:
        yield
        return
    router, sim = request.getfixturevalue("router"), request.getfixturevalue("sim")
    yield
    sim.clear()
    assert router.running(), router.text()
    response = router.chat(model=SMALL, messages=MESSAGES)
    assert response.status_code == 200, response.text
    assert router.finished_record(response)["lifecycle_state"] == "completed"


def check_error(response, status, code, param=None):
    """An error of the router: status and the whole shape of the body."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/json")
    error = response.json()["error"]
    assert set(error) == {"message", "type", "code", "param"}
    kinds = {
        404: "not_found_error",
        408: "timeout_error",
        413: "request_too_large",
        502: "upstream_error",
        503: "upstream_error",
        504: "upstream_error",
    }
    assert error["type"] == kinds.get(status, "invalid_request_error")
    assert error["code"] == code, error
    assert error["param"] == param, error
    assert len(error["message"]) > 10
    return error


def check_failed(router, response, status, code, reason="upstream_error"):
    """An error after routing: headers and record too."""
    check_error(response, status, code)
    assert response.headers["x-vsr-response-path"] == "error"
    assert response.headers["x-vsr-selected-model"] == SMALL
    record = router.finished_record(response)
    assert record["lifecycle_state"] == "failed"
    assert record["terminal_reason"] == reason
    assert record["response_status"] == status
    return record


class Answer:
    """A response read from a bare socket."""

    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0] else None
        self.headers = dict(line.lower().split(": ", 1) for line in lines[1:])

    def error(self):
        return json.loads(self.body)["error"]


def talk(router, *pieces, pause=0.0, seconds=20, half_close=False):
    """Sends bytes as they are and reads until the router closes."""
    port = int(router.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as s:
        try:
            for i, piece in enumerate(pieces):
                if i > 0:
                    time.sleep(pause)
                s.sendall(piece)
            if half_close:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It answered without reading all of it.
        data = b""
        try:
            while chunk := s.recv(65536):
                data += chunk
        except ConnectionResetError:
            pass
    return Answer(data)


def head(extra="", method="POST", path=CHAT, close=True):
    lines = f"{method} {path} HTTP/1.1\r\nhost: router\r\n{extra}"
    return (lines + ("connection: close\r\n" if close else "") + "\r\n").encode()


# ---- bodies --------------------------------------------------------------------------------------


def test_every_prefix_of_a_body_is_malformed(sim, router):
    body = (
        '{"model":"%s","messages":[{"role":"user","content":[{"type":"text","text":"h\\u00e9é"}]},'
        '{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":'
        '{"name":"f","arguments":"{\\"a\\":1}"}}]}],"stream":true,"stream_options":'
        '{"include_usage":true},"tools":[],"max_tokens":12,"temperature":1.5e-1}' % SMALL
    ).encode()
    with httpx.Client() as client:
        assert client.post(router.url + CHAT, content=body).status_code == 200
        sim.clear()
        for end in range(len(body)):
            response = client.post(router.url + CHAT, content=body[:end])
            check_error(response, 400, "invalid_json")
    assert sim.requests() == []


@pytest.mark.parametrize(
    "body",
    [
        b"{} {}",
        b"[]x",
        b"{,}",
        b'{"model":"a",}',
        b'{"model":tru}',
        b'{"model" "a"}',
        b"{'model':'a'}",
        b'{"model":"a"}}',
        b'{"a":[1,2}',
        b"\x00",
        b'{"model":"a\nb"}',
        b'{"model":"\\x"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_malformed_json(router, body):
    response = httpx.post(router.url + CHAT, content=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] in ("invalid_json", "invalid_type"), error


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"model"', b"true"])
def test_a_body_that_is_no_object(router, body):
    check_error(httpx.post(router.url + CHAT, content=body), 400, "invalid_type")


WRONG_TYPES = [
    ("model", (1, True, [], {}), "model"),
    ("messages", (None, 1, "x", {}, True), "messages"),
    ("messages", ([1], ["x"], [None], [[]]), "messages[0]"),
    ("stream", (1, "true", [], {}), "stream"),
    ("stream_options", (1, "x", [], True), "stream_options"),
    ("stream_options", ({"include_usage": 1}, {"include_usage": "x"}), "stream_options.include_usage"),
    ("tools", (1, "x", {}, True), "tools"),
    ("tools", ([1], ["x"]), "tools[0]"),
    ("tools", ([{"function": 1}], [{"function": []}]), "tools[0].function"),
    ("max_tokens", ("1", 1.5, [], {}, True), "max_tokens"),
    ("max_completion_tokens", ("1", 1.5, [], True), "max_completion_tokens"),
    ("reasoning_effort", (1, [], {}, True), "reasoning_effort"),
    ("chat_template_kwargs", (1, "x", [], True), "chat_template_kwargs"),
    ("prompt_cache_key", (1, [], {}), "prompt_cache_key"),
    ("promptCacheKey", (1, [], {}), "promptCacheKey"),
    ("user", (1, [], {}), "user"),
    ("metadata", (1, "x", []), "metadata"),
    ("metadata", ({"user_id": 1}, {"user_id": []}), "metadata.user_id"),
    ("previous_response_id", (1, [], {}), "previous_response_id"),
    ("conversation", (1, [], True), "conversation"),
    ("conversation", ({"id": 1},), "conversation.id"),
    ("container", (1, [], True), "container"),
]
WRONG_IN_MESSAGE = [
    ("role", (1, None, [], {}), "messages[0].role"),
    ("content", (1, True, {}), "messages[0].content"),
    ("content", ([1], [None], [[]]), "messages[0].content[0]"),
    ("content", ([{"type": 1}],), "messages[0].content[0].type"),
    ("content", ([{"type": "text", "text": 1}],), "messages[0].content[0].text"),
    ("tool_calls", (1, "x", {}), "messages[0].tool_calls"),
    ("tool_calls", ([1], ["x"]), "messages[0].tool_calls[0]"),
    ("tool_calls", ([{"id": "a", "function": 1}],), "messages[0].tool_calls[0].function"),
    ("tool_calls", ([{"id": 1}],), "messages[0].tool_calls[0].id"),
    ("tool_call_id", (1, [], {}), "messages[0].tool_call_id"),
]


@pytest.mark.parametrize("field, values, param", WRONG_TYPES)
def test_wrong_type_at_the_top(sim, router, field, values, param):
    for value in values:
        response = httpx.post(router.url + CHAT, json={**GOOD, field: value})
        check_error(response, 400, "invalid_type", param)
    assert sim.requests() == []


@pytest.mark.parametrize("field, values, param", WRONG_IN_MESSAGE)
def test_wrong_type_in_a_message(sim, router, field, values, param):
    for value in values:
        message = {**MESSAGES[0], field: value}
        response = router.chat(model="auto", messages=[message])
        check_error(response, 400, "invalid_type", param)
    assert sim.requests() == []


@pytest.mark.parametrize(
    "body, param",
    [
        ({"messages": MESSAGES}, "model"),
        ({"model": "auto"}, "messages"),
        ({"model": "auto", "messages": [{"content": "x"}]}, "messages[0].role"),
    ],
)
def test_missing_field(router, body, param):
    response = httpx.post(router.url + CHAT, json=body)
    check_error(response, 400, "missing_required_parameter", param)


@pytest.mark.parametrize("value", [None, ""])
def test_model_that_is_nothing(router, value):
    response = httpx.post(router.url + CHAT, json={**GOOD, "model": value})
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == "model"
    assert error["code"] in ("missing_required_parameter", "invalid_type", "model_not_found")


@pytest.mark.parametrize("key", ["model", "m\\u006fdel"])
def test_duplicate_model(sim, router, key):
    body = '{"model":"%s","%s":"%s","messages":[]}' % (SMALL, key, LARGE)
    response = httpx.post(router.url + CHAT, content=body)
    check_error(response, 400, "duplicate_key", "model")
    assert sim.requests() == []


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xb8"]
)
@pytest.mark.parametrize("where", ["content", "key", "outside"])
def test_invalid_utf8(sim, router, bad, where):
    bodies = {
        "content": b'{"model":"sim/small","messages":[{"role":"user","content":"a%sb"}]}' % bad,
        "key": b'{"model":"sim/small","messages":[],"a%sb":1}' % bad,
        "outside": b'{"model":"sim/small","messages":[]}%s' % bad,
    }
    response = httpx.post(router.url + CHAT, content=bodies[where])
    check_error(response, 400, "invalid_json")
    assert sim.requests() == []


@pytest.mark.parametrize(
    "model, near", [("sim/smal", SMALL), ("sim/lrage", LARGE), ("aut", "auto"), ("nothing/like-it", None)]
)
@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/v1/embeddings"])
def test_unknown_model(sim, router, path, model, near):
    body = {"model": model, "messages": MESSAGES, "prompt": "x", "input": "x"}
    response = httpx.post(router.url + path, json=body)
    error = check_error(response, 400, "model_not_found", "model")
    assert model in error["message"]
    if near:
        assert near in error["message"]
    assert sim.requests() == []


# ---- HTTP ----------------------------------------------------------------------------------------


def test_65_mib_body_is_refused_before_it_is_read(sim, router):
    """By its announced length, and by its chunks where no length is announced."""
    size = 65 << 20
    assert size > BODY_BYTES_MAX
    announced = talk(router, head(f"content-length: {size}\r\n"), b"{" * 1000)
    assert announced.status == 413
    assert announced.error()["type"] == "request_too_large"
    assert announced.headers["connection"] == "close"
    mib = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    chunked = talk(router, head("transfer-encoding: chunked\r\n"), *[mib] * 65, b"0\r\n\r\n")
    assert chunked.status == 413
    assert chunked.error()["code"] == "request_too_large"
    assert sim.requests() == []


def test_64_mib_body_is_served(sim, router):
    body = json.dumps(GOOD).encode()
    body += b" " * (BODY_BYTES_MAX - len(body))
    response = httpx.post(router.url + CHAT, content=body, timeout=60)
    assert response.status_code == 200, response.text


def test_ten_thousand_headers(router):
    answer = talk(router, head("a: b\r\n" * 10_000))
    assert answer.status == 431
    assert answer.error()["type"] == "invalid_request_error"


def test_one_very_long_header(router):
    assert talk(router, head("a: " + "b" * 100_000 + "\r\n")).status == 431


def test_slow_clients_end_in_408(sim, router):
    """A head that never ends, one that comes byte by byte, and a body that stops: all at once."""
    body = json.dumps(GOOD).encode()
    cases = {
        "no end": (b"POST " + CHAT.encode() + b" HTTP/1.1\r\nhost: x\r\n",),
        "byte by byte": tuple(bytes([c]) for c in head("content-length: 1\r\n")),
        "half a body": (head(f"content-length: {len(body)}\r\n") + body[:10],),
        "half a chunk": (head("transfer-encoding: chunked\r\n") + b"100\r\nabc",),
    }
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        answers = {
            name: pool.submit(talk, router, *pieces, pause=0.5, seconds=60)
            for name, pieces in cases.items()
        }
        # Others are served meanwhile.
        assert router.chat(model=SMALL, messages=MESSAGES).status_code == 200
        for name, answer in answers.items():
            assert answer.result().status == 408, name
            assert answer.result().error()["type"] == "timeout_error", name
    assert len(sim.requests()) == 1


@pytest.mark.parametrize(
    "lines",
    [
        "content-length: 2\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 2\r\n",
        "content-length: 2\r\ncontent-length: 3\r\n",
        "content-length: -1\r\n",
        "content-length: two\r\n",
        "content-length: 99999999999999999999999\r\n",
        "transfer-encoding: gzip, chunked, x\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
    ],
)
def test_lengths_that_cannot_be_trusted(sim, router, lines):
    answer = talk(router, head(lines, close=False) + b"2\r\n{}\r\n0\r\n\r\n")
    assert answer.status in (400, 413), lines
    assert answer.error()["type"] in ("invalid_request_error", "request_too_large")
    assert answer.headers.get("connection") == "close"
    assert sim.requests() == []


def test_content_length_that_is_too_long(sim, router):
    """The client promises more and closes: nobody is left to be told, nothing is sent on."""
    answer = talk(router, head("content-length: 100\r\n") + b'{"model"', half_close=True)
    assert answer.status in (None, 400)
    assert sim.requests() == []


def test_content_length_that_is_too_short(sim, router):
    """The rest of the body is no request: refused, and the connection ends."""
    body = json.dumps(GOOD).encode()
    sent = head(f"content-length: {len(body) - 5}\r\n", close=False) + body
    answer = talk(router, sent)
    assert answer.status == 400
    assert b'"invalid_json"' in answer.body
    assert sim.requests() == []


@pytest.mark.parametrize(
    "bytes_sent",
    [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 64 + b"\r\n\r\n"],
)
def test_what_is_no_http(router, bytes_sent):
    answer = talk(router, bytes_sent)
    assert answer.status in (400, 505)
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "method, path, allow",
    [
        ("GET", CHAT, {"POST"}),
        ("PUT", CHAT, {"POST"}),
        ("DELETE", "/v1/completions", {"POST"}),
        ("PATCH", "/v1/embeddings", {"POST"}),
        ("POST", "/v1/models", {"GET", "HEAD"}),
        ("POST", f"/v1/models/{SMALL}", {"GET", "HEAD"}),
        ("DELETE", "/v1/router_replay", {"GET", "HEAD"}),
        ("POST", "/load", {"GET", "HEAD"}),
    ],
)
def test_wrong_method(router, method, path, allow):
    response = httpx.request(method, router.url + path)
    check_error(response, 405, "method_not_allowed")
    assert {m.strip() for m in response.headers["allow"].split(",")} - {"OPTIONS"} == allow


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/responses", "/v1/messages", "/v1/chat/completions/x", "/v2/chat", "/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_path(router, method, path):
    response = httpx.request(method, router.url + path)
    error = check_error(response, 404, "unknown_path")
    assert CHAT in error["message"] and "/v1/models" in error["message"]


def test_slash_and_query_make_no_difference(router):
    for path in (CHAT + "/", CHAT + "?api-version=1", CHAT + "/?x"):
        assert httpx.post(router.url + path, json=GOOD).status_code == 200, path


def test_unknown_model_id_in_the_list(router):
    check_error(httpx.get(router.url + "/v1/models/no/such"), 404, "model_not_found", "model")
    assert httpx.get(router.url + f"/v1/models/{SMALL}").json()["id"] == SMALL


# ---- backends ------------------------------------------------------------------------------------


def stream(router, seconds=30, **body):
    """All bytes of a streamed answer and the response; how it ended does not matter."""
    body = {**GOOD, "stream": True, **body}
    data = b""
    with httpx.stream("POST", router.url + CHAT, json=body, timeout=seconds) as response:
        try:
            for chunk in response.iter_raw():
                data += chunk
        except httpx.RemoteProtocolError:
            pass
    return response, data.decode()


def events(text):
    """The data of the events of a well-formed stream."""
    return [line[len("data: ") :] for line in text.split("\n") if line.startswith("data: ")]


def last_error(text):
    return json.loads(events(text)[-1])["error"]


@pytest.mark.parametrize("streamed", [False, True])
def test_backend_down(start, tmp_path, streamed):
    router = start(Router, small_recipe(tmp_path, free_port(), limits=LIMITS), *NO_BACKEND)
    response = router.chat(**GOOD, stream=streamed)
    assert response.status_code in (502, 503)
    code = "backend_unreachable" if response.status_code == 502 else "no_healthy_endpoint"
    record = check_failed(router, response, response.status_code, code, "backend_unreachable")
    assert record["backend"]["attempts"]
    # After enough of them the endpoint rests, and the answer says when to come back.
    for _ in range(5):
        response = router.chat(**GOOD, stream=streamed)
    check_failed(router, response, 503, "no_healthy_endpoint", "backend_unreachable")
    assert int(response.headers["retry-after"]) >= 1


def test_backend_that_comes_back(start, tmp_path):
    port = free_port()
    router = start(Router, small_recipe(tmp_path, port, limits=LIMITS), *NO_BACKEND)
    assert router.chat(**GOOD).status_code == 502
    start(Sim, *SMALL_SIM, port=port)
    assert router.chat(**GOOD).status_code == 200


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("fault", ["hang", "hang_after_head"])
def test_slow_backend(sim, router, fault, streamed):
    """Headers alone are no sign of life: the first event is waited for."""
    sim.script({"fault": fault})
    begun = time.monotonic()
    response = router.chat(**GOOD, stream=streamed)
    assert time.monotonic() - begun < 1 + SLACK_SECONDS
    check_failed(router, response, 504, "backend_timeout")
    request = wait_until("given up", lambda: [r for r in sim.requests() if r["aborted"]])[0]
    assert request["aborted_after_ms"] >= 900


def test_backend_that_stops_in_a_stream(sim, router):
    sim.script({"content": "one two three", "chunk_delay_ms": 60_000})
    response, text = stream(router)
    assert response.status_code == 200
    error = last_error(text)
    assert (error["type"], error["code"]) == ("upstream_error", "backend_timeout")
    record = router.finished_record(response)
    assert (record["lifecycle_state"], record["terminal_reason"]) == ("failed", "upstream_error")
    wait_until("given up", lambda: sim.requests()[0]["aborted"])


@pytest.mark.parametrize("fault", ["close_mid_stream", "wrong_content_length"])
@pytest.mark.parametrize("include_usage", [False, True])
def test_backend_that_closes_in_a_stream(sim, router, fault, include_usage):
    sim.script({"content": "one two three four five", "fault": fault})
    response, text = stream(router, stream_options={"include_usage": include_usage})
    assert response.status_code == 200
    assert response.headers["x-vsr-response-path"] == "upstream"
    assert '"one ' in text or '"one"' in text, "what came before the end is relayed"
    error = last_error(text)
    assert error["type"] == "upstream_error"
    assert error["code"] == "backend_unreachable"
    record = router.finished_record(response)
    assert (record["lifecycle_state"], record["terminal_reason"]) == ("failed", "upstream_error")


@pytest.mark.parametrize(
    "fault", ["close_after_head", "close_mid_stream", "wrong_content_length"]
)
def test_backend_that_closes_in_a_whole_answer(sim, router, fault):
    sim.script({"fault": fault})
    check_failed(router, router.chat(**GOOD), 502, "backend_unreachable")


def test_backend_that_closes_before_the_first_event(sim, router):
    sim.script({"fault": "close_after_head"})
    check_failed(router, router.chat(**GOOD, stream=True), 502, "backend_unreachable")


def test_error_object_in_a_200_stream(sim, router):
    sim.script({"fault": "error_object"})
    response, text = stream(router)
    assert response.status_code == 200
    assert events(text)[-1] == "[DONE]", "the backend's own bytes are passed on"
    assert "EngineCore" in json.loads(events(text)[0])["error"]["message"]
    record = router.finished_record(response)
    assert (record["lifecycle_state"], record["terminal_reason"]) == ("failed", "upstream_error")


def test_error_object_after_content(sim, router):
    sim.script({"content": "one two three", "fault": "error_object"})
    response, text = stream(router)
    assert "one" in text and "EngineCore" in text
    assert router.finished_record(response)["lifecycle_state"] == "failed"


def test_error_object_in_a_whole_200(sim, router):
    sim.script({"fault": "error_object"})
    response = router.chat(**GOOD)
    assert "EngineCore" in response.json()["error"]["message"]
    record = router.finished_record(response)
    assert (record["lifecycle_state"], record["terminal_reason"]) == ("failed", "upstream_error")


def test_empty_200(sim, router):
    sim.script({"fault": "empty"})
    check_failed(router, router.chat(**GOOD), 502, "backend_empty")


def test_empty_stream(sim, router):
    sim.script({"fault": "empty"})
    response, text = stream(router)
    assert response.status_code == 200
    assert events(text)[-1] == "[DONE]"
    record = router.finished_record(response)
    assert (record["lifecycle_state"], record["terminal_reason"]) == ("failed", "upstream_error")


def test_whole_answer_that_is_no_json(sim, router):
    sim.script({"fault": "bad_json"})
    check_failed(router, router.chat(**GOOD), 502, "backend_empty")


def test_bad_sse_is_relayed_byte_for_byte(sim, router):
    """What the backend sends is what the client gets, and what made sense is recorded."""
    answer = {"content": "one two three", "fault": "bad_sse"}
    body = {**GOOD, "stream": True, "stream_options": {"include_usage": True}}

    def normal(data):
        return re.sub(rb'"created":\d+', b'"created":0', data)

    sim.clear()
    sim.script(answer)
    direct = httpx.post(sim.url + CHAT, json=body).content
    sim.clear()
    sim.script(answer)
    response = httpx.post(router.url + CHAT, json=body)
    assert response.status_code == 200
    assert normal(response.content) == normal(direct)
    assert b"\xff\xfe" in response.content
    record = router.finished_record(response)
    assert record["lifecycle_state"] == "completed"
    assert record["completion_tokens"] > 0


def test_bad_sse_without_the_usage_chunk(sim, router):
    """Only the event that the router asked for is taken out."""
    sim.script({"content": "one two three", "fault": "bad_sse"})
    response = httpx.post(router.url + CHAT, json={**GOOD, "stream": True})
    assert response.status_code == 200
    assert b'"usage"' not in response.content
    for part in (b"one ", b"two ", b"three", b": a comment", b"event: ping", b"[DONE]"):
        assert part in response.content
    record = router.finished_record(response)
    assert record["lifecycle_state"] == "completed"
    assert record["completion_tokens"] > 0


def test_stream_of_nothing_but_broken_json(sim, router):
    sim.script({"content": "one two", "fault": "bad_json"})
    response, text = stream(router)
    assert response.status_code == 200
    assert '"cut' in text
    assert router.finished_record(response)["lifecycle_state"] == "failed"


def test_stream_without_done(sim, router):
    sim.script({"content": "one two", "fault": "no_done"})
    response, text = stream(router)
    assert "[DONE]" not in text
    assert json.loads(events(text)[-1])["choices"][0]["finish_reason"] == "stop"
    assert router.finished_record(response)["lifecycle_state"] == "completed"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_backend_error_passes_through(sim, router, status, streamed):
    body = {"error": {"message": "as the backend says", "code": "its_code", "extra": [1.50]}}
    sim.script({"status": status, "error_body": body, "headers": {"x-backend": "yes"}})
    response = router.chat(**GOOD, stream=streamed)
    assert response.status_code == status
    assert response.json() == body
    assert response.headers["x-backend"] == "yes"
    assert response.headers["x-vsr-response-path"] == "error"
    record = router.finished_record(response)
    assert (record["lifecycle_state"], record["response_status"]) == ("failed", status)
    assert len(sim.requests()) == 1, "not sent twice"


def test_backend_that_is_busy_everywhere(sim, router):
    """One endpoint only: its 429 goes to the client, with a time to come back."""
    sim.script({"status": 429, "headers": {"retry-after": "7"}}, {"status": 503})
    response = router.chat(**GOOD)
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    response = router.chat(**GOOD)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert router.finished_record(response)["lifecycle_state"] == "failed"


# ---- retries -------------------------------------------------------------------------------------


def test_reused_connection_that_died_is_tried_again(sim, router):
    with httpx.Client() as client:
        assert client.post(router.url + CHAT, json=GOOD).status_code == 200
        sim.clear()
        sim.script({"fault": "close_before_head"}, {"content": "second try"})
        response = client.post(router.url + CHAT, json=GOOD)
    assert response.status_code == 200, response.text
    assert response.json()["choices"][0]["message"]["content"] == "second try"
    assert len(sim.requests()) == 2
    record = router.finished_record(response)
    assert record["lifecycle_state"] == "completed"
    assert len(record["backend"]["attempts"]) == 2


def test_new_connection_that_died_is_not_tried_again(sim, router):
    """The backend may have begun to work on it."""
    sim.script({"fault": "close_before_head"}, {"content": "never asked"})
    check_failed(router, router.chat(**GOOD), 502, "backend_unreachable")
    assert len(sim.requests()) == 1


def test_connection_closed_while_idle_is_not_used(start, tmp_path):
    sim = start(Sim, *SMALL_SIM, "--idle-close-ms", "100")
    router = start(Router, small_recipe(tmp_path, sim.port, limits=LIMITS), *NO_BACKEND)
    with httpx.Client() as client:
        for _ in range(3):
            response = client.post(router.url + CHAT, json=GOOD)
            assert response.status_code == 200
            assert len(router.finished_record(response)["backend"]["attempts"]) == 1
            # Only the asking connection is left when the router's has been closed.
            wait_until("idle connection closed", lambda: stats(sim)["connections"] == 1)


def stats(sim):
    return httpx.get(sim.url + "/sim/stats").json()


@pytest.fixture
def pair(start, tmp_path):
    """A router whose model has two endpoints, and their simulators."""
    sims = [start(Sim, *SMALL_SIM) for _ in range(2)]
    recipe = small_recipe(tmp_path, *(s.port for s in sims), limits=LIMITS)
    return start(Router, recipe, *NO_BACKEND), sims


def conversations(router, sims, enough):
    """Requests of new conversations until `enough()`; each must be answered well."""
    answers = []
    for i in range(60):
        headers = {"x-session-id": "s", "x-conversation-id": f"c-{i}"}
        response = router.chat(**GOOD, headers=headers)
        assert response.status_code == 200, response.text
        answers.append(response)
        if enough():
            return answers
    raise AssertionError("one endpoint was never asked")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_endpoint_is_left_for_the_other(pair, status):
    router, (busy, other) = pair
    busy.script({"status": status})
    response = conversations(router, [busy, other], busy.requests)[-1]
    assert response.headers["x-vsr-response-path"] == "upstream"
    record = router.finished_record(response)
    assert record["lifecycle_state"] == "completed"
    attempts = record["backend"]["attempts"]
    assert [a["status"] for a in attempts] == [status, 200]
    assert attempts[0]["endpoint"] != attempts[1]["endpoint"]
    assert len(busy.requests()) == 1


def test_endpoint_that_is_down_is_left_for_the_other(start, tmp_path, sim):
    router = start(Router, small_recipe(tmp_path, free_port(), sim.port, limits=LIMITS), *NO_BACKEND)
    seen = []

    def tried_both():
        record = router.finished_record(seen[-1])
        return len(record["backend"]["attempts"]) == 2

    for i in range(60):
        headers = {"x-session-id": "s", "x-conversation-id": f"c-{i}"}
        seen.append(router.chat(**GOOD, headers=headers))
        assert seen[-1].status_code == 200, seen[-1].text
        if tried_both():
            return
    raise AssertionError("the closed port was never tried")


def test_error_is_not_retried_after_the_first_byte(pair):
    router, sims = pair
    for sim in sims:
        sim.script({"content": "one two three", "fault": "close_mid_stream"})
    _, text = stream(router)
    assert last_error(text)["code"] == "backend_unreachable"
    assert sum(len(sim.requests()) for sim in sims) == 1


# ---- clients that go -----------------------------------------------------------------------------


def newest_record(router):
    query = {"limit": 1, "details": "true"}
    data = httpx.get(router.operator + "/v1/router_replay", params=query).json()["data"]
    return data[0] if data else None


def go_away(router, body, after):
    """Sends a request and closes once `after` what came of the answer is true; the time of closing.

    Asked again every few milliseconds, whether more has come or not.
    """
    content = json.dumps(body).encode()
    port = int(router.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.sendall(head(f"content-length: {len(content)}\r\n", close=False) + content)
        s.settimeout(0.02)
        data = b""
        while not after(data):
            with contextlib.suppress(TimeoutError):
                got = s.recv(65536)
                assert got, f"the router closed first: {data}"
                data += got
        return time.time() * 1000


def check_aborted(router, sim, closed_ms):
    (request,) = wait_until(
        "upstream cancelled", lambda: [r for r in sim.requests() if r["aborted"]], 10
    )
    aborted_ms = request["received_unix_ms"] + request["aborted_after_ms"]
    assert aborted_ms - closed_ms <= ABORT_MS

    def ended():
        record = newest_record(router)
        return record if record and record["lifecycle_state"] != "running" else None

    record = wait_until("record ended", ended, 10)
    assert (record["lifecycle_state"], record["terminal_reason"]) == (
        "aborted",
        "client_disconnect",
    )
    assert stats(sim)["running"] == 0


@pytest.mark.parametrize("include_usage", [False, True])
def test_client_gone_in_a_stream(sim, router, include_usage):
    sim.script({"content": "one two three", "chunk_delay_ms": 900})
    body = {**GOOD, "stream": True, "stream_options": {"include_usage": include_usage}}
    closed = go_away(router, body, lambda data: b"one" in data)
    check_aborted(router, sim, closed)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("answer", [{"delay_ms": 900}, {"first_byte_delay_ms": 900}])
def test_client_gone_before_the_first_byte(sim, router, answer, streamed):
    sim.script(answer)
    body = {**GOOD, "stream": streamed}
    # Closed when the backend has the request.
    closed = go_away(router, body, lambda _: sim.requests())
    check_aborted(router, sim, closed)


def test_client_gone_in_its_body(sim, router):
    content = json.dumps(GOOD).encode()
    port = int(router.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.sendall(head(f"content-length: {len(content)}\r\n") + content[:-1])
    assert router.chat(**GOOD).status_code == 200
    assert len(sim.requests()) == 1
