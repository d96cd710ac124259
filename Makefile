# Everything that people and CI run. `make help` lists the targets.

GO      = go
VERSION = $(shell git --no-optional-locks describe --always --dirty --tags 2>/dev/null || echo dev)

# Where Go's installer puts it, for shells that were not told.
export PATH := $(PATH):/usr/local/go/bin

# The vector kernels of package glom need Go's simd experiment; without it the scalar ones are built.
export GOEXPERIMENT = simd
# bin/glom carries VERSION instead of Go's own stamp, which fails in a checkout owned by another user.
# One set of flags for all targets, so that OpenCV's bindings are compiled once.
export GOFLAGS := $(GOFLAGS) -buildvcs=false -trimpath

# What `make run` shows; ARGS also goes to `make bench`.
export SOURCE = synthetic:demo
export OUT    =
ARGS          =
# Where `make results` finds DAVIS and other sets with a known truth, and where it writes. EVAL adds
# flags, as in EVAL='--frames 20'.
DATA          = ../shared/data
RESULTS       = docs/results.md
EVAL          =
# What `make ablation` learns from (none: painted scenes) and for how long.
STORE         =
UPDATES       = 1500
VARIANTS      = default no-attention no-top-down no-flow literal self-supervised dim-32 dim-128
ABLATION      = docs/ablation.md
SCENES        = demo sprites twotone twins occlusion pan potato
# How long `make fuzz` stays on each target.
FUZZTIME      = 10s

PACKAGES = build-essential ca-certificates pkg-config libopencv-dev libdnnl-dev \
	libavcodec-dev libavformat-dev libavutil-dev libswscale-dev libvpx-dev

# The tests of the page also want chromium, and are skipped without it: make deps PACKAGES=chromium.

# These need cgo; everything else is also tested without it and without the vector kernels.
CGO_PACKAGES = capture/(opencv|baseline)|glom/onednn|cmd

LIVEKIT      = github.com/livekit/livekit-server/cmd/server
TOOL         = $(GO) tool -modfile=tools/go.mod
GOLANGCILINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: build run test bench results ablation check help deps vet lint fmt race deadlock leak fuzz gobench livekit soak soakserve clean
.DEFAULT_GOAL = build

build: deps ## build bin/glom and bin/glomtrain (the first time takes a minute or two, for OpenCV's bindings)
	$(GO) build -ldflags '-X main.version=$(VERSION)' -o bin/glom ./cmd/glom
	$(GO) build -o bin/glomtrain ./cmd/glomtrain

run: build ## annotate a video: make run [SOURCE=video.mp4] [OUT=video.mkv] [ARGS='--level 2']
	@out=$$OUT; \
	if [ -z "$$out" ]; then \
		name=$${SOURCE%%\?*}; name=$$(basename -- "$${name#synthetic:}" | tr -c '[:alnum:]._ \n-' _); \
		case $$name in *.*) name=$${name%.*};; -) name=stdin;; esac; \
		out=out/$$name.mkv; mkdir -p out; \
	fi; \
	bin/glom process "$$SOURCE" -o "$$out" -y --level 3 $(ARGS) && echo "the annotated video is $$out"

test: deps ## run all tests, then those of the packages without cgo in pure Go
	$(GO) test -timeout 20m ./...
	GOEXPERIMENT= CGO_ENABLED=0 $(GO) test $$($(GO) list ./... | grep -vE '/($(CGO_PACKAGES))(/|$$)')

bench: build ## measure the whole program: frames per second, memory, the settling step
	bin/glom bench $(ARGS)

results: build ## measure all levels against known truths, beside other methods and without learned weights; writes docs/results.md, numbers in out/
	@sets=; for d in davis-dev bsds-dev pascal-parts; do [ ! -d "$(DATA)/$$d" ] || sets="$$sets $(DATA)/$$d"; done; \
	[ -n "$$sets" ] || echo "make: no davis-dev, bsds-dev or pascal-parts in $(DATA) (DATA=…): synthetic scenes only" >&2; \
	mkdir -p out $(dir $(RESULTS))plots; \
	bin/glom eval $$sets $(SCENES:%=synthetic:%) synthetic:lock --baselines -y $(EVAL) \
		--report $(RESULTS) --json out/results.json --plots $(dir $(RESULTS))plots >/dev/null && \
	bin/glom eval $$sets $(SCENES:%=synthetic:%) synthetic:lock --weights none -y $(EVAL) \
		--report out/unlearned.md --json out/results-unlearned.json >/dev/null && \
	{ echo; sed '1s/.*/# Results without learned weights/' out/unlearned.md; } >>$(RESULTS)
	@[ ! -f $(dir $(RESULTS))ablation.md ] || { printf '\n# What each piece is worth\n\nEach trained anew, alike but for one thing: [ablation.md](ablation.md).\n\n'; \
		sed -n '/^| variant/,/^$$/p' $(dir $(RESULTS))ablation.md; } >>$(RESULTS)
	@echo "the results are in $(RESULTS)"

ablation: build ## train the model anew without one piece at a time, and measure: make ablation STORE=store.clips [UPDATES=1500]; see bench/ablation
	@[ -d "$(DATA)/davis-dev" ] || { echo "make: no davis-dev in $(DATA) (DATA=…)" >&2; exit 1; }
	UPDATES=$(UPDATES) VARIANTS="$(VARIANTS)" bench/ablation/train $(STORE)
	@for v in $(VARIANTS); do \
		echo "make: measuring $$v"; \
		bin/glom eval $(DATA)/davis-dev --weights out/ablation/$$v.safetensors -y $(EVAL) --json out/ablation/$$v.json >/dev/null || exit; \
	done
	$(GO) run ./cmd/ablation -o $(ABLATION) $(VARIANTS) && echo "the comparison is in $(ABLATION)"

check: test vet lint race deadlock leak fuzz build ## run every check

help: ## list the targets
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 17

deps: ## install the Debian packages that are missing, check Go's version
	@missing=; for p in $(PACKAGES); do \
		[ "$$(dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] || { \
		command -v apt-get >/dev/null || { echo "make: no apt-get here: install by hand what Debian calls:$$missing" >&2; exit 1; }; \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=$$(command -v sudo) || { \
			echo "make: neither root nor sudo: as root, run: apt-get install --no-install-recommends$$missing" >&2; exit 1; }; \
		echo "make: installing$$missing"; \
		$$sudo apt-get -q update && \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $$missing; \
	}
	@v=$$(GOEXPERIMENT= $(GO) env GOVERSION 2>/dev/null | grep -oE '[0-9]+\.[0-9]+' | head -1); \
	[ "$$(printf '%s\n' 1.26 "$${v:-0}" | sort -V | head -1)" = 1.26 ] || { \
		echo "make: Go 1.26 or newer is needed, found $${v:-none}: see https://go.dev/dl" >&2; exit 1; }

vet: deps ## run go vet
	$(GO) vet ./...

lint: deps ## check format and style with gofumpt, staticcheck and golangci-lint
	@files=$$($(TOOL) gofumpt -l .) || exit 1; \
	[ -z "$$files" ] || { echo "not formatted (make fmt):"; echo "$$files"; exit 1; }
	$(TOOL) staticcheck ./...
	$(GO) run $(GOLANGCILINT) run ./...

fmt: ## format the code
	$(TOOL) gofumpt -w .

# The detector's pointer checks make each vector load two calls, and the kernels hundreds of times slower.
race: deps ## run the tests under the race detector, without the longest
	$(GO) test -race -short -timeout 30m '-gcflags=./glom/...=-d=checkptr=0' ./...

deadlock: deps ## run the tests of what serves with mutexes that find deadlocks
	tools/deadlock

leak: deps ## count OpenCV's matrices: none may be left
	$(GO) test -tags matprofile ./capture/opencv/...

# Up to 1.26 Go's fuzzer may report its own time-out as a failure, without an input (golang/go#75804).
fuzz: deps ## try each fuzz target for FUZZTIME
	@targets=$$(grep -roE --include='*_test.go' '^func Fuzz\w+' . | sed -E 's|/[^/]+:func |:|' | sort); \
	[ -n "$$targets" ] || { echo "make: no fuzz target found" >&2; exit 1; }; \
	for t in $$targets; do \
		echo "make: fuzzing $$t"; \
		for try in 1 2 3; do \
			status=0; log=$$($(GO) test -run '^$$' -fuzz "^$${t#*:}\$$" -fuzztime $(FUZZTIME) "$${t%:*}" 2>&1) || status=$$?; \
			case $$status$$log in \
				0* | *"Failing input"*) break;; \
				*"context deadline exceeded"*) echo "make: timed out, once more";; \
				*) break;; \
			esac; \
		done; \
		[ $$status = 0 ] || { echo "$$log"; exit 1; }; \
		echo "$$log" | tail -3; \
	done

gobench: deps ## run the Go benchmarks
	$(GO) test -run '^$$' -bench . ./...

# Without cgo, as its makers build it. What is not in the module cache is fetched first, to tell a missing
# network, which is no fault of the program's, from all others.
livekit: build ## publish to a LiveKit server and watch there (the first time builds it, two minutes; skipped if it cannot be downloaded)
	@export GOEXPERIMENT= CGO_ENABLED=0; cd bench/livekit && \
	log=$$($(GO) list -deps -test . $(LIVEKIT) 2>&1 >/dev/null) || { \
		echo "$$log" >&2; \
		echo "$$log" | grep -qE '(reading|Get) "?https?://|dial tcp|disabled by GOPROXY' || exit 1; \
		echo "make: SKIPPED: LiveKit cannot be downloaded here, so nothing was published to it" >&2; exit 0; \
	} && \
	$(GO) build -o ../../bin/livekit-server $(LIVEKIT) && \
	$(GO) test -count=1 -v -timeout 6m .

soak: build ## annotate 10,000 frames and watch the memory (KiB resident): it must stay flat, under 400 MB
	@mkdir -p out; bin/glom process 'synthetic:demo?frames=10000' -o out/soak.mkv -y --level 3 >out/soak.log 2>&1 & pid=$$!; \
	trap 'kill $$pid 2>/dev/null' EXIT INT TERM; early=0; n=0; \
	while sleep 5; rss=$$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' /proc/$$pid/status 2>/dev/null); [ -n "$$rss" ]; do \
		n=$$((n + 1)); echo "$$((5 * n))s: $$rss"; \
		if [ $$n -le 6 ]; then [ $$rss -le $$early ] || early=$$rss; \
		elif [ $$rss -gt $$((early + early / 10)) ]; then echo "make: memory grows: $$early in the first 30s, now $$rss" >&2; exit 1; fi; \
		[ $$rss -le 400000 ] || { echo "make: over 400 MB" >&2; exit 1; }; \
	done; \
	wait $$pid || { tail -3 out/soak.log >&2; exit 1; }

soakserve: deps ## serve for ten minutes while viewers come and go: memory, goroutines and files must stay as they are
	GLOM_SOAK=10m $(GO) test -count=1 -v -timeout 20m -run TestSoakServe ./cmd/glom

clean: ## delete what was built
	rm -rf bin out
