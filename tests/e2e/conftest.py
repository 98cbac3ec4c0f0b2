"""Real parts for the end-to-end tests: the built program, its simulator, and the embedded backend.

Each process listens on a port of the system's choice on loopback, writes to a folder of its own and
is ended by its id when the test is over.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import httpx
import pytest

SOURCE = pathlib.Path(os.environ.get("VSR_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
BIN = os.environ.get("VSR_BIN", str(SOURCE / "build/release/vllm-sr"))
RECIPE = SOURCE / "deploy/recipes/agentic-saars.yaml"
# What a sanitizer build writes when it finds something.
SANITIZER_REPORT = re.compile(r"(Address|Thread|Leak|Memory)Sanitizer|: runtime error: ")
START_SECONDS = 30
STOP_SECONDS = 15


def wait_until(what, probe, seconds=START_SECONDS, every=0.02):
    """Calls `probe` until it gives something true; fails with `what` when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        result = probe()
        if result:
            return result
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(every)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A program of ours with its log; ended with SIGTERM, which it has to obey with exit code 0."""

    def __init__(self, argv, log, env=None):
        self.log = pathlib.Path(log)
        self.argv = [str(a) for a in argv]
        self._file = self.log.open("ab")
        self.process = subprocess.Popen(
            self.argv,
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def text(self):
        return self.log.read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=STOP_SECONDS):
        return self.process.wait(seconds)

    def stop(self):
        if self.running():
            self.signal(signal.SIGTERM)
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.wait()
        self._file.close()
        assert not SANITIZER_REPORT.search(self.text()), self.text()
        assert self.process.returncode == 0, f"exit code {self.process.returncode}\n{self.text()}"

    def wait_started(self, what, probe):
        """What `probe` gives, as wait_until(); a program that does not come up is ended."""
        try:
            return wait_until(what, probe)
        except BaseException:
            self.stop()
            raise


class Sim(Process):
    """`vllm-sr sim`: a simulated backend. Control: POST /sim/script, GET /sim/requests."""

    def __init__(self, folder, *args, port=None):
        self.port = port or free_port()
        super().__init__(
            [BIN, "sim", "--listen", f"127.0.0.1:{self.port}", *args],
            pathlib.Path(folder) / f"sim-{self.port}.log",
        )
        self.url = f"http://127.0.0.1:{self.port}"
        self.wait_started("simulator up", self._up)

    def _up(self):
        assert self.running(), self.text()
        try:
            return httpx.get(self.url + "/health", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def script(self, *answers):
        """The next answers, one a request, in order; after them the default answer again."""
        response = httpx.post(self.url + "/sim/script", json={"answers": list(answers)})
        assert response.status_code == 200, response.text

    def requests(self):
        """What arrived since the last clear(): [{method, path, headers, body}], oldest first."""
        return httpx.get(self.url + "/sim/requests").json()["requests"]

    def clear(self):
        assert httpx.post(self.url + "/sim/clear").status_code == 200


class Router(Process):
    """`vllm-sr serve` on ports of the system's choice."""

    def __init__(self, folder, config, *args, env=None, wait=True):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.state.mkdir(parents=True, exist_ok=True)
        argv = [BIN, "serve", "--state-dir", self.state]
        # Without a recipe: setup mode.
        self.config = config and pathlib.Path(config)
        if config:
            argv += ["--config", config]
        argv += ["--listen", "127.0.0.1:0", "--dashboard", "127.0.0.1:0"]
        argv += [str(a) for a in args]
        super().__init__(argv, self.folder / "router.log", env)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        run = self.wait_started("router up", self._run_file)
        self.url = f"http://127.0.0.1:{run['listeners'][0]['port']}"
        self.operator = f"http://127.0.0.1:{run['operator']['port']}"

    def _run_file(self):
        assert self.running(), self.text()
        try:
            run = json.loads((self.state / "run.json").read_text())
        except (OSError, ValueError):
            return None
        return run if run.get("pid") == self.pid else None

    def chat(self, prompt=None, headers=None, timeout=60, **body):
        """One chat request; returns the response, whatever its status."""
        body.setdefault("model", "auto")
        if prompt is not None:
            body.setdefault("messages", [{"role": "user", "content": prompt}])
        return httpx.post(
            self.url + "/v1/chat/completions", json=body, headers=headers, timeout=timeout
        )

    def record(self, response):
        """The replay record of a response, from the operator listener."""
        replay_id = response.headers["x-vsr-replay-id"]
        found = httpx.get(f"{self.operator}/v1/router_replay/{replay_id}", params={"details": "true"})
        assert found.status_code == 200, found.text
        return found.json()

    def finished_record(self, response):
        """The same once it has reached its terminal state."""

        def ended():
            record = self.record(response)
            return record if record["lifecycle_state"] != "running" else None

        return wait_until("record ended", ended, 10)


def route(response):
    """(decision, model, action, reason) of a response's headers."""
    headers = response.headers
    value = lambda name: headers.get(name, "=").split("=", 1)[1]  # noqa: E731
    return (
        headers.get("x-vsr-selected-decision"),
        headers.get("x-vsr-selected-model"),
        value("x-vsr-learning-actions"),
        value("x-vsr-learning-reasons"),
    )


@pytest.fixture
def start(tmp_path):
    """Starts processes that end with the test: start(Sim), start(Router, config, …)."""
    with contextlib.ExitStack() as running:

        def begin(kind, *args, **kwargs):
            process = kind(tmp_path, *args, **kwargs)
            running.callback(process.stop)
            return process

        yield begin


@pytest.fixture
def sim(start):
    return start(Sim)


def to_sim(sim):
    """Arguments that send the shipped recipe's backend to the simulator."""
    return ("--backend", "none", "--resolve", f"vllm:8000=127.0.0.1:{sim.port}")


@pytest.fixture
def router(start, sim):
    """The shipped recipe in front of the simulator."""
    return start(Router, RECIPE, *to_sim(sim))


def recipe_with(tmp_path, **changes):
    """The shipped recipe with text replaced: recipe_with(p, **{"old": "new"})."""
    text = RECIPE.read_text()
    for old, new in changes.items():
        assert old in text, f"the shipped recipe has no {old!r}"
        text = text.replace(old, new)
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return path


SMALL, LARGE = "sim/small", "sim/large"


def small_recipe(tmp_path, *ports, small_ports=None, limits="", name="small.yaml"):
    """Two models without signals: `auto` is sim/small. Endpoints are loopback ports."""

    def model(model_name, model_ports):
        refs = "".join(
            f"        - {{name: p{port}, endpoint: \"127.0.0.1:{port}\", type: vllm}}\n"
            for port in model_ports
        )
        return (
            f"    - name: {model_name}\n      reliability: {{{limits}}}\n"
            f"      backend_refs:\n{refs}"
        )

    path = pathlib.Path(tmp_path) / name
    path.write_text(
        "version: v0.3\n"
        "providers:\n"
        f"  defaults: {{default_model: {SMALL}}}\n"
        "  models:\n"
        + model(SMALL, small_ports or ports)
        + model(LARGE, ports)
        + "routing:\n"
        f"  modelCards: [{{name: {SMALL}}}, {{name: {LARGE}}}]\n"
    )
    return path


SMALL_SIM = ("--models", f"{SMALL},{LARGE}")
NO_BACKEND = ("--backend", "none")
