"""The official OpenAI SDK against the router with a simulated backend."""

import time

import openai
import pytest
from conftest import wait_until

LOCAL = "qwen/qwen3.6-rocm"
PRO = "google/gemini-3.1-pro"
SIMPLE = [{"role": "user", "content": "What is 17 * 23? Answer with only the number."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


@pytest.fixture
def client(router):
    with openai.OpenAI(base_url=router.url + "/v1", api_key="unused", max_retries=0) as sdk:
        yield sdk


def test_chat(sim, client):
    sim.script({"content": "391"})
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=SIMPLE)
    answer = raw.parse()
    assert answer.choices[0].message.content == "391"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.prompt_tokens_details.cached_tokens == 0
    assert raw.headers["x-vsr-selected-model"] == LOCAL
    assert raw.headers["x-vsr-selected-decision"] == "simple_math_fast_path"


def test_reasoning_field_is_kept(sim, client):
    sim.script({"content": "391", "reasoning": "17 * 20 + 17 * 3"})
    message = client.chat.completions.create(model=PRO, messages=SIMPLE).choices[0].message
    assert message.model_extra["reasoning"] == "17 * 20 + 17 * 3"


def streamed(chunks):
    """(text, usages, finish reasons) of a stream."""
    text, usages, finish = "", [], []
    for chunk in chunks:
        if chunk.usage:
            assert chunk.choices == []
            usages.append(chunk.usage)
        for choice in chunk.choices:
            text += choice.delta.content or ""
            if choice.finish_reason:
                finish.append(choice.finish_reason)
    return text, usages, finish


def test_stream_without_usage(sim, router, client):
    sim.script({"content": "three hundred and ninety-one"})
    raw = client.chat.completions.with_raw_response.create(
        model="auto", messages=SIMPLE, stream=True
    )
    text, usages, finish = streamed(raw.parse())
    assert (text, usages, finish) == ("three hundred and ninety-one", [], ["stop"])
    # The router asked for the usage all the same.
    record = router.finished_record(raw)
    assert record["prompt_tokens"] > 0 and record["completion_tokens"] > 0
    assert record["streaming"] is True


def test_stream_with_usage(sim, client):
    sim.script({"content": "three hundred and ninety-one"})
    text, usages, finish = streamed(
        client.chat.completions.create(
            model="auto", messages=SIMPLE, stream=True, stream_options={"include_usage": True}
        )
    )
    assert (text, finish) == ("three hundred and ninety-one", ["stop"])
    (usage,) = usages
    assert usage.completion_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
def test_tools_round_trip(sim, client, stream):
    sim.script(
        {"tool_calls": [{"id": "call_w", "name": "get_weather", "arguments": '{"city":"Paris"}'}]},
        {"content": "Sunny in Paris."},
    )
    ask = [{"role": "user", "content": "How is the weather in Paris? Use the tool."}]
    headers = {"x-session-id": "s", "x-conversation-id": "weather"}
    first = client.chat.completions.with_raw_response.create(
        model="auto", messages=ask, tools=[WEATHER], stream=stream, extra_headers=headers
    )
    if stream:
        calls = {}
        for chunk in first.parse():
            for choice in chunk.choices:
                for part in choice.delta.tool_calls or []:
                    call = calls.setdefault(part.index, {"id": part.id, "name": "", "arguments": ""})
                    call["name"] += part.function.name or ""
                    call["arguments"] += part.function.arguments or ""
        assert calls == {0: {"id": "call_w", "name": "get_weather", "arguments": '{"city":"Paris"}'}}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_w",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
                }
            ],
        }
    else:
        answer = first.parse().choices[0]
        assert answer.finish_reason == "tool_calls"
        (call,) = answer.message.tool_calls
        assert (call.id, call.function.name) == ("call_w", "get_weather")
        assert call.function.arguments == '{"city":"Paris"}'
        message = answer.message.model_dump(exclude_none=True)
    messages = [*ask, message, {"role": "tool", "tool_call_id": "call_w", "content": "sunny"}]
    second = client.chat.completions.with_raw_response.create(
        model="auto", messages=messages, tools=[WEATHER], extra_headers=headers
    )
    assert second.parse().choices[0].message.content == "Sunny in Paris."
    assert second.headers["x-vsr-session-phase"] == "tool_loop"
    assert second.headers["x-vsr-selected-model"] == first.headers["x-vsr-selected-model"]


def test_models(client):
    ids = [model.id for model in client.models.list()]
    assert ids[0] == "auto"
    assert LOCAL in ids and PRO in ids
    assert client.models.retrieve(PRO).id == PRO
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("no/such")
    assert caught.value.code == "model_not_found"


def test_embeddings(client):
    """The SDK asks for base64 and decodes it."""
    answer = client.embeddings.create(model=LOCAL, input=["a", "b", "a"])
    first, other, same = (item.embedding for item in answer.data)
    assert first == same != other
    assert abs(sum(x * x for x in first) - 1) < 1e-5
    assert answer.usage.prompt_tokens > 0
    floats = client.embeddings.create(model=LOCAL, input="a", encoding_format="float")
    assert floats.data[0].embedding == pytest.approx(first)


def test_completions(client):
    answer = client.completions.create(model=LOCAL, prompt="Once upon a time")
    assert answer.choices[0].text


def test_unknown_model_is_a_bad_request(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="qwen/qwen3.6-rcom", messages=SIMPLE)
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"
    assert LOCAL in caught.value.message


def test_wrong_type_is_a_bad_request(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="auto", messages=SIMPLE, extra_body={"max_tokens": "many"}
        )
    assert (caught.value.code, caught.value.param) == ("invalid_type", "max_tokens")


def test_unknown_path_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.post("/no/such", body={}, cast_to=object)
    assert caught.value.code == "unknown_path"


@pytest.mark.parametrize(
    "status, exception",
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_errors_of_the_backend(sim, client, status, exception):
    sim.script({"status": status, "error_body": {"error": {"message": "so says it", "code": "x"}}})
    with pytest.raises(exception) as caught:
        client.chat.completions.create(model=LOCAL, messages=SIMPLE)
    assert isinstance(caught.value, openai.APIStatusError)
    assert caught.value.status_code == status
    assert "so says it" in caught.value.message
    assert caught.value.response.headers["x-vsr-selected-model"] == LOCAL


def test_context_overflow_keeps_the_backends_code(sim, client):
    """Agents compact their history when they see it."""
    body = {"error": {"message": "maximum context length", "code": "context_length_exceeded"}}
    sim.script({"status": 400, "error_body": body})
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=LOCAL, messages=SIMPLE)
    assert caught.value.code == "context_length_exceeded"


def test_error_in_a_stream_is_raised(sim, client):
    sim.script({"content": "one two three four", "fault": "close_mid_stream"})
    seen = ""
    with pytest.raises(openai.APIError) as caught:
        for chunk in client.chat.completions.create(model=LOCAL, messages=SIMPLE, stream=True):
            seen += chunk.choices[0].delta.content or ""
    assert seen.startswith("one")
    assert caught.value.body["code"] == "backend_unreachable"


def test_timeout_cancels_upstream(sim, router, client):
    sim.script({"delay_ms": 30_000})
    begun = time.monotonic()
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.5).chat.completions.create(model=LOCAL, messages=SIMPLE)
    assert time.monotonic() - begun < 10
    wait_until("upstream cancelled", lambda: sim.requests()[0]["aborted"])
    client.chat.completions.create(model=LOCAL, messages=SIMPLE)


def test_retries_of_the_sdk_reach_a_good_answer(sim, client):
    sim.script({"status": 503, "headers": {"retry-after": "0"}}, {"content": "now"})
    answer = client.with_options(max_retries=2).chat.completions.create(
        model=LOCAL, messages=SIMPLE
    )
    assert answer.choices[0].message.content == "now"


def test_stream_closed_by_the_client(sim, router, client):
    sim.script({"content": "one two three", "chunk_delay_ms": 5_000})
    with client.chat.completions.create(model=LOCAL, messages=SIMPLE, stream=True) as stream:
        next(iter(stream))
    wait_until("upstream cancelled", lambda: sim.requests()[0]["aborted"])
