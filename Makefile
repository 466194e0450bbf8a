# The commands of the project; each says what it is for. CONTRIBUTING.md has
# the rules that go with them. Go and make are all they need; PostgreSQL and Chromium
# are used by tests where they are installed (scripts/ci-packages).

GO        ?= go
BIN       := dist/otelcol-legato
CALLSIM   := dist/callsim
CALLID    := dist/callid
LINT      := $(GO) tool -modfile=tools/go.mod golangci-lint
FUZZTIME  ?= 10s
PACKAGES  := ./...

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: ## Build dist/otelcol-legato, dist/callsim and dist/callid
	@mkdir -p build dist
	$(GO) tool builder --skip-strict-versioning=false --config builder-config.yaml
	@cp build/otelcol-legato/otelcol-legato $(BIN).new && mv $(BIN).new $(BIN)
	$(GO) build -o $(CALLSIM) ./cmd/callsim
	$(GO) build -o $(CALLID) ./cmd/callid

.PHONY: run
run: build ## Build, then start the Collector and a simulated Meeting Server
	@sh scripts/run.sh

.PHONY: test
test: build ## Everything that must pass, with the race detector
	$(GO) vet $(PACKAGES)
	$(GO) test -race -timeout 20m $(PACKAGES)
	$(GO) test -run 'Permutations|Shuffles' ./internal/stitch # the laws in full, which the race detector makes slow

.PHONY: generate
generate: ## Write generated code, documentation and golden files anew
	$(GO) generate $(PACKAGES)
	gofmt -w internal receiver processor connector exporter cmd test

.PHONY: lint
lint: ## Run the linters
	$(LINT) run --allow-parallel-runners $(PACKAGES)

# go test fuzzes one target of one package at a time.
.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME (default 10s) each
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' internal receiver processor connector exporter cmd); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' $$file); do \
			echo "$$target in $$(dirname $$file)"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 50x ./$$(dirname $$file); \
		done; \
	done

.PHONY: bench
bench: ## Measure against encoding/xml, the OTLP receivers and the trace processors, in one run each
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/...
	$(GO) run ./test/bench

.PHONY: soak
soak: build ## Run simulated meetings for LEGATO_SOAK (default 1h) and watch memory and files
	LEGATO_SOAK=$${LEGATO_SOAK:-1h} $(GO) test -run '^TestSoak$$' -timeout 0 -v ./test/e2e

.PHONY: soak-events
soak-events: build ## Follow an hour of meetings with faults for LEGATO_SOAK (default 1h) and compare the gauges with the truth
	LEGATO_SOAK=$${LEGATO_SOAK:-1h} $(GO) test -run '^TestSoakEvents$$' -timeout 0 -v ./test/e2e

.PHONY: clean
clean: ## Remove what was built and what the demo wrote
	rm -rf build dist data
