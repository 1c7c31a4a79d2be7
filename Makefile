# The front door. Every target does its own set-up; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# a platform starts a dozen processes: each source is compiled once, not at each start
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.lock-$(shell sha256sum requirements.txt | cut -c1-16)

.PHONY: help run cases new-log stop status logs env tap judge backup restore clean setup test unit reload chaos check format lock bench soak history bench-lock new-stream check-streams rules-page dashboards grafana screenshots

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/:.*## /\t/' | expand -t 18

$(STAMP): requirements.txt
	@echo "setting up Python packages in $(VENV) (about 1 min the first time)…"
	@bash deploy/python.sh $(PYTHON) $(VENV)
	@rm -f $(VENV)/.lock-*
	@touch $@

setup: $(STAMP) ## Install the Python packages into .venv
	@$(BIN)/python -m deploy setup

run: setup ## Start everything and show the city alive (DETACH=1 returns when healthy)
	@$(BIN)/python -m deploy up $(if $(DETACH),--detach)

new-log: $(STAMP) ## Go on with the log Kafka has now, when it was lost, replaced or restored (YES=1 does it)
	@assignments="$$($(BIN)/python -m deploy env)" && eval "$$assignments" && exec $(BIN)/python -m storage new-log $(if $(YES),--yes)

reload: $(STAMP) ## Take in new or changed streams while the servers run on
	@$(BIN)/python -m deploy reload

stop: $(STAMP) ## Stop everything
	@$(BIN)/python -m deploy down

status: $(STAMP) ## Show processes, health, lag and rates; exit 1 when unwell
	@$(BIN)/python -m deploy status

cases: $(STAMP) ## Let simulated collectors, citizens and departments work on cases: make cases SPEED=1
	@assignments="$$($(BIN)/python -m deploy env)" && eval "$$assignments" && $(BIN)/python -m records grant local urban.department && exec $(BIN)/python -m simulators cases $(if $(SPEED),--speed $(SPEED))

logs: $(STAMP) ## Print the logs: make logs PROCESS=sink
	@$(BIN)/python -m deploy logs $(PROCESS)

env: $(STAMP) ## Print shell assignments of the running platform
	@$(BIN)/python -m deploy env

tap: $(STAMP) ## Print a topic as JSON lines: make tap STREAM=noise KIND=aggregates LAST=5 COUNT=20
	@assignments="$$($(BIN)/python -m deploy env)" && eval "$$assignments" && exec $(BIN)/python -m ingest tap $(STREAM) $(if $(KIND),--kind $(KIND)) $(if $(LAST),--last $(LAST)) $(if $(COUNT),--count $(COUNT)) $(if $(SENSOR),--sensor $(SENSOR))

judge: $(STAMP) ## Work the running platform's Kafka log off anew and compare every hop: make judge STREAM=noise
	@assignments="$$($(BIN)/python -m deploy env)" && eval "$$assignments" && exec $(BIN)/python -m verify.oracle $(if $(STREAM),--stream $(STREAM))

backup: $(STAMP) ## Back up database, keys, receivers and routes of the running platform into one file
	@$(BIN)/python -m deploy backup

restore: setup ## Restore a backup while the platform is stopped: make restore FILE=… (REPLACE=1 puts aside what is here)
	@$(BIN)/python -m deploy restore $(if $(REPLACE),--replace) "$(FILE)"

clean: $(STAMP) ## Stop everything and remove its data
	@$(BIN)/python -m deploy clean

# two on two cores: a third starts platforms beside browsers that must answer within a second
test: $(STAMP) ## Set up, start own servers and run every test on two workers (WORKERS=4, 0 = none)
	@$(BIN)/python -m deploy setup --tests
	@$(BIN)/pytest -n $(or $(WORKERS),2) --dist loadfile --no-loadscope-reorder

unit: $(STAMP) ## Run the tests that need no servers (under a minute)
	@$(BIN)/pytest -q -n $(or $(WORKERS),2) tests/unit tests/meta tests/cases

chaos: setup ## Strike a platform with every fault and judge it: make chaos SEED=7 ROUNDS=2 (about 35 min)
	@$(BIN)/python -m verify.chaos --seed $(or $(SEED),1) --rounds $(or $(ROUNDS),1)

check: $(STAMP) ## ruff, pyright, import-linter, stream check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python -m catalog check-streams
	@$(BIN)/python -m dashboards check

rules-page: $(STAMP) ## Write docs/rules.md anew from the catalog
	@$(BIN)/python -m catalog rules-page

format: $(STAMP) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(STAMP) ## Resolve requirements.in anew into requirements.txt
	@$(BIN)/uv pip compile requirements.in --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' -o requirements.txt

new-stream: $(STAMP) ## Scaffold a stream: make new-stream NAME=noise_site DOMAIN=water
	@$(BIN)/python -m catalog new-stream $(NAME) $(if $(DOMAIN),--domain $(DOMAIN))

check-streams: $(STAMP) ## Check the quality list of every stream
	@$(BIN)/python -m catalog check-streams

dashboards: $(STAMP) ## Write the Grafana dashboards and provisioning: make dashboards OUT=/tmp/boards
	@$(BIN)/python -m dashboards build --out $(or $(OUT),.cityops/dashboards)

HISTORY := .cityops/history
BENCH := benchmarks/.venv
BENCH_STAMP := $(BENCH)/.lock-$(shell sha256sum benchmarks/requirements.txt | cut -c1-16)

$(BENCH_STAMP): benchmarks/requirements.txt
	@echo "setting up the peers' packages in $(BENCH) (about 1 min the first time)…"
	@[ -x $(BENCH)/bin/python ] || $(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.txt
	@rm -f $(BENCH)/.lock-*
	@touch $@

bench: setup $(BENCH_STAMP) ## Measure the pipe beside its peers (7 min; SHARE=0.1 ROUNDS=1 for a try)
	@$(BIN)/python -m benchmarks run $(if $(SHARE),--share $(SHARE)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(PUBLISH),--publish)

soak: setup ## Watch memory under 20 000 readings/s for 30 min (MINUTES=5 for a try)
	@$(BIN)/python -m benchmarks soak $(if $(MINUTES),--minutes $(MINUTES))

# what an earlier run has left behind is loaded first: it was broken off. History ends where the live
# data begins, or its last hour would contradict what was measured
history: $(STAMP) ## Make days of history and load them while the platform runs: make history DAYS=30 SENSORS=2000
	@assignments="$$($(BIN)/python -m deploy env)" && eval "$$assignments" \
	  && { compgen -G '$(HISTORY)/*.arrows' >/dev/null || $(BIN)/python -m simulators backfill --out $(HISTORY) --days $(or $(DAYS),30) $(if $(SENSORS),--sensors $(SENSORS)) --until "$(or $(UNTIL),$$($(BIN)/python -m storage live-since))"; } \
	  && exec $(BIN)/python -m storage load $(HISTORY) --remove

bench-lock: $(STAMP) ## Resolve benchmarks/requirements.in anew
	@$(BIN)/uv pip compile benchmarks/requirements.in --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --custom-compile-command 'make bench-lock' -o benchmarks/requirements.txt

grafana: $(STAMP) ## Fetch an official Grafana into .cityops; make run starts it from then on
	@$(BIN)/python -m deploy grafana

screenshots: $(STAMP) ## Take the pictures of README and docs anew from the running platform
	@$(BIN)/python -m deploy screenshots
