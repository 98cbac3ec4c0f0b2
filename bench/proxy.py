"""The whole proxy beside nginx and haproxy, in one run on the same cores.

For each body and connection count it prints the CPU microseconds per request of the proxy's process
tree, the requests per second, and the p50 and p99 latency that the load generator saw. The backend
is an nginx that answers from memory. Everything stays on loopback and ends by itself.

usage: bench/proxy.py --bin build/release/vllm-sr [--seconds 3] [--connections 1,32,128]
"""

import argparse
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "x" * 700},
            }
        ],
        "usage": {"prompt_tokens": 200, "completion_tokens": 20, "total_tokens": 220},
    }
)
STREAM = "".join(
    'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"w"}}]}\n\n'
    for _ in range(20)
) + "data: [DONE]\n\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(300):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def tree(pid):
    """The process and all below it."""
    pids = [pid]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pids += tree(int(child))
    return pids


def cpu_seconds(pid):
    total = 0
    for one in tree(pid):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_mb(pid):
    pages = sum(int(pathlib.Path(f"/proc/{p}/statm").read_text().split()[1]) for p in tree(pid))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def nginx(folder, name, config):
    path = folder / f"{name}.conf"
    path.write_text(
        f"daemon off; worker_processes 2; pid {folder}/{name}.pid; error_log /dev/null;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; client_max_body_size 64m; client_body_buffer_size 1m;\n"
        "keepalive_requests 10000000;\n" + config + "}\n"
    )
    return subprocess.Popen(["nginx", "-c", str(path), "-p", str(folder)])


def backend_config(folder, port):
    """Plain answers from memory; streams as 20 chunks in one write, by reading a file in small
    pieces through a filter that leaves it as it is."""
    answer = ANSWER.replace("'", "")
    (folder / "www").mkdir()
    (folder / "www/stream").write_text(STREAM)
    return (
        f"server {{ listen 127.0.0.1:{port} reuseport; location = /v1/models {{ return 200 '{{\"data\":[]}}'; }}\n"
        f" location /stream {{ root {folder}/www; default_type text/event-stream; ssi on; ssi_types *;\n"
        f"  sendfile off; output_buffers 1 {len(STREAM) // 20}; postpone_output 16000; error_page 405 =200 $uri; }}\n"
        f" location / {{ default_type application/json; return 200 '{answer}'; }} }}\n"
    )


def proxy_config(port, backend):
    return (
        f"upstream b {{ server 127.0.0.1:{backend}; keepalive 256; keepalive_requests 10000000; }}\n"
        f"server {{ listen 127.0.0.1:{port} reuseport; location / {{ proxy_pass http://b; proxy_http_version 1.1;\n"
        ' proxy_set_header Connection ""; proxy_buffering off; } }\n'
    )


def haproxy(folder, port, backend):
    path = folder / "haproxy.cfg"
    path.write_text(
        "global\n nbthread 2\ndefaults\n mode http\n timeout connect 5s\n timeout client 60s\n"
        f" timeout server 60s\n http-reuse always\nfrontend f\n bind 127.0.0.1:{port}\n"
        f" default_backend b\nbackend b\n server s 127.0.0.1:{backend}\n"
    )
    return subprocess.Popen(["haproxy", "-f", str(path), "-db"], stderr=subprocess.DEVNULL)


TURN = "The function reads the file, checks its header and returns the rows that match. "
QUESTION = "What is 17 * 23? Answer with only the number."
# Stands in a body for a number that is another one in every request.
COUNTER = "@@@@"


def chat_body(model, size, stream=False, grows=False):
    """A conversation of about `size` bytes. With `grows` its last answer (2 KB) and its prompt are
    new in every request, as when an agent takes its next turn."""
    question = f"{QUESTION} This is question {COUNTER}." if grows else QUESTION
    messages = [{"role": "user", "content": question}]
    body = {"model": model, "stream": stream, "messages": messages}
    if stream:
        body["stream_options"] = {"include_usage": True}
    while len(json.dumps(body)) < size:
        at = len(messages) - 1
        text = (TURN * 24)[: min(1900, max(16, size - len(json.dumps(body)) - 60))]
        messages.insert(at, {"role": "user" if at % 2 == 0 else "assistant", "content": text})
    if grows:
        messages.insert(-1, {"role": "assistant", "content": f"Turn {COUNTER}. " + (TURN * 24)[:1900]})
    return json.dumps(body)


def load(folder, port, path, body, connections, seconds):
    """wrk's own figures: (requests, requests per second, p50 µs, p99 µs, errors)."""
    script = folder / "post.lua"
    (folder / "body.json").write_text(body)
    script.write_text(
        f'wrk.method = "POST"\nlocal f = io.open("{folder}/body.json")\nlocal body = f:read("*a")\n'
        'wrk.body = body\nwrk.headers["content-type"] = "application/json"\n'
        f'local first, second = body:match("^(.-){COUNTER}(.*)$")\n'
        "if first then\n"
        f'  local middle, last = second:match("^(.-){COUNTER}(.*)$")\n'
        "  local n = os.time() % 100000 * 1000000\n"
        "  request = function()\n"
        "    n = n + 1\n"
        "    return wrk.format(nil, nil, nil, table.concat({first, n, middle, n, last}))\n"
        "  end\nend\n"
        "done = function(s, l, r)\n"
        '  io.write(string.format("FIGURES %d %d %d %d\\n", s.requests, l:percentile(50),\n'
        "    l:percentile(99), s.errors.status + s.errors.connect + s.errors.read + s.errors.timeout))\n"
        "end\n"
    )
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script),
         f"http://127.0.0.1:{port}{path}"],
        capture_output=True, text=True, timeout=seconds + 30,
    ).stdout
    requests, p50, p99, errors = map(int, re.search(r"FIGURES (\d+) (\d+) (\d+) (\d+)", out).groups())
    return requests, requests / seconds, p50, p99, errors


def start_ours(binary, folder, backend, chat_path, records=True):
    """A router of the shipped recipe: (process, port, ms from its start to its first answer)."""
    folder.mkdir()
    recipe = (ROOT / "deploy/recipes/agentic-saars.yaml").read_text()
    if chat_path != "/v1/chat/completions":
        recipe = recipe.replace("protocol: http,", f"protocol: http, chat_path: {chat_path},")
    if not records:
        off = "global:\n  services:\n    router_replay:\n      enabled: false\n"
        assert "\nglobal:\n" in recipe and "  services:" not in recipe
        recipe = recipe.replace("global:\n", off, 1)
    path = folder / "recipe.yaml"
    path.write_text(recipe)
    state = folder / "state"
    begun = time.monotonic()
    process = subprocess.Popen(
        [binary, "serve", "--config", path, "--state-dir", state, "--listen", "127.0.0.1:0",
         "--dashboard", "127.0.0.1:0", "--backend", "none", "--log-level", "error", "--threads", "2",
         "--resolve", f"vllm:8000=127.0.0.1:{backend}"],
        stderr=subprocess.DEVNULL,
    )
    run = state / "run.json"
    while not run.exists():
        assert process.poll() is None, "the router ended"
        time.sleep(0.001)
    port = json.loads(run.read_text())["listeners"][0]["port"]
    body = chat_body("qwen/qwen3.6-rocm", 0).encode()
    while True:
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/chat/completions", data=body,
                headers={"content-type": "application/json"},
            )
            urllib.request.urlopen(request, timeout=5).read()
            break
        except OSError as error:
            if time.monotonic() - begun > 20:
                raise SystemExit(f"the router does not serve: {error}") from error
            time.sleep(0.002)
    return process, port, (time.monotonic() - begun) * 1000


EXPLICIT = "qwen/qwen3.6-rocm"
CASES = (  # label, body size, streamed, grows
    ("1 KB", 1000, False, False),
    ("226 KB", 226_000, False, False),
    ("226 KB, 2 KB new", 226_000, False, True),
    ("1 KB, stream of 20", 1000, True, False),
)


def measure(folder, systems, count, seconds, case):
    """One line for each (name, pid, port, path, model); the first is what the others are divided by."""
    label, size, stream, grows = case
    reference = None
    for name, pid, port, path, model in systems:
        body = chat_body(model, size, stream, grows)
        load(folder, port, path, body, count, 1)
        before = cpu_seconds(pid)
        requests, rate, p50, p99, errors = load(folder, port, path, body, count, seconds)
        cost = (cpu_seconds(pid) - before) / max(1, requests) * 1e6
        reference = reference or (cost, p50, p99)
        print(f"{label:<20}{count:>5}{name:>24}{cost:>9.1f}{cost / reference[0]:>9.2f}{rate:>9.0f}"
              f"{p50:>9}{p99:>9}{p50 - reference[1]:>+9}{p99 - reference[2]:>+9}"
              + (f"  {errors} errors" if errors else ""), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default=str(ROOT / "build/release/vllm-sr"))
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", default="1,32,128")
    args = parser.parse_args()
    connections = [int(c) for c in args.connections.split(",")]
    processes = []
    with tempfile.TemporaryDirectory(prefix="vsr-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # nginx reads it as another user
        try:
            backend, nginx_port, haproxy_port = free_port(), free_port(), free_port()
            processes.append(nginx(folder, "backend", backend_config(folder, backend)))
            nginx_process = nginx(folder, "proxy", proxy_config(nginx_port, backend))
            haproxy_process = haproxy(folder, haproxy_port, backend)
            processes += [nginx_process, haproxy_process]
            for port in (backend, nginx_port, haproxy_port):
                wait_for(port)
            chat, events = "/v1/chat/completions", "/stream"
            ours = {}
            for path in (chat, events):
                for records in (False, True):
                    name = f"{'chat' if path == chat else 'events'}-{'on' if records else 'off'}"
                    ours[path, records] = start_ours(args.bin, folder / name, backend, path, records)
                    processes.append(ours[path, records][0])
            plain, plain_port, start_ms = ours[chat, False]
            print(f"start to first served request {start_ms:.0f} ms, "
                  f"resident {resident_mb(plain.pid):.0f} MB")
            before = resident_mb(plain.pid)
            idle = [socket.create_connection(("127.0.0.1", plain_port)) for _ in range(1000)]
            time.sleep(0.5)
            print(f"an idle connection takes {(resident_mb(plain.pid) - before) * 1000 / len(idle):.1f} KB")
            for connection in idle:
                connection.close()
            print(f"{'case':<20}{'conn':>5}{'proxy':>24}{'CPU µs':>9}{'/ nginx':>9}{'req/s':>9}"
                  f"{'p50 µs':>9}{'p99 µs':>9}{'- nginx':>9}{'- nginx':>9}")
            for case in CASES:
                path = events if case[2] else chat
                systems = [("nginx", nginx_process.pid, nginx_port, path, EXPLICIT),
                           ("haproxy", haproxy_process.pid, haproxy_port, path, EXPLICIT)]
                for records in (False, True):
                    process, port, _ = ours[path, records]
                    for model, word in ((EXPLICIT, "explicit"), ("auto", "auto")):
                        if case[3] and model == EXPLICIT:
                            continue
                        systems.append((f"ours {word}{', records' if records else ''}", process.pid,
                                        port, chat, model))
                for count in connections:
                    measure(folder, systems, count, args.seconds, case)
            for (path, records), (process, _, _) in ours.items():
                if path == chat:
                    print(f"resident after the load, records {'on' if records else 'off'}: "
                          f"{resident_mb(process.pid):.0f} MB")
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()


if __name__ == "__main__":
    main()
