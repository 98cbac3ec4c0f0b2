"""The command line: exit codes, what it says of mistakes, help, JSON, and the commands that talk to a
running router."""

import json
import os
import re
import subprocess

import pytest
from conftest import BIN, RECIPE, SOURCE, Router, free_port, recipe_with, to_sim, wait_until

OK, FAILED, BAD_USAGE = 0, 1, 2
COLUMNS = 100
SIMPLE = "What is 17 * 23? Answer with only the number."
# Wrong only once its rules are compiled.
REGEX_RECIPE = """version: v0.3
providers: {defaults: {default_model: m}, models: [{name: m, backend_refs: [{endpoint: "h:1"}]}]}
routing:
  modelCards: [{name: m}]
  signals: {keywords: [{name: broken, method: regex, keywords: ["(open"]}]}
"""
GOOD_RECIPE = """version: v0.3
providers: {defaults: {default_model: m}, models: [{name: m, backend_refs: [{endpoint: "h:1"}]}]}
routing:
  modelCards: [{name: m, context_window_size: 4000}]
"""
BAD_RECIPE = "version: v0.3\nproviders: {defaults: {default_model: nothing}}\n"


@pytest.fixture
def cli(tmp_path):
    """Runs the program with a state folder of its own; (exit code, stdout, stderr)."""

    def run(*argv, stdin="", cwd=tmp_path, env=None):
        done = subprocess.run(
            [BIN, *[str(a) for a in argv]],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=cwd,
            env={**os.environ, "VLLM_SR_STATE_DIR": str(tmp_path / "state"), **(env or {})},
        )
        return done.returncode, done.stdout, done.stderr

    (tmp_path / "bad.yaml").write_text(BAD_RECIPE)
    (tmp_path / "warned.yaml").write_text(GOOD_RECIPE + "novelty_of_the_house: 1\n")
    (tmp_path / "misspelt.yaml").write_text(
        GOOD_RECIPE + "  signals: {pii: [{name: p, include_histroy: true}]}\n"
    )
    (tmp_path / "no.json").write_text("{")
    (tmp_path / "regex.yaml").write_text(REGEX_RECIPE)
    (tmp_path / "messages.json").write_text(json.dumps([{"role": "user", "content": SIMPLE}]))
    (tmp_path / "request.json").write_text(
        json.dumps({"model": "auto", "messages": [{"role": "user", "content": SIMPLE}]})
    )
    return run


# (arguments, exit code, part of standard output, part of standard error)
USAGE = [
    ("", BAD_USAGE, "", "subcommand"),
    ("--help", OK, "Start here", ""),
    ("-h", OK, "Start here", ""),
    ("--version", OK, "vllm-sr ", ""),
    ("chat --no-such-option", BAD_USAGE, "", "--no-such-option"),
    ("serve --config no-such.yaml", BAD_USAGE, "", "no-such.yaml"),
    ("serve --platform mips", BAD_USAGE, "", "amd"),
    ("serve --backend cloud", BAD_USAGE, "", "embedded"),
    ("serve --resolve vllm", BAD_USAGE, "", "NAME:PORT=HOST:PORT"),
    ("serve --resolve vllm:8000=here", BAD_USAGE, "", "NAME:PORT=HOST:PORT"),
    ("serve --store-override replay=tape", BAD_USAGE, "", "replay=sqlite"),
    ("serve --threads many", BAD_USAGE, "", "--threads"),
    ("validate", BAD_USAGE, "", "FILE or --config FILE is required"),
    ("validate --help", OK, "validate [OPTIONS] [FILE]", ""),
    ("validate --config {recipe} other.yaml", BAD_USAGE, "", "give one recipe"),
    ("validate {recipe} other.yaml", BAD_USAGE, "", "other.yaml"),
    ("config show", BAD_USAGE, "", "FILE or --config FILE is required"),
    ("validate no-such.yaml", BAD_USAGE, "", "no-such.yaml"),
    ("validate bad.yaml", BAD_USAGE, "", "bad.yaml:2:"),
    ("validate regex.yaml", BAD_USAGE, "", "(open"),
    ("validate {recipe}", OK, "is valid", ""),
    ("validate --config {recipe}", OK, "is valid", ""),
    ("validate --strict warned.yaml", FAILED, "is valid", "--strict"),
    ("validate warned.yaml", OK, "is valid", "warning"),
    ("validate misspelt.yaml", BAD_USAGE, "", "include_history"),
    ("config", BAD_USAGE, "", "subcommand"),
    ("config show no-such.yaml", BAD_USAGE, "", "no-such.yaml"),
    ("config show {recipe}", OK, "version: v0.3", ""),
    ("config show --effective {recipe}", OK, "default_model", ""),
    ("config show --effective bad.yaml", BAD_USAGE, "", "bad.yaml:2:"),
    ("config migrate no-such.yaml", BAD_USAGE, "", "no-such.yaml"),
    ("config migrate {recipe}", OK, "version: v0.3", ""),
    ("eval", BAD_USAGE, "", "--text"),
    ("eval --text", BAD_USAGE, "", "--text"),
    ("eval --text hello", OK, "decision ", ""),
    ("eval --text hello --config bad.yaml", BAD_USAGE, "", "bad.yaml:2:"),
    ("eval --text a@example.org --classify pii", OK, '"label":"pii"', ""),
    ("eval --text a --classify pii --input no.jsonl", BAD_USAGE, "", "not both"),
    ("eval --messages messages.json", OK, "simple_math_fast_path", ""),
    ("eval --messages request.json", OK, "simple_math_fast_path", ""),
    ("eval --messages no.json", BAD_USAGE, "", "no.json"),
    ("eval --messages no-such.json", BAD_USAGE, "", "no-such.json"),
    ("eval --probes no-such.yaml", BAD_USAGE, "", "no-such.yaml"),
    ("eval --classify mood", BAD_USAGE, "", "domain"),
    ("eval --classify pii --input no-such.jsonl", BAD_USAGE, "", "no-such.jsonl"),
    ("eval --learning", BAD_USAGE, "", "--vectors"),
    ("eval --learning --vectors no-such.jsonl", BAD_USAGE, "", "no-such.jsonl"),
    ("chat hello", FAILED, "", "no vllm-sr runs"),
    ("models", FAILED, "", "no vllm-sr runs"),
    ("status", FAILED, "", "no vllm-sr runs"),
    ("stop", FAILED, "", "no vllm-sr runs"),
    ("replay", BAD_USAGE, "", "subcommand"),
    ("replay list", FAILED, "", "vllm-sr serve"),
    ("replay trajectory", FAILED, "", "vllm-sr serve"),
    ("replay simulate", FAILED, "", "vllm-sr serve"),
    ("replay simulate --recipe no-such.yaml", BAD_USAGE, "", "no-such.yaml"),
    ("replay simulate --candidate-set all", BAD_USAGE, "", "ladder"),
    ("replay show", BAD_USAGE, "", "id"),
    ("replay show abc", FAILED, "", "vllm-sr serve"),
    ("replay list --limit many", BAD_USAGE, "", "--limit"),
    ("logs", FAILED, "", "serve --detach"),
    ("logs --lines many", BAD_USAGE, "", "--lines"),
    ("logs --lines -1", BAD_USAGE, "", "--lines"),
    ("recipe", BAD_USAGE, "", "subcommand"),
    ("recipe list", OK, "agentic-saars.yaml", ""),
    ("recipe show agentic-saars", OK, "version: v0.3", ""),
    ("recipe show agentic-saars.yaml", OK, "version: v0.3", ""),
    ("recipe show nothing", BAD_USAGE, "", "recipe list"),
    ("recipe import no-such.yaml", BAD_USAGE, "", "no-such.yaml"),
    ("recipe import bad.yaml", BAD_USAGE, "", "bad.yaml:2:"),
    ("recipe import regex.yaml", BAD_USAGE, "", "(open"),
    ("recipe import http://127.0.0.1:{port}/r.yaml", FAILED, "", "127.0.0.1"),
    ("recipe import {recipe}", OK, "vllm-sr serve", ""),
    ("completion", BAD_USAGE, "", "shell"),
    ("completion csh", BAD_USAGE, "", "bash"),
    ("backend", BAD_USAGE, "", "subcommand"),
    ("backend up --print", OK, "python3", ""),
    ("backend up --platform amd --print", OK, "--device=/dev/kfd", ""),
    ("backend up --platform nvidia --print", OK, "--gpus all", ""),
    ("backend up --platform tpu", BAD_USAGE, "", "amd"),
    ("backend status --port {port}", FAILED, "does not answer", ""),
    ("backend down", OK, "no backend was started", ""),
    ("sim --listen here", BAD_USAGE, "", "ADDRESS:PORT"),
]


@pytest.mark.parametrize("arguments,code,out,err", USAGE, ids=[row[0] or "-" for row in USAGE])
def test_exit_code_and_what_it_says(cli, arguments, code, out, err):
    words = arguments.format(recipe=RECIPE, port=free_port()).split()
    got, stdout, stderr = cli(*words)
    assert (got, stderr if got != code else "") == (code, "")
    assert out in stdout
    assert err in stderr
    if code != OK:
        assert stderr.strip() or stdout.strip(), "a failure without a word"


MISTAKES = [
    ("srve --config x", "serve"),
    ("evel --text hello", "eval"),
    ("replay lits", "list"),
    ("eval --txet hello", "--text"),
    ("stats", "status"),
    ("chta hello", "chat"),
]


@pytest.mark.parametrize("arguments,meant", MISTAKES)
def test_what_is_unknown_is_answered_with_the_nearest(cli, arguments, meant):
    code, stdout, stderr = cli(*arguments.split())
    assert code == BAD_USAGE
    assert f"did you mean {meant}?" in stderr
    assert "--help" in stderr
    assert stdout == ""


def test_a_word_that_is_near_nothing_is_not_guessed(cli):
    code, _, stderr = cli("xylophone")
    assert code == BAD_USAGE
    assert "xylophone" in stderr and "did you mean" not in stderr


def commands_of(help_text):
    """Names in the list of subcommands of a help text."""
    section = re.split(r"^\w*ubcommands:\n", help_text, flags=re.MULTILINE)
    return re.findall(r"^  (\w+)  ", section[1].split("\n\n")[0], re.MULTILINE) if section[1:] else []


def all_helps(cli):
    """{words: help text} of every command, found by reading help as a person does."""
    found, todo = {}, [()]
    while todo:
        words = todo.pop()
        code, out, err = cli(*words, "--help")
        assert (code, err) == (OK, ""), words
        found[words] = out
        todo += [words + (name,) for name in commands_of(out)]
    return found


def test_every_command_has_help(cli):
    helps = all_helps(cli)
    for expected in [
        ("serve",), ("validate",), ("config", "show"), ("config", "migrate"), ("eval",), ("chat",),
        ("replay", "list"), ("replay", "show"), ("replay", "trajectory"), ("replay", "simulate"),
        ("models",), ("status",),
        ("stop",), ("logs",), ("recipe", "list"), ("recipe", "show"), ("recipe", "import"),
        ("backend", "up"), ("backend", "down"), ("backend", "status"), ("completion",),
    ]:
        assert expected in helps
    for words, text in {**helps, ("sim",): cli("sim", "--help")[1]}.items():
        lines = text.splitlines()
        assert lines[0].strip(), f"{words}: no first line"
        too_wide = [line for line in lines if len(line) > COLUMNS]
        assert too_wide == [], words
        # Every option says something behind its name, on its line or the next.
        for i, line in enumerate(lines):
            if re.match(r"^  -", line):
                said = re.sub(r"^  \S+( [A-Z]+| TEXT| INT|:\S+|\[\S+\]|\{\S+\}| \.\.\.| x)*", "", line)
                follows = lines[i + 1].startswith("       ") if i + 1 < len(lines) else False
                assert said.strip() or follows, f"{words}: {line!r}"


def test_the_words_of_a_completion_are_the_commands(cli):
    for shell in ("bash", "zsh", "fish"):
        code, script, _ = cli("completion", shell)
        assert code == OK
        for command in commands_of(cli("--help")[1]):
            assert re.search(rf"\b{command}\b", script), (shell, command)
        assert not re.search(r"\bsim\b", script), "the simulator is for tests"


def test_bash_takes_the_completion(cli):
    script = cli("completion", "bash")[1] + (
        "COMP_WORDS=(vllm-sr val); COMP_CWORD=1; _vllm_sr; echo ${COMPREPLY[@]}\n"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "validate\n", "")


def test_validate_as_json(cli):
    code, out, err = cli("validate", RECIPE, "--json")
    document = json.loads(out)
    assert (code, err, document["valid"]) == (OK, "", True)
    code, out, _ = cli("validate", "bad.yaml", "--json")
    document = json.loads(out)
    assert (code, document["valid"]) == (BAD_USAGE, False)
    first = document["diagnostics"][0]
    assert first["line"] == 2 and first["severity"] == "error" and first["message"]


def test_eval_of_a_message_that_is_too_long_says_why(cli, tmp_path):
    (tmp_path / "small.yaml").write_text(GOOD_RECIPE)
    code, out, _ = cli("eval", "--text", "word " * 20_000, "--config", "small.yaml")
    assert code == OK
    assert "more than any model that may serve it takes (m: context_window_too_small)" in out


def test_eval_of_an_empty_text(cli):
    code, _, err = cli("eval", "--text", "")
    assert code == BAD_USAGE and "--text is empty" in err


def test_help_shows_an_option_once_and_the_start_at_the_top_alone(cli):
    _, out, _ = cli("validate", "--help")
    assert out.count("The recipe") == 1
    assert "Start here" not in out


def test_eval_as_json(cli):
    code, out, err = cli("eval", "--text", SIMPLE, "--json")
    assert (code, err) == (OK, "")
    document = json.loads(out)
    assert document["routing_decision"] == "simple_math_fast_path"
    assert document["selected_model"] == "qwen/qwen3.6-rocm"


def test_other_outputs_as_json(cli):
    code, out, _ = cli("recipe", "list", "--json")
    assert code == OK
    assert any(path.endswith("/agentic-saars.yaml") for path in json.loads(out)["recipes"])
    port = free_port()
    code, out, _ = cli("backend", "status", "--port", port, "--json")
    assert code == FAILED
    assert json.loads(out) == {
        "address": f"127.0.0.1:{port}", "answers": False, "embedded_pid": 0
    }


def test_eval_reads_standard_input(cli):
    messages = json.dumps([{"role": "user", "content": SIMPLE}])
    code, out, _ = cli("eval", "--messages", "-", "--json", stdin=messages)
    assert code == OK
    assert json.loads(out)["routing_decision"] == "simple_math_fast_path"


def test_eval_of_probes_fails_when_one_does(cli, tmp_path):
    probes = tmp_path / "probes.yaml"
    text = (
        "decisions:\n  - id: d\n    expected_decision: {}\n    model: auto\n"
        f"    variants: [{{{{id: sum, tags: [en], query: \"{SIMPLE}\"}}}}]\n"
    )
    probes.write_text(text.format("simple_math_fast_path"))
    code, out, _ = cli("eval", "--probes", probes, "--json")
    assert (code, json.loads(out)["passed"]) == (OK, 1)
    probes.write_text(text.format("domain_code"))
    code, out, _ = cli("eval", "--probes", probes, "--json")
    document = json.loads(out)
    assert (code, document["failed_count"]) == (FAILED, 1)
    assert "simple_math_fast_path" in document["failed"][0]["why"]


def test_eval_classify_answers_a_line_a_row(cli):
    rows = [{"text": "Write to maria.keller@example.org"}, {"text": "nothing here"}]
    code, out, _ = cli(
        "eval", "--classify", "pii", stdin="".join(json.dumps(row) + "\n" for row in rows)
    )
    assert code == OK
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["label"] for answer in answers] == ["pii", "none"]


def test_config_show_hides_secrets(cli, tmp_path):
    secret = "sk-live-0123456789"
    recipe = tmp_path / "keys.yaml"
    recipe.write_text(
        RECIPE.read_text().replace(
            "    timeout: 1200s\n",
            f"    timeout: 1200s\n    api_keys: [{{name: team, key: {secret}}}]\n",
        )
    )
    for flags in ([], ["--effective"]):
        code, out, err = cli("config", "show", recipe, *flags)
        assert code == OK
        assert "team" in out
        assert secret not in out + err


def test_an_imported_recipe_is_the_default(cli, tmp_path):
    assert cli("recipe", "import", RECIPE)[0] == OK
    assert (tmp_path / "state/config.yaml").read_text() == RECIPE.read_text()
    assert cli("recipe", "import", "bad.yaml")[0] == BAD_USAGE
    assert (tmp_path / "state/config.yaml").read_text() == RECIPE.read_text()


def test_a_recipe_that_cannot_be_kept_is_a_failure(cli, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, err = cli("recipe", "import", RECIPE, "--state-dir", tmp_path / "file/below")
    assert code == FAILED
    assert "cannot write" in err and out == ""


# ---- with a running router ----------------------------------------------------------------------


@pytest.fixture
def talk(cli, router):
    """The command line with the state folder of a running router."""
    return lambda *argv, **kwargs: cli(*argv, "--state-dir", router.state, **kwargs)


def test_status_and_models(talk, router):
    code, out, err = talk("status")
    assert (code, err) == (OK, "")
    assert f"pid {router.pid}" in out and router.url in out
    code, out, err = talk("status", "--json")
    assert (code, err) == (OK, "")
    assert json.loads(out)["ready"] is True
    code, out, err = talk("models")
    assert (code, err) == (OK, "")
    assert len(out.splitlines()) == 6
    code, out, _ = talk("models", "--json")
    names = [model["name"] for model in json.loads(out)["models"]]
    assert code == OK and "qwen/qwen3.6-rocm" in names


def test_chat_prints_the_answer_and_the_route(talk, sim):
    sim.script({"content": "three hundred ninety-one"})
    code, out, err = talk("chat", SIMPLE)
    assert (code, out.strip()) == (OK, "three hundred ninety-one")
    assert "simple_math_fast_path" in err and "qwen/qwen3.6-rocm" in err


def test_chat_reads_lines_as_one_conversation(talk, sim):
    sim.script({"content": "one"}, {"content": "two"})
    code, out, _ = talk("chat", "--session", "s", stdin="first\n\nsecond\n")
    assert (code, out.split()) == (OK, ["one", "two"])
    bodies = [json.loads(r["body"]) if isinstance(r["body"], str) else r["body"]
              for r in sim.requests() if r["path"].endswith("/chat/completions")]
    assert [m["content"] for m in bodies[-1]["messages"]] == ["first", "one", "second"]


def test_chat_with_a_model_that_is_not_there(talk):
    code, _, err = talk("chat", "--model", "no-such-model", "hello")
    assert code == FAILED
    assert "no-such-model" in err


def test_replay_commands(talk, router):
    response = router.chat(SIMPLE, headers={"x-session-id": "cli-session"})
    router.finished_record(response)
    replay_id = response.headers["x-vsr-replay-id"]

    code, out, err = talk("replay", "list")
    assert (code, err) == (OK, "")
    assert "simple_math_fast_path" in out and replay_id[:8] in out
    code, out, _ = talk("replay", "list", "--json", "--session", "cli-session")
    assert code == OK
    assert [record["id"] for record in json.loads(out)["data"]] == [replay_id]
    code, out, _ = talk("replay", "list", "--decision", "no such decision & more", "--json")
    assert (code, json.loads(out)["data"]) == (OK, [])

    code, out, _ = talk("replay", "list", "--unsafe", "--json")
    assert (code, json.loads(out)["data"]) == (OK, [])

    code, out, _ = talk("replay", "show", replay_id, "--json")
    assert (code, json.loads(out)["id"]) == (OK, replay_id)
    code, out, _ = talk("replay", "show", replay_id)
    assert code == OK and replay_id in out and "simple_math_fast_path" in out
    assert "\nwhy        Took " in out and max(map(len, out.splitlines())) <= 80, out
    code, _, err = talk("replay", "show", "0" * 32)
    assert code == FAILED and err.strip()

    code, out, _ = talk("replay", "trajectory", "--session", "cli-session", "--json")
    assert code == OK
    json.loads(out)
    code, out, _ = talk("replay", "trajectory", "--session", "cli-session")
    assert code == OK and replay_id in out and "1 turns: 0 switches" in out


def test_a_long_list_is_paged(talk, router):
    for _ in range(103):
        assert router.chat(SIMPLE, headers={"x-session-id": "long"}).status_code == 200
    code, out, err = talk("replay", "list", "--limit", "102", "--session", "long")
    assert (code, err) == (OK, "")
    assert "102 shown; there are more" in out and len(out.splitlines()) == 103
    code, out, _ = talk("replay", "list", "--limit", "5000", "--session", "long", "--json")
    listed = json.loads(out)
    assert (listed["count"], listed["has_more"], listed["next_cursor"]) == (103, False, None)
    assert len({record["id"] for record in listed["data"]}) == 103


def test_an_operator_address_with_a_token(start, sim, cli):
    router = start(Router, RECIPE, *to_sim(sim), env={"VLLM_SR_ADMIN_TOKEN": "token-1234567890"})
    argv = ("status", "--state-dir", router.state)
    assert cli(*argv, env={"VLLM_SR_ADMIN_TOKEN": "token-1234567890"})[0] == OK


def test_a_second_router_leaves_the_first_ones_state_alone(talk, cli, router, sim):
    before = (router.state / "run.json").read_text()
    code, _, err = cli("serve", "--config", RECIPE, "--listen", "127.0.0.1:0", "--dashboard",
                       "127.0.0.1:0", "--state-dir", router.state, *to_sim(sim))
    assert code == FAILED
    assert f"process {router.pid}" in err and "--state-dir" in err and "vllm-sr stop" in err
    assert (router.state / "run.json").read_text() == before
    assert talk("status")[0] == OK


def test_a_state_folder_that_cannot_be_written(cli, tmp_path):
    (tmp_path / "taken").write_text("")
    code, _, err = cli("serve", "--config", RECIPE, "--state-dir", tmp_path / "taken",
                       "--backend", "none")
    assert code == FAILED and "--state-dir" in err


def test_chat_says_nothing_of_learning_that_is_off(cli, start, sim, tmp_path):
    recipe = recipe_with(tmp_path, **{"      enabled: true\n      adaptations:":
                                      "      enabled: false\n      adaptations:"})
    router = start(Router, recipe, *to_sim(sim))
    sim.script({"content": "one"})
    code, _, err = cli("chat", "hello", "--state-dir", router.state)
    assert code == OK and "()" not in err


def test_in_the_background(cli, sim, tmp_path):
    serve = ["serve", "--config", RECIPE, "--detach", "--listen", "127.0.0.1:0"]
    serve += ["--dashboard", "127.0.0.1:0", *to_sim(sim)]
    code, out, err = cli(*serve)
    assert code == OK, err
    try:
        assert "vllm-sr stop" in out
        wait_until("ready", lambda: cli("status")[0] == OK)
        code, out, _ = cli("logs", "--lines", "2")
        assert (code, len(out.splitlines())) == (OK, 2)
        code, out, _ = cli("logs", "-n", "0")
        assert (code, out) == (OK, "")
    finally:
        code, out, err = cli("stop")
    assert (code, err) == (OK, "")
    assert "is stopped" in out
    assert cli("status")[0] == FAILED


def test_in_the_background_a_bad_start_is_told(cli, sim):
    code, _, err = cli("serve", "--config", "bad.yaml", "--detach", "--listen", "127.0.0.1:0")
    assert code == BAD_USAGE
    assert "vllm-sr.log" in err


def test_recipe_list_without_recipes(cli, tmp_path):
    """The program alone, as after a copy: it says what is missing and does not fall over."""
    alone = tmp_path / "alone/bin/vllm-sr"
    alone.parent.mkdir(parents=True)
    alone.write_bytes(open(BIN, "rb").read())
    alone.chmod(0o755)
    done = subprocess.run([alone, "recipe", "list"], capture_output=True, text=True, timeout=30)
    assert done.returncode == FAILED
    assert "recipes" in done.stderr
    assert SOURCE.name and done.stdout == ""
