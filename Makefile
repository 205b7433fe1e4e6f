# The commands that people and CI use; `make help` lists them. Variables: ARGS='…' goes to the demo and
# to bench-agent, JOBS=n bounds what runs at once, RC_PARAMS='seed=n' repeats the property tests with another seed.
JOBS ?= $(shell nproc)
ARGS ?=
# Property tests draw from this seed, so that every run of `make test` is the same run. `make soak` draws others.
export RC_PARAMS ?= seed=4740

.DEFAULT_GOAL := help
.PHONY: help install-packages build demo test asan tsan soak nightly fuzz bench bench-agent manifests format tidy fresh clean

say = @echo "tenure: $(1)"

# $(call configure,PRESET,FOLDER): presets stand in CMakePresets.json; words only when it fails.
define configure
@mkdir -p $(2)
@cmake --preset $(1) > $(2)/configure.log 2>&1 || { cat $(2)/configure.log; exit 1; }
endef

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install-packages: ## install from Debian what is missing (needs root only when something is)
	@./config/install-packages.sh
	@./config/install-packages.sh --unpack build/packages etcd-server

build: install-packages ## build everything into build/
	$(call say,building into build/)
	$(call configure,default,build)
	@cmake --build build -j $(JOBS)

demo: install-packages ## build, then run the demo on this machine's kernel (root); flags: make demo ARGS='--seconds 20'
	$(call say,building build/tenure)
	$(call configure,default,build)
	@cmake --build build -j $(JOBS) --target tenure
	$(call say,running build/tenure demo $(ARGS))
	@build/tenure demo $(ARGS)

# Both trees are built first, then one ctest runs over both, so that the last lines are the summary of all.
test: build ## every test; what does not link CAF also under AddressSanitizer and UBSan
	$(call say,building what does not link CAF with AddressSanitizer and UBSan into build-asan/)
	$(call configure,asan-units,build-asan)
	@cmake --build build-asan -j $(JOBS)
	@mkdir -p build/all-tests
	@printf 'subdirs("%s" "%s")\n' '$(CURDIR)/build' '$(CURDIR)/build-asan' > build/all-tests/CTestTestfile.cmake
	$(call say,running all tests; property tests with RC_PARAMS='$(RC_PARAMS)')
	@ctest --test-dir build/all-tests -j $(JOBS) --output-on-failure --no-tests=error

asan: install-packages ## all tests under AddressSanitizer and UBSan
	$(call say,building everything with AddressSanitizer and UBSan into build-asan/)
	$(call configure,asan,build-asan)
	@cmake --build build-asan -j $(JOBS)
	$(call say,running all tests; property tests with RC_PARAMS='$(RC_PARAMS)')
	@ctest --test-dir build-asan -j $(JOBS) --output-on-failure --no-tests=error

# Debian's CAF is not built for ThreadSanitizer: it reports races where there are none and hides real ones.
tsan: install-packages ## the tests of what does not link CAF under ThreadSanitizer
	$(call say,building what does not link CAF with ThreadSanitizer into build-tsan/)
	$(call configure,tsan,build-tsan)
	@cmake --build build-tsan -j $(JOBS)
	$(call say,running its tests; property tests with RC_PARAMS='$(RC_PARAMS)')
	@ctest --test-dir build-tsan -j $(JOBS) --output-on-failure --no-tests=error

nightly: build ## 1,000 new seeds of the simulator's swarm on all cores, or RUNS_OF_SWARM=n; the seeds are printed
	@tests/nightly.sh build $(JOBS) $(or $(RUNS_OF_SWARM),1000)

soak: build ## nightly, then property tests with new seeds, ten minutes or SECONDS_OF_SOAK=n; each seed is printed
	@tests/soak.sh build $(JOBS) $(or $(SECONDS_OF_SOAK),600)

fuzz: install-packages ## look for hostile lines, frames and sessions with libFuzzer, a minute each or SECONDS=n
	@tests/fuzz/run.sh $(or $(SECONDS),60)

bench: build ## the benchmarks, one after the other
	@for program in build/bench/bench_*[a-z]; do echo "tenure: $$program"; "$$program" || exit 1; done
	@for heart in resolve merge; do echo "tenure: build/tenure bench $$heart"; \
	  build/tenure bench $$heart --json build/bench-$$heart.json || exit 1; done
	@echo "tenure: build/tenure bench hold"; build/tenure bench hold --json build/bench-hold.json
	@for form in ndjson blocks; do echo "tenure: build/tenure bench node --to $$form"; \
	  build/tenure bench node --to $$form --batch 5 --batch 20 --batch 50 --batch 200 --folder build --check \
	  --json build/bench-node-$$form.json || exit 1; done
	@FOLDER=build bench/node/tables.sh tls

bench-agent: build ## what the agent costs on this machine's kernel, nginx and wrk beside it (root; some minutes)
	@build/bench/agent_cost --tenure build/tenure --json build/bench-agent.json $(ARGS)

manifests: ## hold config/kubernetes against Kubernetes' own types (fetches npm packages)
	@cd tests/manifests && npm install --silent --no-audit --no-fund && node check.js ../../config/kubernetes

format: ## rewrite the sources as clang-format wants them
	@git ls-files '*.cpp' '*.hpp' '*.h' '*.c' | xargs clang-format -i

# The precompiled headers are g++'s: clang reads the headers themselves.
tidy: build ## clang-tidy over all sources (slow)
	@./config/install-packages.sh clang-tidy
	$(call say,clang-tidy; the checks and their reasons stand in .clang-tidy)
	@mkdir -p build/tidy && sed 's/-Winvalid-pch *-include [^ ]*cmake_pch.hxx//' build/compile_commands.json \
	  > build/tidy/compile_commands.json
	@git ls-files '*.cpp' | xargs -P $(JOBS) -n 1 clang-tidy -p build/tidy --quiet

fresh: ## prove the README on a bare Debian 12, made by debootstrap (root)
	@./config/install-packages.sh debootstrap
	@tests/fresh.sh

clean: ## remove the build folders
	rm -rf build build-*
