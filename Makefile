# The shortest way to each thing. What a target does is in scripts/.
SHELL := bash
.PHONY: run check test attack watch bench lighthouse schemathesis lint tools screens clean

# Builds the market and opens it, with demo shops.
run:
	scripts/run

# What to run before a commit: format, clippy, the rules, the use cases on SQLite.
check:
	scripts/check

# Everything: lint, unit and database tests, the build, the browser.
test:
	scripts/test

# Attacks a market on this machine: what docs/security.md lists, on both databases.
attack:
	scripts/attack

# Builds and restarts at every change.
watch:
	scripts/tools --watch
	scripts/watch

bench:
	scripts/bench

# What a phone makes of the pages: performance, accessibility, good practice.
lighthouse:
	scripts/lighthouse

# Throws what can be thought of at the REST API, by what its document says.
schemathesis:
	scripts/schemathesis

lint:
	scripts/test lint

# What building and testing needs.
tools:
	scripts/tools --test

# Pictures of every page, in screens/.
screens:
	scripts/screens

# Leaves data/ alone.
clean:
	. scripts/env && cargo clean
	rm -rf target screens end2end/node_modules end2end/test-results end2end/playwright-report
