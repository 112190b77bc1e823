# Every target does its own set-up: see scripts/setup.
.DEFAULT_GOAL := help
.PHONY: help build install uninstall package demo test test-fast test-cluster nightly soak tls-check reproducible format lint bench bench-smoke bench-report bench-compare bench-control golden reference chart image clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the sluice binary in release mode
	@scripts/setup build
	@scripts/build

install: ## Build, and install with the systemd unit: PREFIX=/usr/local DESTDIR=…
	@scripts/setup build
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install

uninstall: ## Remove what `make install` put there, but for /etc
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install remove

package: ## Build a Debian package for this distribution, in .build/deb
	@scripts/setup build package
	@scripts/package-deb

demo: ## Build, start the gateway on examples/quickstart, and print three commands to paste
	@scripts/setup build demo
	@scripts/demo

test: ## Everything that CI runs (under 20 minutes on 2 cores)
	@scripts/setup build test report
	@scripts/test all

test-fast: ## Lint and unit tests (about 10 minutes from nothing)
	@scripts/setup build
	@scripts/test fast

test-cluster: ## End-to-end tests against the cluster that $KUBECONFIG names; leaves nothing behind
	@scripts/setup build test
	@scripts/test-cluster

nightly: ## What takes longer: sanitizers, the chart installed and rolled out, outages in real time, the image (hours)
	@scripts/setup build test tls image
	@scripts/nightly

soak: ## Mixed load on the release binary, with every connection accounted for (MINUTES=1 LOAD=1)
	@scripts/setup build demo
	@MINUTES="$(MINUTES)" LOAD="$(LOAD)" scripts/soak

.PHONY: faults trial-memory
faults: ## System calls that fail, each in each way, with real traffic (about 10 minutes): FLAGS="--call splice --error EAGAIN --seed 7"
	@scripts/setup build
	@scripts/faults $(or $(FLAGS),--rounds 2 --mixtures 20)

trial-memory: ## More clients, and more bytes for each, than a cgroup's memory has room for (half a minute; root)
	@scripts/setup build
	@python3 -B -m trials.memory "$$(scripts/build | tail -n 1)"

.PHONY: fuzz
fuzz: ## Fuzz all that reads from the outside: TIME=seconds for each target (60)
	@scripts/setup build
	@scripts/fuzz --time $(or $(TIME),60) $(TARGETS)

.PHONY: simulate
simulate: ## Seeds of the simulation, optimised: SEEDS=1000000 FROM=0
	@scripts/setup build
	@scripts/simulate $(or $(SEEDS),1000000) $(or $(FROM),0)

tls-check: ## TLS held against testssl.sh, tlslite-ng and hellos that break the protocol (three minutes; FLAGS="--tlsfuzzer FOLDER")
	@scripts/setup build tls
	@.build/venv/bin/python -B -m trials.tls $(FLAGS) $$(scripts/build)

reproducible: ## Two clean release builds in one folder: are they equal? (ten minutes)
	@scripts/setup build
	@scripts/reproducible

.PHONY: hostile
hostile: ## Attacks beside clients that behave; want of ports and descriptors (20 minutes; FLAGS="--judge-time")
	@scripts/setup build test
	@scripts/hostile $(FLAGS)

format: ## Rewrite the sources in the project's format
	@scripts/setup
	swift format --in-place --recursive --parallel Sources Tests Package.swift

lint: ## Check the format, as CI does
	@scripts/setup
	swift format lint --strict --recursive --parallel Sources Tests Package.swift

bench: ## The benchmark beside HAProxy, nginx and Envoy, all measures (about 20 minutes)
	@scripts/setup build bench
	@scripts/bench

bench-smoke: ## Short benchmark beside HAProxy: must complete and check its data
	@scripts/setup build test
	@scripts/bench-smoke

bench-report: ## Plots and tables in docs/benchmarks.md, from bench/results (or from RESULTS="…")
	@scripts/setup report
	@.build/venv/bin/python bench/report $(RESULTS)

bench-compare: ## What changed between two results beyond the noise: A=… B=… [FLAGS=--fail-on-regression]
	@bench/compare $(FLAGS) $(A) $(B)

bench-control: ## The control plane with 5,000 routes, against the test API server
	@scripts/setup build test
	@scripts/bench-control

golden: ## Rewrite the golden answers of the translation, and docs/reference/reasons.md, from what they say now
	@scripts/setup build
	SLUICE_UPDATE_GOLDEN=1 swift test --disable-xctest --filter '^(TranslationTests|InspectionTests)\.'

reference: ## Rewrite the pages of docs/reference that are made from crds/
	@scripts/setup build test
	@.build/venv/bin/python scripts/reference

chart: ## Rewrite what follows from charts/sluice: its README, copies and snapshots
	@scripts/setup build test
	@.build/venv/bin/python scripts/chart
	@cd charts && SLUICE_UPDATE_SNAPSHOTS=1 ../.build/venv/bin/python -B -m unittest --quiet tests.test_render.Snapshots

image: ## Build the container image, by docker, podman or buildah (TAG=sluice:0.1.0-dev)
	@scripts/image $(or $(TAG),sluice:0.1.0-dev)

clean: ## Remove everything that was built
	rm -rf .build
