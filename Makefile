# Everything a person types. `make run` and `make test` do all that is needed, from nothing.
PREFIX ?= /usr/local
DESTDIR ?=
ONCE ?=
DATA ?=
STRICT ?=
PRESET ?= release
BUILD = build/$(PRESET)
SHARE = $(DESTDIR)$(PREFIX)/share/vllm-sr

.PHONY: help setup build run test bench eval eval-learning lint asan tsan install clean
.DEFAULT_GOAL := help

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: ## Install what is missing to build and run
	@scripts/setup build backend

build: ## Build the program: build/release/vllm-sr
	@scripts/setup build
	@cmake --preset $(PRESET) >$(CURDIR)/.configure.log 2>&1 || { cat .configure.log; rm -f .configure.log; exit 1; }
	@rm -f .configure.log
	@cmake --build $(BUILD) --target vllm-sr

run: setup build ## Build, start everything, send the guide's requests (ONCE=1: then stop)
	@ONCE=$(ONCE) scripts/run

test: ## Run all tests
	@scripts/setup build backend test
	@cmake --preset $(PRESET) >/dev/null
	@cmake --build $(BUILD)
	@scripts/test $(BUILD)

bench: ## Measure beside nginx and haproxy, and the encoder beside onnxruntime
	@scripts/setup build test bench
	@cmake --preset $(PRESET) -DVSR_BENCH=ON >/dev/null
	@cmake --build $(BUILD) && cmake --build $(BUILD) --target encode_texts
	@$(BUILD)/src/router/router_bench 2>/dev/null
	@$(BUILD)/src/eval/eval_bench 2>/dev/null
	@python3 bench/encoder.py --build $(BUILD)
	@python3 bench/proxy.py --bin $(BUILD)/vllm-sr

eval: ## Measure learning, and the learned signals on labelled data (DATA=folder, STRICT=1)
	@[ -n "$(DATA)" ] || { echo "usage: make eval DATA=FOLDER, see docs/evaluation.md"; exit 2; }
	@scripts/setup build test
	@cmake --preset $(PRESET) >/dev/null
	@cmake --build $(BUILD) --target vllm-sr encode_texts
	@python3 tests/eval/evaluate.py "$(DATA)" --build $(BUILD) $(if $(STRICT),--strict)
	@$(MAKE) --no-print-directory eval-learning

eval-learning: ## Measure router learning against its gates, audit 1,000 agent sessions
	@scripts/setup build
	@cmake --preset $(PRESET) >/dev/null
	@cmake --build $(BUILD) --target vllm-sr
	@python3 tests/eval/learning_gates.py --bin $(BUILD)/vllm-sr
	@$(BUILD)/vllm-sr eval --live-audit

lint: ## Check format, scripts and include edges
	@scripts/setup lint
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 --dry-run --Werror
	@shellcheck scripts/setup scripts/run scripts/test .ci/run
	@python3 tests/tidy/check_tree.py .

asan: ## Run all tests under AddressSanitizer and UBSan
	@scripts/setup build backend test
	@cmake --preset asan >/dev/null && cmake --build build/asan && scripts/test build/asan

tsan: ## Run all tests under ThreadSanitizer
	@scripts/setup build backend test
	@cmake --preset tsan >/dev/null && cmake --build build/tsan && scripts/test build/tsan

install: setup build ## Install to PREFIX (default /usr/local)
	@install -Dm755 $(BUILD)/vllm-sr $(DESTDIR)$(PREFIX)/bin/vllm-sr
	@install -Dm644 models/heads.bin $(SHARE)/models/heads.bin
	@install -Dm644 models/encoder.bin $(SHARE)/models/encoder.bin
	@install -Dm644 models/tuned.bin $(SHARE)/models/tuned.bin
	@install -Dm644 models/encoder.NOTICE $(SHARE)/models/encoder.NOTICE
	@install -d $(SHARE)/recipes && install -m644 deploy/recipes/*.yaml $(SHARE)/recipes/
	@rm -rf $(SHARE)/backend && cp -r build/backend $(SHARE)/backend
	@echo "installed $(DESTDIR)$(PREFIX)/bin/vllm-sr; start with: vllm-sr serve --config $(SHARE)/recipes/agentic-saars.yaml"

clean: ## Remove what was built
	@rm -rf build
