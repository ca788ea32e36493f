# Every target sets up what it needs first; the set-up is idempotent and takes milliseconds when nothing is missing.
# `cargo build` and `cargo test` work alone once `scripts/setup` has run.

# rustup's folder, for shells that have not been opened anew since it was installed.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

ORACLE := crates/server/tests/oracle
FAULTS := crates/server/tests/faults
CHART := crates/cli/tests/chart
ALERTS := crates/cli/tests/alerts
SIMULATION := crates/server/tests/simulation
CONFORMANCE := crates/cli/tests/conformance
TARGET_DIR := $(or $(CARGO_TARGET_DIR),$(CARGO_BUILD_TARGET_DIR),target)
# CI builds exactly what Cargo.lock says; a developer who adds a dependency need not think of it.
LOCKED := $(if $(CI),--locked)
# Arguments for what the target runs: make run ARGS='--port 9000', make bench ARGS=parse.
ARGS ?=
# Tests wait for sockets and timers more than they compute.
export RUST_TEST_THREADS ?= 8
# How many random runs the oracle makes.
RUNS ?= 50
# How many seeds the simulation runs; SEED=17 runs that one.
SEEDS ?= 20
SEED ?=
# A fault of the server to be planted meanwhile, by the name that the folder's README has.
PLANTED ?=
# How long clients come and go.
SOAK_MINUTES ?= 30
# How long each fuzz target runs.
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
# One cargo at a time: two would only wait for each other's lock.
.NOTPARALLEL:

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

.PHONY: run
run: build ## Build the release binary and start the server with a live demo (ARGS='--port 9000')
	exec $(TARGET_DIR)/release/geocast demo $(ARGS)

.PHONY: build
build: setup-build ## Build the release binary
	cargo build --release $(LOCKED) -p geocast

.PHONY: web
web: setup-web ## Build the live map into web/dist, from where the next build takes it

.PHONY: test
test: setup-test ## Run every test: unit, property, end to end on both stores, documentation
	cargo test --workspace $(LOCKED) $(ARGS)

.PHONY: oracle
oracle: setup-test ## Hold tracked maps to shapely and pyproj in RUNS (50) random runs (ARGS='--seed 17')
	cargo build $(LOCKED) -p geocast
	$(ORACLE)/.venv/bin/python $(ORACLE)/oracle.py $(TARGET_DIR)/debug/geocast --runs $(RUNS) --written $(TARGET_DIR)/oracle-runs $(ARGS)

.PHONY: otel
otel: setup-build ## Lint and test what sends traces, which ordinary builds leave out
	cargo clippy -p geocast --bin geocast --test otel --features otel $(LOCKED) -- -D warnings
	cargo test -p geocast --test otel --features otel $(LOCKED) $(ARGS)

.PHONY: simulation
simulation: setup-build ## Run SEEDS (20) seeds of server, store and clients in a simulated network (SEED=17: one)
	SEEDS=$(SEEDS) $(if $(SEED),SEED=$(SEED)) $(if $(PLANTED),$(SIMULATION)/planted $(PLANTED)) cargo test --workspace $(LOCKED) --features geocast-server/simulation --test simulation -- --nocapture $(if $(PLANTED),every_seed) $(ARGS)

# The release binary, as what is measured goes into the documentation. Without ARGS the table there is written.
.PHONY: faults
faults: setup-faults build ## Inject faults into real processes, and write docs/reliability.md (ARGS='--only redis', '--list')
	PYTHONDONTWRITEBYTECODE=1 $(ORACLE)/.venv/bin/python $(FAULTS)/faults.py $(TARGET_DIR)/release/geocast --logs $(TARGET_DIR)/faults $(or $(ARGS),--written docs/reliability.md)

.PHONY: soak
soak: setup-test build ## Run clients for SOAK_MINUTES (30), see whether anything grows, and write docs/reliability.md
	PYTHONDONTWRITEBYTECODE=1 $(ORACLE)/.venv/bin/python $(FAULTS)/soak.py $(TARGET_DIR)/release/geocast --minutes $(SOAK_MINUTES) --written docs/reliability.md

.PHONY: conformance
conformance: setup-conformance ## Hold the server to the Autobahn test suite (ARGS='--cases 6.*')
	cargo build --release $(LOCKED) -p geocast-server --example echo
	python3 $(CONFORMANCE)/autobahn.py $(CONFORMANCE)/.venv/suite/bin/wstest $(TARGET_DIR)/release/examples/echo --written $(TARGET_DIR)/conformance $(ARGS)

.PHONY: ci
ci: setup-ci fmt-check lint lint-alone test simulation doc bench-check gate fuzz-check fuzz-smoke ## Everything that CI runs

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

.PHONY: fmt-check
fmt-check: setup-ci
	cargo fmt --all --check

.PHONY: lint
lint: setup-ci ## Run clippy over all targets, warnings denied
	cargo clippy --workspace --all-targets $(LOCKED) -- -D warnings
	cargo clippy --workspace --lib --test simulation --features geocast-server/simulation $(LOCKED) -- -D warnings

# The workspace build turns on what the server asks for. Each library must also hold alone: without PROJ, without features
# that another crate happens to switch on.
.PHONY: lint-alone
lint-alone: setup-ci
	cargo clippy $(LOCKED) -p geocast-protocol --all-targets -- -D warnings
	cargo clippy $(LOCKED) -p geocast-geo-filter --all-targets -- -D warnings
	cargo clippy $(LOCKED) -p geocast-hub --all-targets -- -D warnings

.PHONY: doc
doc: setup-build ## Build the documentation, warnings denied
	RUSTDOCFLAGS="$(RUSTDOCFLAGS) -D warnings" cargo doc --workspace --no-deps $(LOCKED)

.PHONY: libraries
libraries: setup-msrv ## Use each library from a project outside of the workspace, also with the oldest Rust that it names
	scripts/libraries

# Not in CI: the tool needs the nightly toolchain.
.PHONY: public-api
public-api: setup-public-api ## Compare what the libraries offer with crates/*/public-api.txt (UPDATE=1: write them)
	scripts/public-api $(if $(UPDATE),--update)

# Not in CI: it builds everything once more, PROJ as well. Clippy knows there which of the standard library is too new.
.PHONY: msrv
msrv: setup-msrv ## Compile with the oldest Rust that the manifests name
	cargo +$$(scripts/setup oldest) check --workspace --target-dir $(abspath $(TARGET_DIR))/msrv $(LOCKED)

.PHONY: deb
deb: setup-packages build ## Build the Debian package, in target/debian
	scripts/pages $(TARGET_DIR)/release/geocast $(TARGET_DIR)/release/pages
	CARGO_TARGET_DIR=$(abspath $(TARGET_DIR)) cargo deb -p geocast --no-build $(LOCKED)

.PHONY: packages
packages: deb ## Build the packages, unpack them, and start what is in them
	scripts/packages $(abspath $(TARGET_DIR))/debian/geocast_*.deb

# Not in CI, where nothing else needs Go.
.PHONY: chart
chart: setup-chart ## Render the Helm chart in several ways, hold it to the schemas of Kubernetes, and compose.yaml to its own
	cargo build $(LOCKED) -p geocast
	PYTHONDONTWRITEBYTECODE=1 $(CHART)/.venv/bin/python $(CHART)/chart.py $(TARGET_DIR)/debug/geocast

# Not in CI, where what dashboard and alerts name is held to what servers show: it needs Prometheus' own tool.
.PHONY: alerts
alerts: setup-alerts ## Hold alerts, dashboard and metrics to promtool, and see each alert fire and not fire
	cargo build $(LOCKED) -p geocast
	PYTHONDONTWRITEBYTECODE=1 python3 $(ALERTS)/alerts.py $(TARGET_DIR)/debug/geocast $(ALERTS)/.unpacked/usr/bin/promtool

# The tests hold links and pages to each other without mdBook, so CI does not need it.
.PHONY: book
book: setup-book ## Make the documentation a book, in target/book
	mdbook build --dest-dir $(abspath $(TARGET_DIR))/book

.PHONY: bench
bench: setup-build ## Run the benchmarks and compare them (ARGS=parse runs those whose name has it)
	cargo bench --workspace --bench '*' $(LOCKED) -- $(ARGS)
	cargo run --release $(LOCKED) -p geocast-benches --bin ratios

# Runs each benchmark once, which shows more than compiling it. In the test profile: the bench profile would build PROJ again.
.PHONY: bench-check
bench-check: setup-build
	cargo test --workspace --bench '*' $(LOCKED)

# In the release profile, as what ships is built, but by a package that needs no PROJ: half a minute from nothing.
.PHONY: gate
gate: setup-gate ## Count the instructions of fan-out and hit test, compare (UPDATE=1: write the table)
	cargo run --release $(LOCKED) -p geocast-gate -- $(if $(UPDATE),--update)

.PHONY: fuzz
fuzz: setup-fuzz ## Run each fuzz target for FUZZ_SECONDS (60)
	scripts/fuzz $(FUZZ_SECONDS) $(ARGS)

# The same choices in each run, all at once, and patience: a machine that is busy is no finding.
.PHONY: fuzz-smoke
fuzz-smoke: setup-fuzz ## Run the fuzz targets that need no PROJ for a minute each
	FUZZ_SEED=1 FUZZ_TIMEOUT=60 FUZZ_AT_ONCE=10 scripts/fuzz 60 leaves

.PHONY: fuzz-nightly
fuzz-nightly: ## Run each fuzz target for an hour
	$(MAKE) fuzz FUZZ_SECONDS=3600

# Of the leaves that read what strangers send; PROJ is C++, which Miri does not run. A few cases of each law, as one takes seconds.
.PHONY: miri
miri: setup-miri ## Run the unit tests of protocol and geo-filter under Miri
	PROPTEST_CASES=2 FUZZ_MUTATIONS=10 MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test $(LOCKED) -p geocast-protocol -p geocast-geo-filter --lib $(ARGS)

# Keeps those targets compiling that need PROJ; what they call runs in the test suite. All features: with `unlinked`, PROJ is
# not built again for it.
.PHONY: fuzz-check
fuzz-check: setup-build
	RUSTFLAGS="$(RUSTFLAGS) --cfg fuzzing" cargo check --manifest-path fuzz/Cargo.toml --all-features --target-dir $(TARGET_DIR)/fuzz $(LOCKED)

# Not in CI, as each of these needs something that nothing else does: programs from the network, another toolchain, PROJ once more.
.PHONY: release-check
release-check: ## Run what CI does not, go on after failures, and sum up (ARGS='deny book': these alone)
	MAKE="$(MAKE)" scripts/release-check $(ARGS)

.PHONY: deny
deny: setup-deny ## Hold dependencies to licences, bans and sources (deny.toml)
	cargo deny check licenses bans sources

.PHONY: advisories
advisories: setup-deny ## Look for known faults of dependencies, in a database from the network
	cargo deny check advisories

.PHONY: setup-build setup-web setup-test setup-faults setup-gate setup-ci setup-fuzz setup-deny setup-conformance setup-book setup-packages setup-miri setup-chart setup-alerts setup-msrv setup-public-api
setup-build setup-web setup-test setup-faults setup-gate setup-ci setup-fuzz setup-deny setup-conformance setup-book setup-packages setup-miri setup-chart setup-alerts setup-msrv setup-public-api: setup-%:
	@scripts/setup $*
