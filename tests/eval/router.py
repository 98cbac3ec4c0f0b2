"""The router's own program over many texts."""

import concurrent.futures
import json
import pathlib
import re
import subprocess
import tempfile

THREADS = 2
PROBES_A_RUN = 500
BYTES_A_RUN = 3_000_000  # a file of probes may have 4 MiB

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The attack rule of the shipped recipe on its own, through the whole decision.
RECIPE = (ROOT / "deploy/recipes/agentic-saars.yaml").read_text(encoding="utf-8")
THRESHOLD = re.search(r"- name: prompt_attack\n(?:        .*\n)*?        threshold: (\S+)", RECIPE)[1]
ATTACK_RULE = f"""\
version: v0.3
listeners: [{{name: http, address: 127.0.0.1, port: 8899}}]
providers:
  defaults: {{default_model: m}}
  models: [{{name: m, backend_refs: [{{name: b, endpoint: "127.0.0.1:9"}}]}}]
routing:
  modelCards: [{{name: m}}]
  signals:
    jailbreak:
      - {{name: prompt_attack, method: classifier, threshold: {THRESHOLD}, include_history: true,
         on_error: match}}
  decisions:
    - name: attack
      priority: 100
      rules: {{operator: AND, conditions: [{{type: jailbreak, name: prompt_attack}}]}}
      modelRefs: [{{model: m}}]
"""


class Router:
    def __init__(self, program: pathlib.Path):
        self.program = program

    def _eval(self, arguments: list, objects: list[dict]) -> list[dict]:
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as rows:
            for row in objects:
                rows.write(json.dumps(row) + "\n")
            rows.flush()
            command = [self.program, "eval", *arguments, "--input", rows.name, "--threads", str(THREADS)]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def classify(self, classifier: str, texts: list[str]) -> list[dict]:
        """label, confidence, probabilities (and spans, score) of each text."""
        return self._eval(["--classify", classifier], [{"text": text} for text in texts])

    def similarity(self, pairs: list[tuple[str, str]]) -> list[float]:
        out = self._eval(["--similarity"], [{"a": a, "b": b} for a, b in pairs])
        return [row["score"] for row in out]

    def finds_attack(self, texts: list[str | list[dict]]) -> list[bool]:
        """Whether the shipped attack rule matches, through the whole decision. A text is a user's
        message or a list of chat messages."""
        parts, size = [[]], 0
        for text in texts:
            bytes_of_text = len(json.dumps(text, ensure_ascii=False).encode())
            size += bytes_of_text
            if len(parts[-1]) == PROBES_A_RUN or (parts[-1] and size > BYTES_A_RUN):
                parts.append([])
                size = bytes_of_text
            parts[-1].append(text)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            return [hit for part in pool.map(self._finds_attack, parts) for hit in part]

    def _finds_attack(self, texts: list[str | list[dict]]) -> list[bool]:
        variants = [{"id": str(n), "query" if isinstance(text, str) else "messages": text}
                    for n, text in enumerate(texts)]
        probes = {"decisions": [{"id": "attack", "expected_decision": "attack", "model": "auto",
                                 "variants": variants}]}
        with tempfile.TemporaryDirectory() as work:
            recipe, file = pathlib.Path(work, "attack.yaml"), pathlib.Path(work, "probes.yaml")
            recipe.write_text(ATTACK_RULE)
            file.write_text(json.dumps(probes, ensure_ascii=False), encoding="utf-8")
            command = [self.program, "eval", "--probes", file, "--config", recipe, "--json"]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 1) or not done.stdout:
            raise SystemExit(f"eval --probes: {done.stderr.strip()}")
        failed = {int(row["id"].split("/")[1]) for row in json.loads(done.stdout)["failed"]}
        return [n not in failed for n in range(len(texts))]
