"""A body reaches the backend byte for byte but for the values that must change."""

import json
import re

import httpx
import pytest
from conftest import NO_BACKEND, Router

LOCAL = "qwen/qwen3.6-rocm"
PRO = "google/gemini-3.1-pro"
KWARGS = '"chat_template_kwargs":{"enable_thinking":false}'
USAGE = '"stream_options":{"include_usage":true}'
ASK = '"messages":[{"role":"user","content":"What is 17 * 23? Answer with only the number."}]'

# Bodies with an explicit model: nothing but additions may differ.
EXPLICIT = {
    "compact": '{"model":"%s",%s}' % (PRO, ASK),
    "spaces and line ends": ' \n{ "model" :\t"%s" ,\r\n  %s\n}\n ' % (PRO, ASK),
    "model last": '{%s , "model":"%s"}' % (ASK, PRO),
    "escaped key": '{"m\\u006fdel":"%s",%s}' % (PRO, ASK),
    "escaped value": '{"model":"google\\/gemini-3\\u002e1-pro",%s}' % ASK,
    "escaped letters in text": '{"model":"%s","messages":[{"role":"user","content":"\\u0041\\n\\/\\ud83d\\ude00"}]}'
    % PRO,
    "raw unicode": '{"model":"%s","messages":[{"role":"user","content":"中文 é 😀 \u2028"}]}' % PRO,
    "big numbers": '{"model":"%s",%s,"seed":123456789012345678901234567890,"x":1.50E+300,"y":-0.0,"z":1E+2}'
    % (PRO, ASK),
    "unknown fields": '{"model":"%s",%s,"cache_salt":"s","store":false,"parallel_tool_calls":true,"client_metadata":{"a":[1,{"b":null}]}}'
    % (PRO, ASK),
    "repeated key that nobody reads": '{"model":"%s","seed":1,%s,"seed":2,"logit_bias":{},"logit_bias":{"1":1}}'
    % (PRO, ASK),
    "repeated key in a message": '{"model":"%s","messages":[{"role":"user","content":"hi","name":"a","name":"b"}]}'
    % PRO,
    "model inside": '{"metadata":{"model":"auto"},"model":"%s",%s,"tools":[{"type":"function","function":{"name":"model","parameters":{"model":"auto"}}}]}'
    % (PRO, ASK),
    "text that looks like a field": '{"model":"%s","messages":[{"role":"user","content":"\\"model\\":\\"auto\\",\\"stream\\":true"}]}'
    % PRO,
    "empty messages": '{"model":"%s","messages":[]}' % PRO,
    "null content": '{"model":"%s","messages":[{"role":"assistant","content":null},{"role":"user","content":[{"type":"text","text":"hi"}]}]}'
    % PRO,
}

RECIPE = """
version: v0.3
providers:
  defaults:
    default_model: {pro}
    reasoning_families:
      thinking: {{type: chat_template_kwargs, parameter: enable_thinking}}
      effort: {{type: reasoning_effort, parameter: effort}}
  models:
    - name: {local}
      reasoning_family: thinking
      backend_refs: [{{name: a, endpoint: "127.0.0.1:{port}", type: vllm}}]
    - name: {pro}
      provider_model_id: {pro_id}
      reasoning_family: effort
      backend_refs: [{{name: a, endpoint: "127.0.0.1:{port}", type: {pro_type}}}]
routing:
  modelCards: [{{name: {local}}}, {{name: {pro}}}]
  signals:
    keywords:
      - {{name: digits, keywords: ["17"]}}
      - {{name: poem, keywords: ["poem"]}}
  decisions:
    - name: sums
      rules: {{type: keyword, name: digits}}
      modelRefs: [{{model: {local}, use_reasoning: false}}]
    - name: poems
      rules: {{type: keyword, name: poem}}
      modelRefs: [{{model: {pro}, use_reasoning: true, reasoning_effort: high}}]
"""


@pytest.fixture
def start_router(start, sim, tmp_path):
    """The recipe in front of the simulator: sums go to LOCAL, poems to PRO, which thinks."""

    def begin(pro_id=PRO, pro_type="vllm"):
        path = tmp_path / "splice.yaml"
        values = {"local": LOCAL, "pro": PRO, "pro_id": pro_id, "pro_type": pro_type}
        path.write_text(RECIPE.format(port=sim.port, **values))
        return start(Router, path, *NO_BACKEND)

    return begin


@pytest.fixture
def router(start_router):
    return start_router()


def send(router, body):
    return httpx.post(
        router.url + "/v1/chat/completions",
        content=body.encode(),
        headers={"content-type": "application/json"},
        timeout=30,
    )


def received(sim, router, body):
    """What the backend got for `body`."""
    sim.clear()
    response = send(router, body)
    assert response.status_code == 200, response.text
    assert response.headers["x-vsr-response-path"] == "upstream"
    (request,) = sim.requests()
    assert request["headers"]["content-length"] == str(len(request["body"].encode()))
    return request["body"]


def without_once(text, fragment):
    """`text` without the field `fragment`, which must be there once, and without its comma."""
    assert text.count(fragment) == 1, text
    for with_comma in ("," + fragment, fragment + ","):
        if with_comma in text:
            return text.replace(with_comma, "")
    raise AssertionError(f"no comma beside {fragment} in {text}")


@pytest.mark.parametrize("name", EXPLICIT)
def test_explicit_model_is_forwarded_unchanged(sim, router, name):
    body = EXPLICIT[name]
    assert received(sim, router, body) == body


@pytest.mark.parametrize("name", EXPLICIT)
def test_stream_adds_only_the_question_for_usage(sim, router, name):
    body = EXPLICIT[name]
    end = body.rindex("}")
    body = body[:end] + ' , "stream" : true' + body[end:]
    got = received(sim, router, body)
    assert without_once(got, USAGE) == body
    assert json.loads(got)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    "options, after",
    [
        ('{ "include_usage" : false , "x":1.50 }', '{ "include_usage" : true , "x":1.50 }'),
        ('{ "include_usage":true }', '{ "include_usage":true }'),
        ("null", '{"include_usage":true}'),
    ],
)
def test_stream_options_of_the_client_are_edited_in_place(sim, router, options, after):
    body = '{"model":"%s","stream_options": %s ,"stream":true,%s}'
    got = received(sim, router, body % (PRO, options, ASK))
    assert got == body % (PRO, after, ASK)


@pytest.mark.parametrize(
    "body",
    [
        '{"model":"auto",%s}' % ASK,
        '{ "m\\u006fdel" : "\\u0061uto" , %s }' % ASK,
        ' {"seed":12345678901234567890,%s,"model":\t"auto"\n,"é":"\\u00e9"}\n' % ASK,
        '{"x":{"model":"auto"},"model":"MoM","seed":1,"seed":2,%s}' % ASK,
    ],
)
def test_auto_replaces_the_model_value_and_sets_thinking(sim, router, body):
    got = without_once(received(sim, router, body), KWARGS)
    # The last of these is the top-level one in all bodies above.
    value = re.compile(r'("(?:model|m\\u006fdel)"\s*:\s*)"(?:auto|\\u0061uto|MoM)"')
    found = list(value.finditer(body))[-1]
    assert got == body[: found.start()] + found[1] + f'"{LOCAL}"' + body[found.end() :]


@pytest.mark.parametrize(
    "kwargs, after",
    [
        ('{"a" : [1 , 2]}', '{"a" : [1 , 2],"enable_thinking":false}'),
        ('{"enable_thinking" :  true,"a":1e3}', '{"enable_thinking" :  false,"a":1e3}'),
        ("{}", '{"enable_thinking":false}'),
    ],
)
def test_template_kwargs_of_the_client_are_kept(sim, router, kwargs, after):
    body = '{"model":"%s" , "chat_template_kwargs": %s,%s}'
    got = received(sim, router, body % ("auto", kwargs, ASK))
    assert got == body % (LOCAL, after, ASK)


def test_large_history_is_untouched(sim, router):
    turns = ",".join(
        '{"role":"%s","content":"turn %d \\u00e9 %s"}' % (role, i, "word " * 40)
        for i in range(400)
        for role in ("user", "assistant")
    )
    body = '{"messages":[%s,{"role":"user","content":"Go on."}],"model":"%s"}' % (turns, PRO)
    assert len(body) > 150_000
    assert received(sim, router, body) == body


def test_provider_model_id_is_what_the_backend_is_asked_for(sim, start_router):
    router = start_router(pro_id="openai/gpt5.4")
    body = EXPLICIT["spaces and line ends"]
    assert received(sim, router, body) == body.replace(PRO, "openai/gpt5.4")


POEM = '"messages":[{"role":"user","content":"Write a poem."}]'


def test_effort_goes_into_the_template_of_vllm(sim, router):
    body = '{"model":"auto", "reasoning_effort" : "low" ,%s}' % POEM
    got = received(sim, router, body)
    got = without_once(got, '"chat_template_kwargs":{"effort":"high"}')
    assert json.loads(got) == {"model": PRO, **json.loads("{%s}" % POEM)}
    assert got.endswith("," + POEM + "}")


@pytest.mark.parametrize("before", ['"reasoning_effort" : "low" ,', ""])
def test_effort_goes_to_the_top_for_others(sim, start_router, before):
    router = start_router(pro_type="openai")
    got = received(sim, router, '{"model":"auto", %s%s}' % (before, POEM))
    if before:
        expected = '{"model":"%s", "reasoning_effort" : "high" ,%s}' % (PRO, POEM)
    else:
        got = without_once(got, '"reasoning_effort":"high"')
        expected = '{"model":"%s", %s}' % (PRO, POEM)
    assert got == expected


@pytest.mark.parametrize("path, field", [("/v1/completions", "prompt"), ("/v1/embeddings", "input")])
def test_passthrough_paths(sim, router, path, field):
    body = '{ "%s" :"\\u0061b" ,"model": "auto","seed":10E1 }' % field
    sim.clear()
    response = httpx.post(router.url + path, content=body)
    assert response.status_code == 200, response.text
    (request,) = sim.requests()
    assert request["path"] == path
    assert request["body"] == body.replace('"auto"', f'"{PRO}"')


@pytest.mark.parametrize(
    "body, param",
    [
        ('{"model":"auto","model":"%s",%s}' % (PRO, ASK), "model"),
        ('{"model":"auto",%s,"m\\u006fdel":"auto"}' % ASK, "model"),
        ('{"model":"auto",%s,%s}' % (ASK, ASK), "messages"),
        ('{"model":"auto","stream":true,"stream":false,%s}' % ASK, "stream"),
    ],
)
def test_repeated_critical_key_is_refused(sim, router, body, param):
    sim.clear()
    response = send(router, body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "duplicate_key")
    assert error["param"] == param
    assert sim.requests() == []


def test_headers_to_the_backend(sim, router):
    sim.clear()
    response = httpx.post(
        router.url + "/v1/chat/completions",
        content=EXPLICIT["compact"],
        headers={
            "authorization": "Bearer client-secret",
            "x-api-key": "client-secret",
            "accept-encoding": "gzip, br",
            "connection": "keep-alive, x-hop",
            "x-hop": "1",
            "x-session-id": "s-1",
            "x-conversation-id": "c-1",
            "x-request-id": "r-1",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
    )
    assert response.status_code == 200
    assert response.headers["x-request-id"] == "r-1"
    (request,) = sim.requests()
    headers = request["headers"]
    for name in ("authorization", "x-api-key", "accept-encoding", "x-hop"):
        assert name not in headers
    assert "client-secret" not in json.dumps(request)
    assert headers["x-session-id"] == "s-1"
    assert headers["x-conversation-id"] == "c-1"
    assert headers["x-request-id"] == "r-1"
    assert headers["traceparent"].startswith("00-0af7")
