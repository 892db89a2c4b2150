# Entry points for development. The scripts are in scripts/.
SHELL := bash
.PHONY: run check test attack watch bench bench-chat bench-recommend bench-search lighthouse schemathesis lint tools screens clean

# Builds and serves the demo market.
run:
	scripts/run

# What to run before a commit: format, clippy, unit tests, the use cases on SQLite.
check:
	scripts/check

# Everything: lints, Rust tests, the build, browser tests.
test:
	scripts/test

# Runs the attacks of docs/security.md and docs/reliability.md against markets on this machine, on both databases. Takes hours;
# `make test` runs one percent of the latter.
attack:
	scripts/attack

# Serves the demo market, rebuilt on every change.
watch:
	scripts/tools --watch
	scripts/watch

bench:
	scripts/bench

# How good and how fast the search is, on the data in HAAT_SEARCH_DATA.
bench-search:
	scripts/bench search

# How good and how fast recommendations are, on the data in HAAT_RECOMMEND_DATA.
bench-recommend:
	scripts/bench recommend

# Conversations over thousands of sockets.
bench-chat:
	scripts/bench chat

# Lighthouse on a simulated phone: performance, accessibility, best practices, SEO.
lighthouse:
	scripts/lighthouse

# Fuzzes the REST API from its OpenAPI document.
schemathesis:
	scripts/schemathesis

lint:
	scripts/test lint

# Installs what building and testing needs.
tools:
	scripts/tools --test

# Takes screenshots of every page, in screens/.
screens:
	scripts/screens

# Removes build output; keeps data/.
clean:
	. scripts/env && cargo clean
	rm -rf target screens end2end/node_modules end2end/test-results end2end/playwright-report
