# `make train` and `make test` do everything, set-up included; `make check` is for each change.
# They need Python 3.11 or 3.12 with its headers, a C compiler and make, all but `make train` also a C++ compiler. The rest is installed
# into .venv, all of it pinned: for `make train` 150 MB, for the others 2 GB, which is torch and PufferLib.
# A test that needs more (valgrind, an X server) is skipped where that is missing, and says what to install.
# Nothing is done twice: a second run installs only what changed.

VENV   := .venv
RUN    ?= runs/train
SEEDS  ?= 1 2 3
ARGS   ?=
API_SETS ?= current rllib
FUZZ_SECONDS ?= 600

# as `. .venv/bin/activate` does: the pinned python, cmake and ninja come first where .venv exists
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

PINS    := requirements.txt constraints.txt tools/install_pufferlib.py
PACKAGE := pyproject.toml CMakeLists.txt $(shell find src python cmake web -type f -not -path "*__pycache__*" -not -path "*node_modules*")
CORES    = $$(getconf _NPROCESSORS_ONLN)
C_FILES  = $(shell find src tests examples sanitizer bench web -name '*.[ch]' 2>/dev/null)

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

train: $(VENV)/package  ## train three flocks from nothing with the learner in C, score them, write flock.gif and curve.png
	$(call train,native,$(RUN))

train-pufferlib: install  ## the same with PufferLib's trainer: 2 GB of set-up, and a minute of training
	$(call train,pufferl,$(RUN)-pufferlib)

check: install  ## in less than two minutes: lint, types, C tests, the fast Python tests
	@$(MAKE) --no-print-directory lint test-c
	@echo "▸ Python tests, without the slow ones: about a minute"
	python -m pytest -q -m "not slow" $(ARGS)
	@echo "▸ Checked: lint, types, C tests, fast Python tests. make test runs the others too."

test: install  ## every test: lint, types, C, C under the sanitizers, Python; ten minutes
	@echo "▸ All tests: about ten minutes on two cores"
	@$(MAKE) --no-print-directory lint test-c asan
	@echo "▸ Python tests: about six minutes"
	python -m pytest $(ARGS)
	@echo "▸ All tests passed: lint, types, C, C under ASan and UBSan with leak checking, Python."

test-apis: install  ## the adapters with each set of packages that go together, API_SETS="current rllib", in build/apis: 3 GB, five minutes
	@cmake --preset default >/dev/null && cmake --build --preset default --parallel $(CORES) --target _counter _least _squared _snake _cartpole >/dev/null
	python tools/test_apis.py $(API_SETS) $(ARGS)

bench-apis: install  ## the speed of each API and of each trainer on it, beside boids train: docs/apis.json
	python tools/test_apis.py --install
	python bench/apis.py $(ARGS)

learning: install  ## measure what the learner learns: docs/learning.json, docs/learning-*.png, tables; twenty minutes
	python tools/learning.py

planning: install  ## measure what looking ahead brings: docs/planning.json, docs/planning.png, tables
	python tools/planning.py

worlds: install  ## learn world models, and measure what planning with them brings: docs/world-models.json, a figure, tables
	python examples/world_model/run.py

bench: install  ## measure the speed, ours and the peers': a table, docs/speed.json, docs/speed.png
	@echo "▸ Measuring: about six minutes. Run nothing else on this machine meanwhile."
	python bench/speed.py $(ARGS)

bench-learners: install  ## our learner beside PuffeRL, Stable-Baselines3 and PPO in torch: docs/learners.json, docs/learners.png
	python bench/learners.py $(ARGS)

bench-page: install  ## measure the page of boids web in Chromium: a table
	python bench/page.py $(ARGS)

bench-peers: install  ## install the peers of the two benches, each in a virtual environment under build/peers
	python bench/speed.py --install-peers
	python bench/learners.py --install-peers

test-c:  ## the C tests alone; without .venv it needs cmake, and no Python
	@echo "▸ C tests: seconds, after a minute and a half of compiling the first time"
	@$(call cmake-workflow,default,-DBOIDS_ENV_PYTHON=$(if $(wildcard $(VENV)/ready),ON,OFF))

asan:  ## the C tests under ASan and UBSan, with leak checking
	@echo "▸ C tests under ASan and UBSan, with leak checking"
	@$(call cmake-workflow,asan)

tsan:  ## the C tests under TSan
	@echo "▸ C tests under TSan"
	@$(call cmake-workflow,tsan)

valgrind:  ## the C tests in valgrind, which also finds reads of uninitialized memory
	@echo "▸ C tests in valgrind"
	@$(call cmake-workflow,valgrind)

fuzz:  ## fuzz the environment for FUZZ_SECONDS=600; needs clang with libFuzzer
	@echo "▸ Fuzzing for $(FUZZ_SECONDS) s: a finding is a file build/fuzz/crash-*"
	@cmake --preset fuzz && cmake --build --preset fuzz
	@mkdir -p build/fuzz/found
	build/fuzz/fuzz_planted -runs=100000 -max_len=1024 -artifact_prefix=build/fuzz/planted- sanitizer/corpus >build/fuzz/planted.log 2>&1; test $$? -eq 77
	build/fuzz/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -len_control=0 -timeout=20 -artifact_prefix=build/fuzz/ \
	    build/fuzz/found sanitizer/corpus

test-full: test  ## make test, then TSan, valgrind and the fuzzer
	@$(MAKE) --no-print-directory tsan
	@$(MAKE) --no-print-directory valgrind
	@$(MAKE) --no-print-directory fuzz
	@echo "▸ make test, TSan, valgrind and the fuzzer passed."

policy: install  ## train the policies that the package ships again, seed 1 each, and write one as C for examples/
	boids train --out build/policy --overwrite
	cp build/policy/policy.npz python/boids_env/learn/learned.npz
	python tools/policy_header.py python/boids_env/learn/learned.npz examples/policy.h
	@for setting in school mill swarm wide crowd company; do boids train --setting $$setting --out build/$$setting --overwrite && \
	    cp build/$$setting/policy.npz python/boids_env/learn/settings/$$setting.npz || exit; done

stills: install  ## draw docs/stills.png and docs/phases.gif
	boids train --out build/stills/a --overwrite --learn.agent-steps 100_000
	boids train --out build/stills/b --overwrite --learn.agent-steps 500_000
	python tools/stills.py docs/stills.png build/stills
	python tools/phases.py docs/phases.gif

web:  ## build the page of boids web: python/boids_env/web/index.html. Needs clang-19 and lld-19
	python3 web/build.py

lint: $(VENV)/ready  ## ruff, clang-format, mypy
	@echo "▸ Lint and types"
	ruff check .
	ruff format --check .
	@clang-format --dry-run -Werror $(C_FILES)
	mypy

install: $(VENV)/ready $(VENV)/package  ## set up .venv and install the package into it

clean:  ## remove what was built
	rm -rf build

distclean: clean  ## remove .venv as well
	rm -rf $(VENV)

$(VENV)/tools: requirements-train.txt constraints.txt
	@echo "▸ Setting up $(VENV): NumPy, Pillow and what builds the package. Ten seconds, once."
	@test -x $(VENV)/bin/python || { python=$$(tools/find_python) && "$$python" -m venv --clear $(VENV); }
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check -r requirements-train.txt
	@touch $@

$(VENV)/ready: $(VENV)/tools $(PINS)
	@echo "▸ Setting up $(VENV): torch, PufferLib and the tools. About three minutes and 2 GB, once."
	$(VENV)/bin/python tools/install_pufferlib.py -q -r requirements.txt
	@touch $@

$(VENV)/package: $(VENV)/tools $(PACKAGE)
	@echo "▸ Building and installing boids-env: half a minute"
	$(VENV)/bin/python -m pip install -q --no-deps --no-build-isolation --disable-pip-version-check .
	@touch $@

# $(call train,TRAINER,FOLDER): train every seed, score them, draw their curves and film the first
define train
@echo "▸ Training from random weights, seeds $(SEEDS): some seconds each. Ctrl-C saves and stops."
@for seed in $(SEEDS); do echo "▸ seed $$seed"; \
    boids train --trainer $(1) --out $(2)/seed-$$seed --seed $$seed --overwrite $(ARGS) || exit; done
@echo "▸ Scoring them beside random turns and Reynolds' three rules, on flocks that they have not seen."
@boids score random reynolds $(SEEDS:%=$(2)/seed-%)
@echo "▸ Drawing the learning curves, and filming the first flock."
@boids plot curve.png $(SEEDS:%=$(2)/seed-%)
@boids record flock.gif --policy $(2)/seed-$(firstword $(SEEDS))
@echo "▸ Done: the film is flock.gif, the learning curves are curve.png. To see a flock learn in the terminal:"
@echo "$(VENV)/bin/boids watch --learn --terminal"
endef

# $(call cmake-workflow,PRESET,OPTIONS): configure, build and test as CMakePresets.json says
define cmake-workflow
command -v cmake >/dev/null || { echo "cmake is missing: install it, or run 'make install' for a pinned one in $(VENV)." >&2; exit 1; }; \
unset MAKEFLAGS MAKELEVEL; \
cmake --preset $(1) $(2) && cmake --build --preset $(1) --parallel $(CORES) && ctest --preset $(1) --parallel $(CORES)
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help train train-pufferlib check test learning planning worlds bench bench-apis bench-learners bench-page bench-peers test-apis policy stills web test-full test-c asan tsan valgrind fuzz lint install clean distclean
