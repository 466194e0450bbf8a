# The commands of the project; each says what it is for. CONTRIBUTING.md has
# the rules that go with them. Building needs Go and make; `make test` needs a C compiler
# too, for the race detector, and uses PostgreSQL, Chromium and Prometheus where they are
# installed. scripts/ci-packages installs all of these.
#
# There are five modules: the root has the components, test/ the tests of the whole and
# the benchmarks, mixin/ the alerts, rules and dashboards, tools/ the generators, ocb and
# the linters, packaging/ what makes packages.

GO        ?= go
BIN       := dist/otelcol-legato
CALLSIM   := dist/callsim
CALLID    := dist/callid
ARCHIVE   := dist/callarchive
TOOL      := $(GO) tool -modfile=$(CURDIR)/tools/go.mod
LINT      := $(TOOL) golangci-lint run --allow-parallel-runners
FUZZTIME  ?= 10s
FUZZDIRS  ?= internal receiver processor connector exporter cmd
PACKAGES  := ./...

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: ## Build dist/otelcol-legato, dist/callsim, dist/callid and dist/callarchive
	@mkdir -p build dist
	@echo 'Compiling the Collector: 10 to 18 minutes the first time on two cores, without output until it ends.'
	$(TOOL) builder --skip-strict-versioning=false --config builder-config.yaml
	@cp build/otelcol-legato/otelcol-legato $(BIN).new && mv $(BIN).new $(BIN)
	$(GO) build -o $(CALLSIM) ./cmd/callsim
	$(GO) build -o $(CALLID) ./cmd/callid
	$(GO) build -o $(ARCHIVE) ./cmd/callarchive

.PHONY: run
run: build ## Build, then start the Collector and a simulated Meeting Server
	@sh scripts/run.sh

.PHONY: test
test: build ## Everything that must pass, with the race detector
	$(GO) vet $(PACKAGES)
	$(GO) -C test vet $(PACKAGES)
	$(GO) -C mixin vet $(PACKAGES)
	$(GO) -C mixin test -timeout 20m $(PACKAGES)
	$(GO) -C packaging vet $(PACKAGES)
	$(GO) -C packaging test $(PACKAGES)
	$(GO) test -race -timeout 40m $(PACKAGES)
	$(GO) -C test test -race -timeout 40m $$($(GO) -C test list $(PACKAGES) | grep -v /dropin)
	$(GO) test -timeout 30m -run 'Permutations|Shuffles' ./internal/stitch # the laws in full, which the race detector makes slow
	$(GO) test -timeout 10m -run Outage ./exporter/callrecordexporter # an hour, likewise

.PHONY: dropin
dropin: ## Build the components into the oldest and the newest Collector, and compare the spans
	$(GO) -C test test -count=1 -timeout 40m -v ./dropin

.PHONY: packages
packages: build ## Make .deb, .rpm and .tar.gz with SBOMs and checksums for PACKAGE_TARGETS in dist/packages
	@sh scripts/packages.sh

.PHONY: image
image: build ## Make the container image for IMAGE_TARGETS in dist/image, without a container runtime
	@sh scripts/image.sh

.PHONY: generate
generate: ## Write generated code and documentation, and the rules of mixin/out, anew
	$(GO) generate $(PACKAGES)
	$(GO) -C mixin run ./cmd/mixin -runbooks ../docs/runbooks
	gofmt -w internal receiver processor connector exporter cmd test mixin

.PHONY: lint
lint: ## Run the linters
	$(LINT) $(PACKAGES)
	cd test && $(LINT) $(PACKAGES)
	cd mixin && $(LINT) $(PACKAGES)
	cd packaging && $(LINT) $(PACKAGES)

# go test fuzzes one target of one package at a time.
.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME (default 10s) each
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' $(FUZZDIRS)); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' $$file); do \
			echo "$$target in $$(dirname $$file)"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 50x ./$$(dirname $$file); \
		done; \
	done

.PHONY: bench
bench: build ## Measure against encoding/xml, the OTLP receivers and the trace processors, in one run each
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/...
	$(GO) -C test run ./bench

.PHONY: capacity
capacity: build ## Raise the load of 100, 300 and 1000 bridges over TLS until one Collector carries no more; about fifteen minutes
	$(GO) -C test run ./bench -part capacity

.PHONY: soak
soak: build ## Run simulated meetings for LEGATO_SOAK (default 1h) and watch memory and files
	LEGATO_SOAK=$${LEGATO_SOAK:-1h} $(GO) -C test test -run '^TestSoak$$' -timeout 0 -v ./e2e

.PHONY: soak-events
soak-events: build ## Follow an hour of meetings with faults for LEGATO_SOAK (default 1h) and compare the gauges with the truth
	LEGATO_SOAK=$${LEGATO_SOAK:-1h} $(GO) -C test test -run '^TestSoakEvents$$' -timeout 0 -v ./e2e

.PHONY: long
long: build ## Run the long forms of tests that are short in CI: a thousand faultless days, an hour without a database
	COMPLETENESS_DAYS=1000 $(GO) test -count=1 -timeout 0 -run Faultless -v ./internal/meetingserver/completeness
	LEGATO_OUTAGE=1h $(GO) -C test test -count=1 -timeout 0 -v ./outage

.PHONY: scale
scale: build ## Play estates of several Collectors with outages of a minute, and print the figures of docs/scale.md
	LEGATO_SCALE=1 LEGATO_REQUIRE_POSTGRES=1 $(GO) -C test test -count=1 -timeout 0 -v ./scale

.PHONY: drills
drills: build ## Play every drill of callsim against a real Prometheus and Alertmanager, and print how soon the alerts ring
	LEGATO_DRILLS=1 LEGATO_REQUIRE_PROMETHEUS=1 $(GO) -C test test -run '^TestDrills' -count=1 -timeout 0 -v ./e2e

.PHONY: backends
backends: build ## Read spans back from a real Jaeger and records from a real VictoriaLogs and Loki; builds them, ten minutes the first time
	@test/backends/build build/backends
	LEGATO_JAEGER=$(CURDIR)/build/backends/jaeger LEGATO_VICTORIALOGS=$(CURDIR)/build/backends/victoria-logs LEGATO_LOKI=$(CURDIR)/build/backends/loki $(GO) -C test test -run '^TestBackends' -count=1 -timeout 10m -v ./e2e

.PHONY: backends-logs
backends-logs: build ## The short form of backends, with VictoriaLogs alone
	@test/backends/build build/backends victorialogs
	LEGATO_VICTORIALOGS=$(CURDIR)/build/backends/victoria-logs $(GO) -C test test -run '^TestBackendsVictoriaLogs' -count=1 -timeout 5m -v ./e2e

.PHONY: clean
clean: ## Remove what was built and what the demo wrote
	rm -rf build dist data
