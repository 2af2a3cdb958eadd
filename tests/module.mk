#: make               build the programs into build/bin
#: make demo          the main job on the embedded bench: no hardware, no server
#: make demo-usb      the same over an emulated USB bus (/dev/fuse, root or namespaces)
#: make check         all fast tests: unit tests and corpora under ASan/UBSan,
#:                    end-to-end tests with the release build; 10 minutes at most
#: make check-unit    unit tests of one flavour (FLAVOUR=release|asan)
#: make check-e2e     every end-to-end test, with KILLS=500, UNITS=500 and full
#:                    sweeps
#: make check-tsan    the tests of USB, which has an event thread, under TSan
#: make soak          as check-e2e, after the unit tests of all flavours; a
#:                    reader is pulled at every single transfer of a load
#: make bench         JSON lines {"name","value","unit","limit","ratio"}
#: make screenshots   docs/screens/ anew, from the golden tests of the screen
#: make fuzz          coverage-guided fuzzing, FUZZ_SECONDS for each harness (clang)
#: make install       DESTDIR=, prefix=
#: make clean

# Packages come before everything that compiles: a fresh machine has none.
PACKAGES_CHECK := asn1c mandoc pcscd vsmartcard-vpcd libccid libpcsclite-dev iproute2 procps strace \
	pcsc-tools libxkbcommon0 xkb-data tmux
PACKAGES_FUZZ := clang llvm libclang-rt-14-dev

E2E := $(sort $(wildcard tests/e2e/*.sh))
KILLS ?= 60
UNITS ?= 100
SEED ?=
LOGS := build/log
JOBS := $(shell nproc 2>/dev/null || echo 2)
# Tests also wait: for a kill's moment, a verdict, a silent card, a screen. With
# one more than there are processors a tenth of these stood idle.
TEST_JOBS := $(shell echo $$(($(JOBS) + 2)))
export KILLS UNITS SEED

.PHONY: packages packages-check packages-fuzz demo demo-usb check check-unit check-tsan check-e2e \
	check-headers check-corpus run-unit run-e2e run-corpus soak bench fuzz

packages:
	@sh tests/packages.sh
packages-check:
	@sh tests/packages.sh $(PACKAGES_CHECK)
packages-fuzz:
	@sh tests/packages.sh $(PACKAGES_FUZZ)

demo: packages
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@sh tests/demo.sh

demo-usb: packages
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@sh tests/demo-usb.sh

# One invocation builds, the next runs: the packages must be there before the
# compiler is asked for anything.
check: packages-check
	@$(MAKE) --no-print-directory -j$(JOBS) FLAVOUR=asan unit fuzz-replay
	@$(MAKE) --no-print-directory -j$(JOBS) programs compile_commands.json
	@$(MAKE) --no-print-directory check-headers
	@sh tests/run.sh $(LOGS)/check $(TEST_JOBS) \
		$$($(MAKE) -s --no-print-directory FLAVOUR=asan list-unit) \
		tests/fuzz/replay-all.sh $(E2E)

check-unit: packages-check
	@$(MAKE) --no-print-directory -j$(JOBS) FLAVOUR=$(FLAVOUR) unit
	@sh tests/run.sh $(LOGS)/unit-$(FLAVOUR) $(JOBS) $(UNIT)

check-tsan: packages-check
	@$(MAKE) --no-print-directory -j$(JOBS) FLAVOUR=tsan unit-usb
	@sh tests/run.sh $(LOGS)/tsan $(JOBS) $$($(MAKE) -s --no-print-directory FLAVOUR=tsan list-unit-usb)

check-e2e: packages-check
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@KILLS=500 UNITS=500 SWEEP=full TEST_TIMEOUT=$(or $(TEST_TIMEOUT),3600) sh tests/run.sh $(LOGS)/e2e $(JOBS) $(E2E)

# The month's cost is compared, start with end: it has the machine to itself.
soak: packages-check
	@CK_FORK=yes $(MAKE) --no-print-directory FLAVOUR=release check-unit
	@CK_FORK=yes LINESIDE_STRIDE=1 UI_SECONDS=600 CK_TIMEOUT_MULTIPLIER=15 TEST_TIMEOUT=3600 $(MAKE) --no-print-directory FLAVOUR=asan check-unit
	@LINESIDE_STRIDE=1 TEST_TIMEOUT=3600 $(MAKE) --no-print-directory check-tsan
	@$(MAKE) --no-print-directory TEST_TIMEOUT=14400 check-e2e
	@MONTH=full TEST_TIMEOUT=14400 sh tests/run.sh $(LOGS)/month 1 tests/e2e/month.sh

.PHONY: list-unit list-unit-usb
list-unit:
	@echo $(UNIT)
list-unit-usb:
	@echo $(UNIT_USB)

# Every header compiles alone: first in its own file, or here.
HEADERS := $(wildcard station/*/*.h storage/*.h drivers/*.h drivers/*/*.h ui/*/*.h tests/lab/*.h \
	tests/lab/*/*.h tests/lab/*/*/*.h)
check-headers:
	@for h in $(HEADERS); do \
		c=$${h%.h}.c; \
		[ -f $$c ] && [ "$$(grep -m1 '^#include' $$c)" = "#include \"$$h\"" ] || echo $$h; \
	done | xargs -P $(JOBS) -I '{}' $(CC) $(CPPFLAGS) $(CFLAGS) -fsyntax-only -include '{}' -xc /dev/null

# What is there is drawn anew: SCREEN-HEADING.svg is of HEADING in that screen's
# golden file. Another picture: touch its file first.
.PHONY: screenshots
screenshots: packages
	@$(MAKE) --no-print-directory -j$(JOBS) $(BIN)/lineside-screenshot
	@for f in docs/screens/*.svg; do \
		n=$$(basename "$$f" .svg); \
		$(BIN)/lineside-screenshot tests/unit/ui/golden/$${n%%-*}.txt "$${n#*-}" >"$$f" || exit 1; \
	done

bench: packages
	@$(MAKE) --no-print-directory -j$(JOBS) programs bench-programs
	@sh tests/bench/run.sh $(BENCH_ONLY)

FUZZ_SECONDS ?= 60
fuzz: packages-fuzz
	@$(MAKE) --no-print-directory -j$(JOBS) FLAVOUR=fuzz CC=clang fuzz-replay
	@sh tests/fuzz/fuzz.sh $(FUZZ_SECONDS) $(FUZZ_ONLY)
