# What a developer does with this repository. "make" lists it.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0

# Packages that also run under the race detector: those in which much goes on at once.
RACE := ./gitsource ./schema ./reconcile/... ./simulate/... ./tui ./tui/replay

# Time and memory are other ones under the race detector: tests of limits on them run without it.
RACE_SKIP := ^(TestHostileRepo|TestEvaluatorLoadTimeout|TestAnSSHKeyMayHaveAPassphrase)$$

# Modules of their own, so that the product's go.mod stays clean.
NESTED := testdata/tools testdata/apiserver

CODE := cmd gitsource reconcile schema simulate tui $(NESTED)

# No package takes nearly as long.
TEST := go test -timeout 15m

FUZZTIME := 10s

.DEFAULT_GOAL := help
.PHONY: help demo build tools test apiserver-test report-test race ci picture bench lint fmt fuzz-smoke vuln

help: ## list what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## build bin/vksync
	go build -o bin/vksync ./cmd/vksync

demo: build ## play the example fleet on the simulated lab
	./bin/vksync simulate testdata/fleet --speed 100

tools: ## build kubectl and govc for the tests, into bin/tools
	go -C testdata/tools build -o ../../bin/tools/ ./kubectl ./govc

test: tools ## run every test
	$(TEST) ./...

apiserver-test: ## test against a real Kubernetes API server (the first build takes minutes)
	cd testdata/apiserver && $(TEST) ./...

report-test: ## look at the HTML report in Chromium, which root gets from apt-get where there is none
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
		then apt-get update -q && apt-get install -y -q --no-install-recommends chromium; \
		else echo "make report-test needs Chromium: install your system's package, chromium or google-chrome"; exit 1; fi
	go vet -tags browser ./tui/report
	$(TEST) -tags browser -run Browser ./tui/report

race: ## run the fast tests under the race detector
	$(TEST) -race -skip '$(RACE_SKIP)' $(RACE)

ci: lint race test apiserver-test report-test ## what a change must pass

picture: ## draw the README's picture of the dashboard again
	go test -run '^TestThePictureOfTheReadmeIsNew$$' ./cmd/vksync -update

bench: ## measure speed and size against the bars to hold
	go test -run '^$$' -bench '^Benchmark(Bars|Life)$$' -benchtime 1x -timeout 30m ./cmd/vksync
	go test -run '^$$' -bench '^BenchmarkKeyToScreen$$' -benchtime 300x ./tui
	cd testdata/apiserver && go test -run '^$$' -bench '^BenchmarkNoOpPlan$$' -benchtime 5x -timeout 30m .

fmt: ## format the code
	gofmt -w $(CODE)

lint: ## check format, vet, and staticcheck
	@unformatted=$$(gofmt -l $(CODE)); \
		if [ -n "$$unformatted" ]; then echo "not formatted (run make fmt):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	@for module in $(NESTED); do echo "go vet $$module"; go -C $$module vet ./... || exit 1; done
	go run $(STATICCHECK) ./...

vuln: ## look for known vulnerabilities in what is called; it reads the database over the network, so it is not part of ci
	go run $(GOVULNCHECK) ./...

fuzz-smoke: ## run every fuzz target for FUZZTIME
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		grep -ho '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | cut -c6- | while read -r target; do \
			echo "$$dir $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir" </dev/null; \
		done; \
	done
