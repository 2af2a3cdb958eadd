# Lineside. Non-recursive: each room's sources are found by folder, each
# program names the rooms it may link. One build directory per flavour
# (release, asan, tsan), so that switching needs no cleaning.
#
#   make            the programs, in build/bin
#   make demo       the whole loop on the embedded bench
#   make check      every fast test
#   make help       the rest

FLAVOUR ?= release
B := build/$(FLAVOUR)
BIN := $(if $(filter release,$(FLAVOUR)),build/bin,$(B)/bin)

CC ?= gcc
CPPFLAGS += -I. -D_GNU_SOURCE -DOPENSSL_API_COMPAT=30000 -DOPENSSL_NO_DEPRECATED
CFLAGS += -std=c11 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wvla -pthread -fPIE \
	-fstack-protector-strong -fno-strict-aliasing
LDFLAGS += -pthread -pie -Wl,-z,relro,-z,now
# Over a hundred test programs are linked: gold takes half the time for each.
ifeq ($(FLAVOUR),asan)
LDFLAGS += $(if $(shell command -v ld.gold),-fuse-ld=gold)
endif
OPT_release := -O2 -D_FORTIFY_SOURCE=2
# Lines are all that a report needs of the debugger's words (-g1); and each file
# is compiled as often as it is run, so what -O1 saves it has cost before. What
# only an optimiser warns of, the release flavour sees.
OPT_asan := -O0 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
OPT_tsan := -O1 -fsanitize=thread -fno-omit-frame-pointer
# For clang's fuzzer (make fuzz): warnings are gcc's business.
OPT_fuzz := -O1 -Wno-error -fsanitize=fuzzer-no-link,address,undefined
OPT := $(OPT_$(FLAVOUR))
Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-7s %s\n' $(1) $(2))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# --- rooms -----------------------------------------------------------------
# A room is a folder (or a few) whose objects become one archive.

base_DIRS := station/base
ifpp_DIRS := station/ifpp
container_DIRS := station/container
fpa_DIRS := station/fpa
import_DIRS := station/import
line_DIRS := station/line
order_DIRS := station/order
request_DIRS := station/request
report_DIRS := station/report
shift_DIRS := station/shift
control_DIRS := station/control
identity_DIRS := station/identity
people_DIRS := station/people
doctor_DIRS := station/doctor
show_DIRS := station/show
acts_DIRS := station/acts
storage_DIRS := storage
drivers_DIRS := drivers drivers/usb drivers/ccid drivers/iso7816 drivers/scanner
verify_DIRS := station/verify
# Needs libzint, and nothing of a terminal.
sheet_DIRS := ui/sheet
ui_DIRS := ui/cells ui/model ui/words ui/widgets ui/screens ui/scan
# What has a terminal.
uiapp_DIRS := ui/app ui/term
backup_DIRS := station/backup
restore_DIRS := station/restore
lab_DIRS := tests/lab tests/lab/pki tests/lab/smdpf tests/lab/euicc tests/lab/saip \
	tests/lab/usb
labfuse_DIRS := tests/lab/usb/fuse
# Defines open, read, ioctl, close: only what asks for it may link it.
inprocess_DIRS := tests/lab/usb/inprocess
ROOMS := base ifpp container identity people fpa import order line request report shift doctor show acts control backup restore verify storage drivers ui uiapp sheet lab
APART := labfuse inprocess

srcs = $(filter-out %/main.c,$(wildcard $(addsuffix /*.c,$($(1)_DIRS))))
objs = $(patsubst %.c,$(B)/%.o,$(1))
lib = $(patsubst %,$(B)/lib/lib%.a,$(1))
# Archives may need each other in any order; the linker takes what it needs.
link_libs = -Wl,--start-group $(1) -Wl,--end-group
# What stands before libc must come even where a sanitizer already has an
# open() of its own to offer.
link_whole = -Wl,--whole-archive $(1) -Wl,--no-whole-archive

LAB_MAINS := $(wildcard tests/lab/cmd/*.c)

define room_rule
$(call lib,$(1)): $(call objs,$(call srcs,$(1)))
	@mkdir -p $$(@D)
	$(call say,AR,$$@)
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS) $(APART),$(eval $(call room_rule,$(r))))

# --- programs --------------------------------------------------------------
# program: its own folder, the rooms it may use, the libraries it may use.

lineside_SRCS := $(wildcard station/cmd/*.c)
lineside_ROOMS := base ifpp container identity people fpa import order line request report shift doctor show acts control backup storage drivers
lineside_LIBS := -lcrypto -lsqlite3 -ljansson -lusb-1.0

# Apart, so that the station's own program has no cipher in it.
lineside-backup_SRCS := $(wildcard station/backup/main.c)
lineside-backup_ROOMS := base ifpp container backup
lineside-backup_LIBS := -lcrypto

lineside-restore_SRCS := $(wildcard station/restore/main.c)
lineside-restore_ROOMS := base ifpp container identity restore storage
lineside-restore_LIBS := -lcrypto -lsqlite3

lineside-ui_SRCS := $(wildcard ui/main.c)
lineside-ui_ROOMS := base control ui uiapp
lineside-ui_LIBS = $(shell pkg-config --libs ncursesw) -ljansson

lineside-barcodes_SRCS := $(wildcard ui/barcodes/main.c)
lineside-barcodes_ROOMS := base ui sheet
lineside-barcodes_LIBS := -ljansson -lzint -lm

lineside-verify_SRCS := $(wildcard station/verify/main.c)
lineside-verify_ROOMS := base ifpp container verify
lineside-verify_LIBS := -lcrypto

lineside-lab_SRCS := $(LAB_MAINS)
lineside-lab_ROOMS := base ifpp container lab labfuse
lineside-lab_LIBS := -lcrypto -lsqlite3 -ljansson -lfuse3

# Prints docs/states.md; not installed.
lineside-states_SRCS := $(wildcard tests/tools/states.c)
lineside-states_ROOMS := base storage
lineside-states_LIBS :=

# Draws docs/screens/ from the screen's golden tests; not installed.
lineside-screenshot_SRCS := $(wildcard tests/tools/screenshot.c)
lineside-screenshot_ROOMS := base ui
lineside-screenshot_LIBS :=

PROGRAMS := $(foreach p,lineside lineside-ui lineside-barcodes lineside-backup lineside-restore lineside-verify lineside-lab lineside-states lineside-screenshot,$(if $($(p)_SRCS),$(p)))

define program_rule
$(BIN)/$(1): $(call objs,$($(1)_SRCS)) $(call lib,$($(1)_ROOMS))
	@mkdir -p $$(@D)
	$(call say,LINK,$$@)
	$(Q)$$(CC) $$(CFLAGS) $$(OPT) $$(LDFLAGS) -o $$@ $(call objs,$($(1)_SRCS)) \
		$(call link_libs,$(call lib,$($(1)_ROOMS))) $($(1)_LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p))))

.PHONY: all programs
all: programs compile_commands.json
programs: $(addprefix $(BIN)/,$(PROGRAMS))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(OPT) -MMD -MP -c $< -o $@

# The screen's words: gettext's catalogues, built into the program.
WORDS_MO := $(B)/ui/words/po
$(WORDS_MO)/%.mo: ui/words/po/%.po
	@mkdir -p $(@D)
	$(call say,MSGFMT,$<)
	$(Q)msgfmt --check-format --check-domain --output-file=$@ $<
$(B)/ui/words/words.o: CPPFLAGS += -DWORDS_MO='"$(WORDS_MO)"'
$(B)/ui/words/words.o: $(patsubst ui/words/po/%.po,$(WORDS_MO)/%.mo,$(wildcard ui/words/po/*.po))

# --- tests -----------------------------------------------------------------
# tests/unit/<room>/test_*.c: one libcheck program each, linked with all rooms.

UNIT_SRCS := $(wildcard tests/unit/*/test_*.c)
UNIT_HELPERS := $(filter-out $(UNIT_SRCS),$(wildcard tests/unit/*/*.c tests/unit/*.c))
UNIT := $(patsubst %.c,$(B)/%,$(UNIT_SRCS))
ALL_LIBS := $(call lib,$(ROOMS))

# One archive of helpers, so that each test links only those it calls.
$(B)/lib/libunit.a: $(call objs,$(UNIT_HELPERS))
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^

$(UNIT): $(B)/%: $(B)/%.o $(ALL_LIBS) $(B)/lib/libunit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(OPT) $(LDFLAGS) -o $@ $< \
		$(if $(filter $@,$(UNIT_USB)),$(call link_whole,$(call lib,inprocess))) \
		$(call link_libs,$(B)/lib/libunit.a $(ALL_LIBS)) \
		-lcrypto -lsqlite3 -ljansson -lusb-1.0 -lzint -lcheck -lsubunit -lrt -lm
# Tests of tests/unit/usb*/ have the emulated bus in their own process.
UNIT_USB := $(filter $(B)/tests/unit/usb%,$(UNIT))
$(UNIT_USB): $(call lib,inprocess)

# The one with a terminal.
$(B)/tests/unit/ui/test_app: LDFLAGS += $(shell pkg-config --libs ncursesw)

# Here libusb fails on command (tests/unit/usb/inject.c).
INJECT_CALLS := init hotplug_register_callback handle_events_timeout_completed \
	get_port_numbers get_device_descriptor get_active_config_descriptor open \
	set_auto_detach_kernel_driver claim_interface release_interface clear_halt \
	reset_device submit_transfer cancel_transfer alloc_transfer
$(B)/tests/unit/usb/test_inject: LDFLAGS += $(INJECT_CALLS:%=-Wl,--wrap=libusb_%)

# tests/fuzz/fuzz_*.c: LLVMFuzzerTestOneInput each; `make fuzz` builds them
# with clang's fuzzer, `make check` replays tests/fuzz/corpus/<name>/ with a
# plain main under the sanitizers.

FUZZ_SRCS := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ := $(patsubst %.c,$(B)/%,$(FUZZ_SRCS))

FUZZ_MAIN := $(if $(filter fuzz,$(FLAVOUR)),,$(B)/tests/fuzz/replay.o)

$(FUZZ): $(B)/%: $(B)/%.o $(FUZZ_MAIN) $(ALL_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(OPT) $(if $(FUZZ_MAIN),,-fsanitize=fuzzer) $(LDFLAGS) \
		-o $@ $< $(FUZZ_MAIN) $(call link_libs,$(ALL_LIBS)) \
		-lcrypto -lsqlite3 -ljansson -lusb-1.0

# --- bench -----------------------------------------------------------------

BENCH_SRCS := $(wildcard tests/bench/bench_*.c)
BENCH_HELPERS := $(filter-out $(BENCH_SRCS),$(wildcard tests/bench/*.c))
BENCH := $(patsubst %.c,$(B)/%,$(BENCH_SRCS))

$(BENCH): $(B)/%: $(B)/%.o $(call objs,$(BENCH_HELPERS)) $(ALL_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(OPT) $(LDFLAGS) -o $@ $< $(call objs,$(BENCH_HELPERS)) \
		$(if $(filter $@,$(BENCH_USB)),$(call link_whole,$(call lib,inprocess))) \
		$(call link_libs,$(ALL_LIBS)) -lcrypto -lsqlite3 -ljansson -lusb-1.0
BENCH_USB := $(filter $(B)/tests/bench/bench_usb%,$(BENCH))
$(BENCH_USB): $(call lib,inprocess)

.PHONY: unit unit-usb fuzz-replay bench-programs
unit: $(UNIT)
unit-usb: $(UNIT_USB)
fuzz-replay: $(FUZZ)
bench-programs: $(BENCH)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- what people type ------------------------------------------------------

include tests/module.mk

compile_commands.json: $(MAKEFILE_LIST)
	$(Q)sh tests/compile-commands.sh '$(CC) $(CPPFLAGS) $(CFLAGS) $(OPT)' \
		$(foreach r,$(ROOMS) $(APART),$(call srcs,$(r))) $(foreach p,$(PROGRAMS),$($(p)_SRCS)) \
		$(UNIT_SRCS) $(UNIT_HELPERS) $(FUZZ_SRCS) $(BENCH_SRCS) > $@

prefix ?= /usr/local
.PHONY: install clean help
install: programs
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/share/man/man1
	install -m 755 $(BIN)/lineside $(BIN)/lineside-ui $(BIN)/lineside-barcodes $(BIN)/lineside-backup \
		$(BIN)/lineside-restore $(BIN)/lineside-verify $(DESTDIR)$(prefix)/bin/
	install -m 644 docs/man/lineside.1 docs/man/lineside-restore.1 \
		docs/man/lineside-verify.1 $(DESTDIR)$(prefix)/share/man/man1/

clean:
	rm -rf build compile_commands.json

help:
	@sed -n 's/^#: //p' Makefile tests/module.mk
