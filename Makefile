# The commands people and CI use. `make help` lists them.
BUILD ?= build
JOBS ?= $(shell nproc)
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help build test demo bench soak asan tsan tidy format clean install-packages fresh

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install-packages: ## install from Debian what is missing (needs root only when something is)
	@./config/install-packages.sh

build: install-packages ## build everything into $(BUILD)/
	@cmake -S . -B $(BUILD) -G Ninja > $(BUILD).configure.log 2>&1 && mv $(BUILD).configure.log $(BUILD)/ \
	  || { cat $(BUILD).configure.log; rm -f $(BUILD).configure.log; exit 1; }
	@cmake --build $(BUILD) -j $(JOBS)

clean: ## remove the build folders
	rm -rf build build-*
