# Everything a user or a developer does with Volumer. `make` alone lists it. Installing and building are included:
# packages are installed again when package-lock.json has changed, and the build is incremental.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

NODE ?= node
HOST ?= 127.0.0.1
PORT ?= 4242
URL ?= http://$(HOST):$(PORT)
TOKEN ?= BTC
TOKENS ?= BTC ETH
# How long each random test of `make fuzz` goes on.
SECONDS_EACH ?= 600
# How long make dashboard-hour goes on.
MINUTES ?= 60
# How often each fault of `make chaos` comes.
ROUNDS ?= 10
# How long make replicas goes on.
REPLICA_MINUTES ?= 5
# Of make kafka: how many brokers (1 or 3), the first one's port, where data and log are.
BROKERS ?= 1
KAFKA_PORT ?= 9092
KAFKA_DATA ?= ./data/kafka
# Passed through to the program, e.g. make run ARGS="--port 0 --no-faketrader"
ARGS ?=

VOLUMER := $(NODE) dist/src/main.js
INSTALLED := node_modules/.package-lock.stamp
DASHBOARD := dist/dashboard/index.html
DASHBOARD_SOURCES = $(INSTALLED) tools/dashboard/build.ts \
  $(shell find src/dashboard src/client src/delivery/wire -type f ! -name '*.test.ts')
PRETTY := $(NODE) -e 'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>{try{console.log(JSON.stringify(JSON.parse(s),null,2))}catch{process.stdout.write(s)}})'

.PHONY: help run test fuzz chaos replicas http wsclient bench dashboard-hour screenshots kafka kafka-stop build lint format clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  Flags pass through ARGS: make run ARGS="--port 0 --trades-per-second 5000"'

run: build ## install, build, and start Volumer with every role, data in ./data, on 127.0.0.1:4242
	@exec $(VOLUMER) start $(ARGS)

test: build ## run every check: format and lint, types, architecture, and all tests
	@npx --no-install biome ci .
	@$(NODE) dist/tools/check-architecture.js
	@$(NODE) dist/tools/run-tests.js $(ARGS)

http: ## ask the running server for BTC (TOKEN=..., URL=...)
	@echo 'GET $(URL)/v1/tokens/$(TOKEN)'
	@curl -sS --fail-with-body '$(URL)/v1/tokens/$(TOKEN)' | $(PRETTY)
	@echo 'GET $(URL)/stats?token=$(TOKEN)'
	@curl -sS --fail-with-body '$(URL)/stats?token=$(TOKEN)' | $(PRETTY)

wsclient: build ## watch BTC and ETH of the running server (TOKENS="...", URL=...)
	@exec $(VOLUMER) watch $(TOKENS) --url $(URL) $(ARGS)

fuzz: build ## random histories, decoders, requests, messages and clients for SECONDS_EACH=600 each
	@VOLUMER_FUZZ_SECONDS=$(SECONDS_EACH) $(NODE) dist/tools/run-tests.js simulation fuzz decimal fingerprint web-feeds-model

chaos: build ## a cluster on Kafka under load and faults of every kind, ROUNDS=10 times each
	@VOLUMER_CHAOS_ROUNDS=$(ROUNDS) $(NODE) dist/tools/run-tests.js kafka/chaos kafka/three-brokers kafka/replicas

replicas: build ## two replica sets under load and faults for REPLICA_MINUTES=5: the same bytes for the same versions
	@VOLUMER_REPLICA_SECONDS=$$(( $(REPLICA_MINUTES) * 60 )) $(NODE) dist/tools/run-tests.js kafka/replica-bytes

bench: build ## run the benchmarks; results as a table and in bench/results
	@$(NODE) --expose-gc dist/bench/main.js $(ARGS)

dashboard-hour: build ## the board in Chromium at 500 changes a second for an hour (MINUTES=60): its frames, its memory
	@$(NODE) dist/bench/dashboard.js $$(( $(MINUTES) * 60 )) 100000

screenshots: build ## the views of the dashboard in screenshots/, and the one of the README
	@$(NODE) dist/tools/run-tests.js dist/test/browser/
	@cp screenshots/board.png docs/dashboard.png

kafka: build ## bring up Apache Kafka on 127.0.0.1:9092 (BROKERS=3), with Docker or from Maven Central
	@$(NODE) dist/tools/kafka/main.js start --brokers $(BROKERS) --port $(KAFKA_PORT) --data $(KAFKA_DATA) $(ARGS)

kafka-stop: build ## stop it; its data stay
	@$(NODE) dist/tools/kafka/main.js stop --data $(KAFKA_DATA)

build: $(INSTALLED) ## install what is missing and compile to dist/, the dashboard included
	@npx --no-install tsc -p tsconfig.json
	@$(MAKE) --no-print-directory $(DASHBOARD)

# The dashboard is checked and built when something that it is made of has changed.
$(DASHBOARD): $(DASHBOARD_SOURCES)
	@npx --no-install tsc -p src/dashboard/tsconfig.json
	@$(NODE) dist/tools/dashboard/build.js

lint: $(INSTALLED) ## check format and lint, change nothing
	@npx --no-install biome ci .

format: $(INSTALLED) ## format, and mend what can be mended
	@npx --no-install biome check --write .

clean: ## remove what was built and installed; data stays
	rm -rf dist node_modules

# The stamp is a copy of the lock file it was installed from: a checkout that only touches the file installs nothing.
$(INSTALLED): package.json package-lock.json
	@cmp -s package-lock.json $@ || npm ci --no-audit --no-fund
	@cp package-lock.json $@
