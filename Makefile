# gradcheckd: build, tests, demo. `make help` lists the targets; everything made lands in $(BUILD).

BUILD   ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
VERSION := $(shell cat VERSION)

# Sanitizer builds live in folders of their own: see asan, ubsan and tsan below.
SANITIZE ?=
WERROR   ?= $(if $(CI),-Werror)

CPPFLAGS += -Iinclude -I. -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L -DGCK_VERSION='"$(VERSION)"' -MMD -MP
# -ffp-contract=off: a seed and a check give the same bits whether or not the compiler could fuse a multiply and an add.
CFLAGS   += -std=c17 -O2 -g -ffp-contract=off -fno-omit-frame-pointer -pthread \
            -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla $(WERROR) \
            $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all,-D_FORTIFY_SOURCE=2 -fstack-protector-strong)
LDFLAGS  += -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE))

# Deferred, so that a fresh machine can parse this file before the packages are there.
BLAS_CFLAGS = $(shell pkg-config --cflags openblas)
BLAS_LIBS   = $(shell pkg-config --libs openblas) -lm
NET_LIBS    = $(shell pkg-config --libs libmicrohttpd jansson gnutls sqlite3 libzip)
CHECK_LIBS  = $(shell pkg-config --libs check)
CLIENT_LIBS = $(shell pkg-config --libs libcurl jansson libzip)

CORE_SOURCES   := $(wildcard core/*.c)
SERVER_SOURCES := $(filter-out server/main.c,$(wildcard server/*.c))
CORE_LIB       := $(BUILD)/libgradcheck.a
# Programs are linked against a library of a major version; before 1.0 each minor one is its own.
CORE_ABI       := $(basename $(VERSION))
CORE_SHARED    := $(BUILD)/libgradcheck.so
SERVER_LIB     := $(BUILD)/libserver.a
DAEMON         := $(BUILD)/gradcheckd
CLIENT_SOURCES := $(wildcard client/*.c)
CLIENT         := $(BUILD)/gradcheck

object = $(patsubst %.c,$(BUILD)/%.o,$(1))

TEST_SOURCES := $(wildcard tests/core/test_*.c tests/server/test_*.c tests/system/test_*.c)
TESTS        := $(patsubst %.c,$(BUILD)/%,$(TEST_SOURCES))
CORE_HELPERS   := $(filter-out $(TEST_SOURCES),$(wildcard tests/core/*.c))
SERVER_HELPERS := $(filter-out $(TEST_SOURCES),$(wildcard tests/server/*.c))
SYSTEM_HELPERS := $(filter-out $(TEST_SOURCES),$(wildcard tests/system/*.c))
# Preloaded into the daemon to make its calls fail; a sanitizer with an allocator of its own keeps that.
SHIM    := $(BUILD)/tests/faults/shim.so
EXAMPLES := $(BUILD)/examples/claims/logistic $(BUILD)/examples/probe/check
PROBES   := $(BUILD)/tests/probe/functions
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: deps-build ## build the daemon and the command line
	@$(MAKE) --no-print-directory $(DAEMON) $(CLIENT) $(CORE_SHARED)

demo: deps-demo ## main job: check and train the examples through the daemon
	@$(MAKE) --no-print-directory $(DAEMON) $(CLIENT)
	scripts/demo $(DAEMON)

run: all ## leave a daemon on 127.0.0.1:8080
	$(DAEMON) --listen 127.0.0.1:8080

check: deps-test ## build and run all tests
	@$(MAKE) --no-print-directory tests
	BUILD=$(BUILD) scripts/run-tests $(TESTS)

tests: $(DAEMON) $(CLIENT) $(SHIM) $(TESTS) $(EXAMPLES) $(PROBES)

asan: deps-test ## all tests under the address and undefined behaviour sanitizers
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/asan SANITIZE=address,undefined

ubsan: deps-test ## all tests under the undefined behaviour sanitizer alone
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/ubsan SANITIZE=undefined

# The core has no threads: its tests would only take their time.
tsan: deps-test ## the daemon's tests under the thread sanitizer
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/tsan SANITIZE=thread \
		TESTS="$(patsubst %.c,$(BUILD)/tsan/%,$(wildcard tests/server/test_*.c tests/system/test_*.c))"

lint: deps-lint ## layout, static analysis, banned calls
	scripts/lint

check-layers: all ## the levels of docs/architecture.md, by includes and by symbols
	scripts/check-layers $(BUILD)

FUZZ_SECONDS ?= 600
fuzz: deps-fuzz ## run each fuzz target for FUZZ_SECONDS (600)
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined fuzzers
	scripts/fuzz $(BUILD)/fuzz $(FUZZ_SECONDS)

fuzzers: $(FUZZERS)

STATISTICS := $(addprefix $(BUILD)/tests/core/test_random_,formula right wrong kinks)
statistics: deps-test ## random networks by the thousand: the counts of docs/numerics.md
	@$(MAKE) --no-print-directory $(STATISTICS)
	export RANDOM_NETWORKS=long CK_TIMEOUT_MULTIPLIER=1000; failed=0; \
	for program in $(STATISTICS); do $$program || failed=1; done; exit $$failed

SOAK_ROUNDS ?= 200
soak: deps-test ## kill -9 SOAK_ROUNDS (200) times under load: the figures of docs/reliability.md
	@$(MAKE) --no-print-directory $(DAEMON) $(BUILD)/tests/system/test_crash
	BUILD=$(BUILD) CRASH_ROUNDS=$(SOAK_ROUNDS) CK_TIMEOUT_MULTIPLIER=100 $(BUILD)/tests/system/test_crash

statistics-claims: deps-claims ## claims of PyTorch and of textbooks by the thousand, likewise
	@$(MAKE) --no-print-directory $(BUILD)/tests/claims/judge
	tests/claims/evidence $(BUILD)/tests/claims/judge 1000

bench-findings: deps-test ## known mistakes in hundreds of networks: the tables of docs/findings.md
	@$(MAKE) --no-print-directory $(BUILD)/tests/core/test_finding_kinds
	FINDINGS=long CK_TIMEOUT_MULTIPLIER=1000 $(BUILD)/tests/core/test_finding_kinds

BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,engine load read fill)
bench: deps-bench ## measure engine, daemon, rivals; BENCH_QUICK=1: in short; BENCH_ONLY=C,D: parts
	@$(MAKE) --no-print-directory $(DAEMON) $(CLIENT) $(BENCH_PROGRAMS)
	bench/run $(BUILD)

deps-%:
	@scripts/install-deps $*

PREFIX ?= /usr/local
install: all ## install both programs and the library (DESTDIR, PREFIX)
	install -D -m 755 $(DAEMON) $(DESTDIR)$(PREFIX)/bin/gradcheckd
	install -D -m 755 $(CLIENT) $(DESTDIR)$(PREFIX)/bin/gradcheck
	install -D -m 644 docs/gradcheck.1 $(DESTDIR)$(PREFIX)/share/man/man1/gradcheck.1
	install -D -m 644 docs/gradcheckd.8 $(DESTDIR)$(PREFIX)/share/man/man8/gradcheckd.8
	install -D -m 644 client/gradcheck.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/gradcheck
	install -D -m 644 $(CORE_LIB) $(DESTDIR)$(PREFIX)/lib/libgradcheck.a
	install -D -m 755 $(CORE_SHARED) $(DESTDIR)$(PREFIX)/lib/libgradcheck.so.$(CORE_ABI)
	ln -sf libgradcheck.so.$(CORE_ABI) $(DESTDIR)$(PREFIX)/lib/libgradcheck.so
	install -d $(DESTDIR)$(PREFIX)/include/gradcheck $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 include/gradcheck/*.h $(DESTDIR)$(PREFIX)/include/gradcheck
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' scripts/gradcheck.pc.in \
	    >$(DESTDIR)$(PREFIX)/lib/pkgconfig/gradcheck.pc

clean: ## remove everything made
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

# The core's loops are worth -O3. Kernels are compiled once for each instruction set, which is picked at run time. No
# fast-math: a NaN stays one.
$(BUILD)/core/%.o: FLAGS = -O3 -fPIC $(BLAS_CFLAGS)
KERNEL_FLAGS := -O3 -fPIC -fno-math-errno -fno-trapping-math -fopenmp-simd
kernels      := $(BUILD)/core/kernels_
$(kernels)generic.o $(kernels)avx2.o $(kernels)avx512.o: FLAGS = $(KERNEL_FLAGS)
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
$(kernels)avx2.o: FLAGS = $(KERNEL_FLAGS) -mavx2 -mfma
$(kernels)avx512.o: FLAGS = $(KERNEL_FLAGS) -mavx512f -mavx512dq -mavx512vl -mavx512bw -mprefer-vector-width=512 -mfma
endif

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS) -c $< -o $@

# The version is compiled in where it is shown; a new VERSION rebuilds all.
$(call object,$(CORE_SOURCES) $(SERVER_SOURCES) $(CLIENT_SOURCES) server/main.c): VERSION

$(CORE_LIB): $(call object,$(CORE_SOURCES))
	@rm -f $@
	$(AR) rcs $@ $^

$(CORE_SHARED): $(call object,$(CORE_SOURCES)) scripts/libgradcheck.map
	$(CC) $(LDFLAGS) -shared -Wl,-soname,libgradcheck.so.$(CORE_ABI) -Wl,--version-script,scripts/libgradcheck.map \
	    $(filter %.o,$^) $(BLAS_LIBS) -o $@
	@ln -sf libgradcheck.so $@.$(CORE_ABI)

$(SERVER_LIB): $(call object,$(SERVER_SOURCES))
	@rm -f $@
	$(AR) rcs $@ $^

$(DAEMON): $(call object,server/main.c) $(SERVER_LIB) $(CORE_LIB)
	$(CC) $(LDFLAGS) $^ $(NET_LIBS) $(BLAS_LIBS) -o $@

# Of the daemon it takes what runs no jobs: JSON, and what bodies mean.
$(CLIENT): $(call object,$(CLIENT_SOURCES)) $(SERVER_LIB) $(CORE_LIB)
	$(CC) $(LDFLAGS) $^ $(CLIENT_LIBS) $(BLAS_LIBS) -o $@

$(BUILD)/tests/core/test_%: $(BUILD)/tests/core/test_%.o $(call object,$(CORE_HELPERS)) $(CORE_LIB)
	$(CC) $(LDFLAGS) $^ $(shell pkg-config --libs jansson) $(BLAS_LIBS) $(CHECK_LIBS) -o $@

$(BUILD)/tests/server/test_%: $(BUILD)/tests/server/test_%.o $(call object,$(SERVER_HELPERS)) $(SERVER_LIB) $(CORE_LIB)
	$(CC) $(LDFLAGS) $^ $(NET_LIBS) $(BLAS_LIBS) $(CHECK_LIBS) -o $@

$(BUILD)/tests/system/test_%: $(BUILD)/tests/system/test_%.o $(call object,$(SYSTEM_HELPERS))
	$(CC) $(LDFLAGS) $^ $(shell pkg-config --libs jansson gnutls sqlite3) -lm $(CHECK_LIBS) -o $@

$(SHIM): tests/faults/shim.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(filter-out -fsanitize=%,$(CFLAGS)) $(if $(filter-out undefined,$(SANITIZE)),-DSHIM_WITHOUT_ALLOCATIONS) \
	    -fPIC -ftls-model=initial-exec -fno-builtin -shared $< -o $@

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(SERVER_LIB) $(CORE_LIB)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer $^ $(NET_LIBS) $(BLAS_LIBS) -o $@

# Built as its reader would.
$(PROBES): $(BUILD)/tests/probe/functions.o $(call object,$(wildcard tests/core/functions*.c)) $(CORE_LIB)
	$(CC) $(LDFLAGS) $^ $(shell pkg-config --libs jansson) $(BLAS_LIBS) -o $@

# Against the shared library, as what is installed.
$(BUILD)/examples/probe/check: $(BUILD)/examples/probe/check.o $(CORE_SHARED)
	$(CC) $(LDFLAGS) $< -L$(BUILD) -lgradcheck -lm -Wl,-rpath,$(abspath $(BUILD)) -o $@

$(BUILD)/examples/claims/logistic: examples/claims/logistic.c
	@mkdir -p $(@D)
	$(CC) -Wall -Wextra $(WERROR) $< -lm -o $@

$(BUILD)/tests/claims/judge: $(BUILD)/tests/claims/judge.o $(CORE_LIB)
	$(CC) $(LDFLAGS) $^ $(BLAS_LIBS) -o $@

$(BUILD)/bench/engine: $(call object,bench/engine.c bench/cases.c bench/basics.c) $(CORE_LIB)
	$(CC) $(LDFLAGS) $^ $(BLAS_LIBS) -o $@

$(BUILD)/bench/load $(BUILD)/bench/read: $(BUILD)/bench/%: $(call object,bench/client.c bench/basics.c) $(BUILD)/bench/%.o
	$(CC) $(LDFLAGS) $^ -o $@

$(BUILD)/bench/fill: $(call object,bench/fill.c bench/basics.c) $(SERVER_LIB) $(CORE_LIB)
	$(CC) $(LDFLAGS) $^ $(NET_LIBS) $(BLAS_LIBS) -o $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all demo run check tests asan ubsan tsan lint check-layers fuzz fuzzers statistics statistics-claims soak bench bench-findings \
        install clean help
