"""The embedded default backend: llama.cpp's HTTP server with a small instruct model.

Lies in the folder of its own packages, so that nothing has to be installed. Ends on SIGTERM.
"""

import argparse
import ctypes
import glob
import os
import signal
import sys
import threading

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)

PR_SET_PDEATHSIG = 1
# Of a request that names no limit: a model this small may repeat itself to the end of its window.
ANSWER_TOKENS = 512
REPEAT_PENALTY = 1.1

# Renders tools, which the model's own template leaves out. Requests without tools get the usual
# turns.
TEMPLATE = (
    "{%- if tools %}{{- '<|im_start|>system\\nYou call tools. Never answer in prose.\\n' }}"
    "{%- for tool in tools %}{{- tool | tojson }}{{- '\\n' }}{%- endfor %}{{- '<|im_end|>\\n' }}"
    "{%- endif %}"
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.content %}{{- message.content }}{%- endif %}"
    "{%- if message.tool_calls %}{%- for call in message.tool_calls %}"
    "{{- call.function | tojson }}{%- endfor %}{%- endif %}"
    "{{- '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--model-path", help="another GGUF")
    parser.add_argument("--alias", default="vllm-sr-embedded")
    parser.add_argument("--ctx", type=int, default=8192, help="tokens, shared by --parallel slots")
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--die-with-parent", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    if args.die_with_parent:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    models = [args.model_path] if args.model_path else glob.glob(
        os.path.join(FOLDER, "**", "*.gguf"), recursive=True
    )
    if not models or not os.path.exists(models[0]):
        sys.exit("no model: give --model-path, or run `scripts/setup backend` again")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = models[0]
    params.hostnames = [args.host]
    params.port = args.port
    params.model_alias = {args.alias}
    params.n_ctx = args.ctx
    params.n_parallel = args.parallel
    params.endpoint_metrics = True
    params.use_jinja = True
    params.ui = False
    params.n_gpu_layers = 0
    params.cache_ram_mib = 512
    params.cpuparams.n_threads = args.threads
    params.cpuparams_batch.n_threads = args.threads
    params.chat_template = TEMPLATE
    # What it writes is text: read as calls, half of its answers to requests with tools are errors.
    params.force_pure_content_parser = True
    params.n_predict = ANSWER_TOKENS
    params.sampling.penalty_repeat = REPEAT_PENALTY
    server = xllamacpp.Server(params)
    print(f"serving {os.path.basename(models[0])} on {args.host}:{args.port}", flush=True)
    ended.wait()
    del server


if __name__ == "__main__":
    main()
