# Targets for people are listed by `make help`; build-… at the end are what `sam build` calls.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

FUNCTIONS := get-organization update-organization
BOOTSTRAPS := $(FUNCTIONS:%=build/%/bootstrap)
SAM_FUNCTIONS := GetOrganizationFunction UpdateOrganizationFunction # as template.yaml names them

# The processor of the deployed functions: the template's parameter Architecture, as DEPLOY_FLAGS or samconfig.toml
# set it, or its default. sam tells make nothing of parameters.
ARCHITECTURE := $(or $(firstword $(patsubst Architecture=%,%,$(filter Architecture=%,$(DEPLOY_FLAGS)))),$(shell sed -n \
	's/^parameter_overrides.*[ "]Architecture=[\\"]*\([a-z0-9_]*\).*/\1/p' samconfig.toml | sort -u),arm64)
ifeq ($(filter $(ARCHITECTURE),arm64 x86_64),)
$(error Architecture is '$(ARCHITECTURE)' in DEPLOY_FLAGS or samconfig.toml, want arm64 or x86_64, everywhere the same)
endif
DEPLOYED_ARCH := $(ARCHITECTURE:x86_64=amd64)

# What make builds for, by Go's name of it. `make build ARCH=amd64` is for a machine to run the functions on, not to
# deploy.
ARCH := $(DEPLOYED_ARCH)

# All is built without a C library, so that it runs on any Linux, and without paths of this machine. Go compiles a
# package once for the functions, the command and the tests, as all are built alike.
export CGO_ENABLED := 0
export GOFLAGS := $(filter-out -trimpath,$(shell go env GOFLAGS)) -trimpath
# Tests alone use libopenapi, whose generic types take most of the time that compiling takes. Without inlining and
# without debug information they take two thirds of it. A compiler that collects garbage less often takes an eighth less
# for all packages.
lint test test-race: export GOFLAGS += '-gcflags=github.com/pb33f/...=-l -dwarf=false' '-toolexec=env GOGC=400'

# No RPC server of Lambda's old runtime, no HTTP/2, which neither the Runtime API nor DynamoDB speaks, no symbols: what
# starts fastest.
BUILD_FUNCTION = GOOS=linux GOARCH=$(ARCH) go build -buildvcs=false -ldflags '-s -w' -tags lambda.norpc,nethttpomithttp2

ADDR ?= 127.0.0.1:8080
STORE ?= sqlite:.orgs/orgs.db
SERVE_FLAGS ?=
TEST_FLAGS ?=
# SQLite's C code, translated to Go, is not watched for races: it is not ours, and takes three times as long if it is.
RACE := -race -gcflags='modernc.org/...=-race=false'
export KEY ?= YOUR_API_KEY
STACK ?= organizations-api
ENDPOINT ?=
REPORT := $(CURDIR)/build/contract
TARGET ?= http://127.0.0.1:8080
# Keys go to commands by the environment alone: every user of a machine can see the arguments of its processes.
export ADMIN_KEY ?=
export READ_KEY ?=
export OTHER_KEY ?=
OPERATOR ?=
DEPLOY_FLAGS ?=
VULNDB ?= https://vuln.go.dev
ORGANIZATIONS ?= 100000
COUNTS ?= 100 10000 1000000
BENCHMARKS := ./functions/internal/boot ./shared/...

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build/orgs ## Run the API here, with a demo organization (ADDR=127.0.0.1:8080 STORE=sqlite:PATH SERVE_FLAGS=--open)
	@exec build/orgs serve --addr $(ADDR) --store $(STORE) $(SERVE_FLAGS)

# The packages whose tests need only Go, npm and Java. docs, docs/examples, contracttests/template and
# contracttests/browser have targets of their own, as they need more.
# The first ones take longest, and others run beside them.
TESTED = ./shared/store/dynamo ./contracttests ./cmd/orgs ./functions/internal/boot ./shared/store/sqlite \
	$$(go list ./... | grep -v -e '/contracttests/template$$' -e '/docs/examples$$' -e '/docs$$')
# The packages that the race detector watches: all but those that only judge what they are given, which take minutes to
# compile for it.
RACED = ./shared/store/... ./contracttests ./functions/... ./cmd/... ./shared/... ./local/... ./bench/... \
	./contracttests/harness/... ./contracttests/live ./contracttests/attacks ./contracttests/linearizability
# One DynamoDB Local for all packages; with every case ./shared/store/dynamo has another one. Each line of the output is
# a package that is done. Of samples, twice as many packages as processors run at once, as the longest ones mostly wait.
# Of every case they do not: some keep a server as busy as it can be.
GOTEST = go run ./shared/store/dynamo/dynamotest/withdynamodb \
	go tool -modfile=tools/go.mod gotestsum --format pkgname --format-hide-empty-pkg -- -vet=off
MORE_AT_ONCE = -p $$(( 2 * $$(getconf _NPROCESSORS_ONLN) ))
# What failed is printed with all that it contains, of which most passed.
FAILURES = | grep --line-buffered -v -e '^ *--- PASS'

SEED ?= $(shell date +%s)
SAMPLES ?= -short

.PHONY: test
test: ## Run the tests, on SQLite and on DynamoDB Local (SEED=N repeats a run's samples; SAMPLES= tries every case)
	@echo "Testing $$(go list $(TESTED) | wc -l) packages; a line for each that is done. Compiling them takes minutes the first time."
	@$(if $(SAMPLES),echo 'The samples are by the seed $(SEED): make test SEED=$(SEED) tries the same ones.')
	@ORGS_TEST_SEED=$(SEED) CONTRACT_REPORT=$(REPORT) $(GOTEST) $(if $(SAMPLES),$(SAMPLES) $(MORE_AT_ONCE)) \
		-timeout 40m $(TEST_FLAGS) $(TESTED) $(FAILURES)
	@cat $(REPORT)/report.txt

.PHONY: test-race
test-race: ## Run samples of the tests under the race detector (SEED=N repeats a run's samples)
	@CGO_ENABLED=1 ORGS_TEST_SEED=$(SEED) $(GOTEST) $(RACE) -short $(MORE_AT_ONCE) \
		-timeout 40m $(TEST_FLAGS) $(RACED) $(FAILURES)

# What the browser tests need beside Chromium: the judge of accessibility, and the SHA-256 of it.
AXE_VERSION := 4.14.1
AXE_SHA256 := 29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
AXE := .cache/axe-core-$(AXE_VERSION)/node_modules/axe-core/axe.min.js

.PHONY: test-browser
test-browser: build/orgs $(AXE) ## Test the pages in Chromium, and leave pictures of them in build/screenshots
	@test -n "$${CHROMIUM:-}" || command -v chromium chromium-browser google-chrome >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -q -y --no-install-recommends chromium; } \
		|| { echo 'Install the package chromium, or name a Chromium in CHROMIUM.'; exit 1; }
	@rm -rf build/screenshots
	cd contracttests/browser && ORGS='$(CURDIR)/build/orgs' AXE='$(CURDIR)/$(AXE)' SCREENSHOTS='$(CURDIR)/build/screenshots' go test -count=1 -timeout 20m ./...
	@echo 'The pictures are in build/screenshots'

$(AXE):
	npm install --silent --no-audit --no-fund --ignore-scripts --no-save --prefix .cache/axe-core-$(AXE_VERSION) axe-core@$(AXE_VERSION)
	@echo '$(AXE_SHA256)  $@' | sha256sum --check --quiet || { rm -f $@; exit 1; }

# SAM's translator and cfn-lint are Python. Without a python3 that has them, they are installed for this target alone.
TEMPLATE_PYTHON := .cache/template
.PHONY: test-template
test-template: ## Translate the templates as AWS does, over sets of parameters, and lint what comes out; needs python3
	@python3 -c 'import samtranslator, cfnlint' 2>/dev/null || $(TEMPLATE_PYTHON)/bin/python3 -c 'import samtranslator, cfnlint' 2>/dev/null || \
		{ python3 -m venv --clear $(TEMPLATE_PYTHON) && $(TEMPLATE_PYTHON)/bin/pip install --quiet --retries 1 --timeout 10 -r contracttests/template/requirements.txt; } || \
		echo 'aws-sam-translator and cfn-lint could not be installed.'
	go test ./contracttests/template -count=1 -timeout 20m -v | grep -v -e '^=== ' -e '--- PASS'

.PHONY: contract
contract: build/orgs ## Test the API at a URL (ADMIN_KEY=sk_… READ_KEY=… OTHER_KEY=… make contract TARGET=URL; or OPERATOR=1 STORE=…)
	@build/orgs contract '$(TARGET)' --report $(REPORT) $(if $(V),--verbose) $(if $(OPERATOR),--as-operator --store '$(STORE)')

.PHONY: contract-report
contract-report: ## Write what the contract tests cover and catch as a page, build/contract/report.html
	@mkdir -p $(REPORT)
	go test ./contracttests/mutants -count=1 -timeout 30m -run '^TestMutants$$' -mutants.json $(REPORT)/mutants.json
	go test ./contracttests -count=1 -timeout 30m -run '^TestSuite$$' -contract.report $(REPORT) -contract.mutants $(REPORT)/mutants.json
	@cat $(REPORT)/report.txt
	@echo 'The page is $(REPORT)/report.html'

.PHONY: mutants
mutants: ## Run the contract tests against services that are wrong on purpose, and list what catches each (ALL=1: and what alone does)
	@go test ./contracttests/mutants -count=1 -timeout 2h -run '^TestMutants$$' -v $(if $(ALL),-mutants.all) | grep -v -e '^=== ' -e '--- PASS'

NAME ?=
FOR ?= 0s

.PHONY: mutants-code
mutants-code: ## Make deliberate faults in a copy of the code, and run the test that must catch each (NAME=expression FOR=3m)
	@go run ./contracttests/codemutants -run '$(NAME)' -for $(FOR)

.PHONY: generate
generate: ## Make the example clients again from openapi.yaml
	go tool -modfile=tools/go.mod oapi-codegen -config docs/examples/go/oapi-codegen.yaml -o docs/examples/go/organizations/client.gen.go \
		shared/openapi/openapi.yaml
	cd docs/examples/typescript && npm ci --no-audit --no-fund && npm run generate

.PHONY: test-quick
test-quick: ## Run the tests that need only Go, neither npm nor Java
	go test ./shared/organization ./shared/apikey ./shared/strictjson ./shared/base62 ./shared/api ./shared/lambdahttp ./local/apigateway \
		./shared/telemetry ./shared/store/sqlite

.PHONY: test-docs
test-docs: ## Run every command of the README and docs that needs no account, in a fresh clone
	go test -count=1 -timeout 20m ./docs

.PHONY: newcomer
newcomer: ## Time a newcomer's first two commands in a fresh clone: the first answer, the first green tests
	@docs/newcomer.sh

.PHONY: test-examples
test-examples: ## Run the example clients against a gateway; needs npm
	go test -count=1 ./docs/examples

.PHONY: backup-check
backup-check: ## Take ORGANIZATIONS=100000 from SQLite to DynamoDB Local and back, killing every command on the way
	go test ./cmd/orgs -count=1 -timeout 2h -run '^TestBackupBetweenEngines$$' -v -backup.organizations $(ORGANIZATIONS) | grep -v '^=== '

.PHONY: bench-growth
bench-growth: ## Measure latency by the number of organizations (COUNTS="100 10000 1000000"); keeps stores in build/growth
	@mkdir -p build/bench
	go test ./bench -count=1 -timeout 6h -run '^TestGrowth$$' -v -growth.counts '$(COUNTS)' -growth.sqlite 20000 \
		-growth.dynamodb 5000 -growth.data $(CURDIR)/build/growth -growth.out $(CURDIR)/build/bench | grep -v '^=== '

.PHONY: lint
lint: ## Check formatting, modules, and what go vet, staticcheck and govulncheck find
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not gofmt-clean: $$unformatted"; exit 1; }
	go mod tidy -diff
	cd tools && go mod tidy -diff
	cd contracttests/browser && go mod tidy -diff && go vet ./... && go tool -modfile=../../tools/go.mod staticcheck ./...
	go mod verify
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...
	@$(MAKE) --no-print-directory vulncheck

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in what is called (VULNDB=URL), where the database can be reached
	@if curl -fsS --max-time 10 -o /dev/null '$(VULNDB)/index/db.json' 2>/dev/null; \
	then echo govulncheck ./...; go tool -modfile=tools/go.mod govulncheck -db '$(VULNDB)' ./...; \
	else echo 'The vulnerability database $(VULNDB) cannot be reached: known vulnerabilities were not looked for'; fi

.PHONY: build
build: $(BOOTSTRAPS) build/orgs ## Build a static bootstrap for each function, and the orgs command

.PHONY: check
check: lint build test test-race test-template test-examples test-docs test-browser test-docker ## Everything that CI does
check: SAMPLES :=

.PHONY: clean
clean: ## Remove what was built and downloaded; the local store stays
	rm -rf build .cache .aws-sam

.PHONY: bench
bench: ## Measure the functions against a bare one: one table of ratios, and build/bench/bench.json
	go run ./bench -json build/bench/bench.json

.PHONY: bench-go
bench-go: ## Run the Go benchmarks and compare them with the first working version
	@mkdir -p build/bench
	go test -run '^$$' -bench . -benchtime 300ms -count 6 $(BENCHMARKS) | tee build/bench/go.txt
	go tool -modfile=tools/go.mod benchstat first=bench/testdata/baseline.txt now=build/bench/go.txt

FUZZTIME ?= 30s
FUZZ_TARGETS := contracttests/attacks:FuzzEventBytes contracttests/attacks:FuzzEvent contracttests/attacks:FuzzAuthorization contracttests/attacks:FuzzBody \
	shared/apikey:FuzzParse shared/strictjson:FuzzParse shared/organization:FuzzApply

.PHONY: fuzz
fuzz: ## Have Go look for inputs that break something (FUZZTIME=30s for each target)
	@for target in $(FUZZ_TARGETS); do \
		echo "$$target"; \
		go test ./$${target%:*} -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(FUZZTIME) | sed -e '/new interesting/!{/^fuzz/d}'; \
	done

.PHONY: faults
faults: ## Run the tests of faults in large and print their figures: 1,000,000 events, 10,000 requests on each store, 50 kills
	@go test ./contracttests/attacks -count=1 -timeout 30m -run '^TestFuzzedEvents$$' -v -fuzzed 1000000 | grep -v -e '^=== '
	@go test ./contracttests/linearizability -count=1 -timeout 30m -v -histories.operations 10000 | grep -v -e '^=== '
	@go test ./cmd/orgs -count=1 -timeout 30m -run '^TestKilledGateway$$' -v -kills 50 | grep -v -e '^=== '
	@go test ./functions/internal/boot -count=1 -run 'MeetFaults|Doubt|TimeBudget' -v | grep -e '^--- ' -e '^ok' -e FAIL

SOAK ?= 300s

.PHONY: soak
soak: ## Keep a gateway on each store busy (SOAK=300s), and check that its memory, files and goroutines do not grow
	go run ./shared/store/dynamo/dynamotest/withdynamodb go test ./cmd/orgs -count=1 -timeout 2h -run '^TestSoak$$' -v -soak $(SOAK) \
		| grep -v -e '^=== '

.PHONY: load
load: ## Put the gateway under load, on SQLite and with the built functions; figures and plots go to build/load
	@mkdir -p build/load
	go test ./cmd/orgs -count=1 -timeout 30m -run '^TestLoad$$' -v -load.most 64 -load.duration 5s -load.out $(CURDIR)/build/load

# On the command line --parameter-overrides replaces that of samconfig.toml, and what it does not name keeps the value
# of the deployment before: a stack could get programs for another processor, or stay in its emergency.
EMERGENCY ?=
EMERGENCY_FLAGS := --parameter-overrides Architecture=$(ARCHITECTURE) Emergency=on
.PHONY: deploy
deploy: ## Build and deploy to AWS with sam (DEPLOY_FLAGS=--guided the first time; EMERGENCY=1: at once, unguarded)
	@case '$(DEPLOY_FLAGS)' in \
		*--parameter-overrides*Architecture=*Emergency=*|*--parameter-overrides*Emergency=*Architecture=*) \
			test -z '$(EMERGENCY)' || { echo 'EMERGENCY=1 takes no --parameter-overrides'; exit 1; };; \
		*--parameter-overrides*) echo 'Name Architecture and Emergency too in --parameter-overrides.'; exit 1;; \
	esac
	sam build
	@$(MAKE) --no-print-directory check-package
	sam deploy $(DEPLOY_FLAGS) $(if $(EMERGENCY),$(EMERGENCY_FLAGS))

# What sam build leaves must be one program for each function, for the processor that is deployed. deploy refuses all
# else.
PACKAGES ?= .aws-sam/build
.PHONY: check-package
check-package:
	@test -f '$(PACKAGES)/template.yaml' || { echo '$(PACKAGES) has no template.yaml: sam build did not end well'; exit 1; }
	@for function in $(SAM_FUNCTIONS); do \
		folder='$(PACKAGES)'/$$function; \
		found=$$(cd "$$folder" && find . -mindepth 1 | sort | tr '\n' ' '); \
		test "$$found" = './bootstrap ' || { echo "$$folder has $$found, want bootstrap alone"; exit 1; }; \
		test -x "$$folder/bootstrap" || { echo "$$folder/bootstrap cannot be run"; exit 1; }; \
		go version -m "$$folder/bootstrap" 2>/dev/null | grep -qE '\sGOARCH=$(DEPLOYED_ARCH)$$' || \
			{ echo "$$folder/bootstrap is no program for $(ARCHITECTURE)"; exit 1; }; \
	done

# In sam local a table's name is not known: a reference to it is the resource's name in the template.
define SAM_ENVIRONMENT
	@mkdir -p build
	@printf '{"Parameters": {"ORGANIZATIONS_TABLE": "%s-organizations", "COUNTERS_TABLE": "%s-counters", "AWS_ENDPOINT_URL_DYNAMODB": "%s"}}\n' \
		'$(STACK)' '$(STACK)' '$(ENDPOINT)' > build/sam-local.json
endef

define INVOKE
	$(SAM_ENVIRONMENT)
	@awk '{ gsub("YOUR_API_KEY", ENVIRON["KEY"]); print }' events/$(1).json | sam local invoke $(2) --env-vars build/sam-local.json --event -
endef

.PHONY: start-api
start-api: ## Run the API in sam local, after sam build (STACK=organizations-api ENDPOINT=URL)
	$(SAM_ENVIRONMENT)
	sam local start-api --env-vars build/sam-local.json

.PHONY: invoke-get
invoke-get: ## Run GET in sam local, after sam build (KEY=sk_… in the environment; STACK=organizations-api ENDPOINT=URL)
	$(call INVOKE,get,GetOrganizationFunction)

.PHONY: invoke-update
invoke-update: ## Run PATCH in sam local, after sam build (KEY=sk_… in the environment; STACK=organizations-api ENDPOINT=URL)
	$(call INVOKE,update,UpdateOrganizationFunction)

# Binaries of orgs for people who have no Go. The same commit gives the same files.
DIST := build/dist
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
.PHONY: dist
dist: build/orgs ## Build orgs for Linux, macOS and Windows, its manual pages, and their checksums, in build/dist
	@rm -rf $(DIST) && mkdir -p $(DIST)
	@for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/}; \
		test $$os = windows && end=.exe || end=; \
		echo "$(DIST)/orgs-$$os-$$arch$$end"; \
		GOOS=$$os GOARCH=$$arch go build -ldflags '-s -w' -o "$(DIST)/orgs-$$os-$$arch$$end" ./cmd/orgs; \
	done
	@rm -rf build/man && build/orgs man build/man
	@tar --create --gzip --file $(DIST)/orgs-man.tar.gz --directory build --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner man
	@cd $(DIST) && sha256sum orgs-* >SHA256SUMS && cat SHA256SUMS

# No container engine is needed: the linter reads the file alone.
DOCKERFILELINT := .cache/dockerfilelint-1.8.0/node_modules/.bin/dockerfilelint
.PHONY: test-docker
test-docker: $(DOCKERFILELINT) ## Lint the Dockerfile; needs npm
	$(DOCKERFILELINT) Dockerfile

$(DOCKERFILELINT):
	npm install --silent --no-audit --no-fund --ignore-scripts --no-save --prefix .cache/dockerfilelint-1.8.0 dockerfilelint@1.8.0

.PHONY: pictures
pictures: build/orgs ## Make the pictures of the README from the running product; needs Chromium and curl, and ADDR free
	@mkdir -p docs/pictures
	cd contracttests/browser && go run ./pictures -orgs '$(CURDIR)/build/orgs' -out '$(CURDIR)/docs/pictures' -addr $(ADDR)

# go build knows better than make what is up to date.
.PHONY: $(BOOTSTRAPS) build/orgs
$(BOOTSTRAPS): build/%/bootstrap:
	$(BUILD_FUNCTION) -o $@ ./functions/$*

build/orgs:
	@echo 'Building orgs; this takes a minute the first time.'
	@go build -o $@ ./cmd/orgs

# The benchmarks build a package as the functions are built; BUILD_FLAGS change what they compare.
.PHONY: build-variant
build-variant:
	$(BUILD_FUNCTION) $(BUILD_FLAGS) -o '$(OUT)' '$(PACKAGE)'

# sam calls these by the logical ids of template.yaml, in this folder, with nothing but ARTIFACTS_DIR.
.PHONY: build-GetOrganizationFunction build-UpdateOrganizationFunction
build-GetOrganizationFunction: FUNCTION := get-organization
build-UpdateOrganizationFunction: FUNCTION := update-organization
build-GetOrganizationFunction build-UpdateOrganizationFunction:
	$(BUILD_FUNCTION) -o '$(ARTIFACTS_DIR)/bootstrap' ./functions/$(FUNCTION)
