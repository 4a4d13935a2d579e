# Builds, tests and measures Mote. The two that a newcomer needs: `make run` and `make check`.
#
#   make [BUILD=release|debug|sanitize|thread|stress]   build/$(BUILD)/mote      [CC=clang] [WERROR=1]
#   make unit        C tests of single rooms
#   make check       all tests that need no special hardware          make check-long   the rest
#   make bench       compare with erl                                   make size         what the executable is made of
#   make NET=0       without sockets, in build/$(BUILD)-no-net
#   make fmt, lint   format, look for mistakes                          make install [PREFIX=/usr/local] [ATOMVM_LINK=1]

BUILD ?= release
CC = gcc
OBJCOPY ?= objcopy
PYTHON ?= python3
ERLC ?= erlc
B := build/$(BUILD)$(if $(filter 0,$(NET)),-no-net)
G := build/shared
V := $(if $(VERBOSE),,@)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter $(if $(WERROR),-Werror)
# No unwind tables: nothing unwinds C. Position-dependent: tables of pointers need no relocation at start.
CFLAGS_release  := -O2 -DNDEBUG -falign-functions=1 -falign-loops=1 $(if $(findstring clang,$(CC)),,-falign-jumps=1 -falign-labels=1) -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-pie
LDFLAGS_release := -no-pie -Wl,-z,noseparate-code
CFLAGS_debug    := -O0 -g3
CFLAGS_sanitize := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_thread   := -O1 -g -fsanitize=thread
CFLAGS_fuzz     := -O1 -g -fsanitize=address,undefined,fuzzer-no-link
CFLAGS_stress   := -O1 -g -DMOTE_STRESS
CFLAGS_language := -std=gnu11 -fno-strict-aliasing -fwrapv -D_GNU_SOURCE $(WARN) -Isrc -Iinclude -I$(G)
CFLAGS_all := $(CFLAGS_language) -ffunction-sections -fdata-sections $(CFLAGS_$(BUILD)) $(CFLAGS)
LDFLAGS_all := $(filter -fsanitize=%,$(CFLAGS_$(BUILD))) -Wl,--gc-sections $(LDFLAGS_$(BUILD)) $(LDFLAGS)
LIBS := -lgmp -lz -ltinfo -lm -ldl -lpthread
# The release build of the command loads these libraries when it needs them: see the file.
LATE := $(if $(filter release-x86_64-Linux,$(BUILD)-$(shell uname -m)-$(shell uname -s)),$(B)/platform/unix/late.o)
CFLAGS_late := $(if $(LATE),-DMOTE_LATE)

# NET=0: no sockets.
NET_SOURCES := src/io/inet_%.c src/platform/unix/socket%.c
SOURCES := $(filter-out $(if $(filter 0,$(NET)),$(NET_SOURCES)),$(sort $(wildcard src/*/*.c src/platform/unix/*.c)))
HEADERS := $(sort $(wildcard src/*/*.h src/*/*.tab))
OBJECTS := $(SOURCES:src/%.c=$(B)/%.o) $(B)/gen/bifs.o $(B)/gen/lib.o
LIB_ERL := $(sort $(wildcard lib/*.erl))
LIB_BEAM := $(LIB_ERL:lib/%.erl=$(G)/lib/%.beam)
GENERATED := $(G)/gen/atoms.h $(G)/gen/generic.h $(G)/gen/ops.h $(G)/gen/ops.inc $(G)/gen/rules.inc $(G)/gen/handlers.inc $(G)/gen/native.inc
UNIT := $(sort $(wildcard tests/unit/*.c))

.PHONY: all lib unit start-functions check check-long bench size fmt lint install clean run setup
all: $(B)/mote
lib: $(B)/libmote.a

$(B)/mote: $(B)/vm/main.o $(LATE) $(B)/$(if $(LATE),ordered,libmote).a
	$(V)$(CC) $(LDFLAGS_all) -o $@ $(filter %.o,$^) -Wl,--whole-archive $(filter %.a,$^) -Wl,--no-whole-archive $(if $(LATE),-ldl -lpthread,$(LIBS))
# What every start runs stands together: fewer pages of the executable are touched.
$(B)/ordered.a: $(B)/libmote.a tools/start_functions.txt
	$(V)sed 's/.*/--rename-section .text.&=.text.hot.&/' tools/start_functions.txt >$(B)/ordered.args && $(OBJCOPY) @$(B)/ordered.args $< $@
start-functions: $(B)/mote
	$(V)$(ERLC) -o $(B) examples/hello.erl && $(PYTHON) tools/start_functions.py $(B)/mote $(B)/hello.beam tools/start_functions.txt

$(B)/libmote.a: $(filter-out $(B)/vm/main.o $(B)/platform/unix/late.o,$(OBJECTS))
	$(V)rm -f $@ && ar rcs $@ $^

$(B)/%.o: src/%.c Makefile | $(GENERATED)
	$(V)mkdir -p $(@D) && $(CC) $(CFLAGS_all) $(CFLAGS_$(basename $(notdir $@))) $(if $(filter release,$(BUILD)),$(or $(OPTIMIZE_$*),$(OPTIMIZE_$(word 1,$(subst /, ,$*))))) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(G)/gen/%.c Makefile
	$(V)mkdir -p $(@D) && $(CC) $(CFLAGS_all) -MMD -MP -c -o $@ $<

# Rooms whose speed does not matter as much as their size.
SMALL := -fno-jump-tables $(if $(findstring clang,$(CC)),-Os,-Oz -fno-inline-functions-called-once -fno-caller-saves -fno-if-conversion)
OPTIMIZE_base := $(SMALL)
OPTIMIZE_term := $(SMALL)
OPTIMIZE_data := $(SMALL)
OPTIMIZE_code := -Os
# What every start runs. Loops that clear a few words are to stay loops: gcc makes them "rep stos", which takes as long as all the rest.
$(foreach f,code/decode code/emit code/program code/scan code/verify,$(eval OPTIMIZE_$f := -O2 $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)))
OPTIMIZE_proc := $(SMALL)
OPTIMIZE_exec/exception := $(SMALL)
OPTIMIZE_exec/runtime_record := $(SMALL)
OPTIMIZE_vm := $(SMALL)
OPTIMIZE_io := $(SMALL)
OPTIMIZE_platform := $(SMALL)
OPTIMIZE_bif := $(SMALL)
OPTIMIZE_table := $(SMALL)
OPTIMIZE_trace := $(SMALL)
OPTIMIZE_native := $(SMALL)
# ... except these: what programs spend their time in. (trunc and floor are instructions at -O2, calls of a library at -Os.)
$(foreach f,base/bitrun base/arena base/mem term/atom term/gc term/heap term/copy term/compare data/map data/map_build data/arith data/float data/integer \
    data/bit_build data/bit_match data/md5 proc/schedule proc/mailbox proc/signal proc/collect proc/clock proc/spawn proc/process proc/timer native/functions,$(eval OPTIMIZE_$f := -O2))

# gcc otherwise merges all dispatches of the interpreter into one: two to three times slower.
# Units that change while they run (a call that led to a stub) are no race: what they lead to is there before. See docs/concurrency.md.
CFLAGS_interpreter := $(if $(filter thread,$(BUILD)),-fno-sanitize=thread) -fno-tree-vectorize $(if $(findstring clang,$(CC)),,-fno-gcse -fno-crossjumping)

# Generated from the sources; written only when they change (the stamp says when that was looked at), so that one new atom
# does not rebuild what it need not.
$(G)/gen/atoms.stamp: tools/gen_atoms.py $(SOURCES) $(HEADERS)
	$(V)mkdir -p $(@D) && $(PYTHON) tools/gen_atoms.py $(G)/gen && touch $@
$(G)/gen/bifs.stamp: tools/gen_bifs.py tools/natives.tab $(G)/gen/atoms.stamp
	$(V)$(PYTHON) tools/gen_bifs.py $(G)/gen && touch $@
$(G)/gen/generic.stamp: tools/gen_generic.py src/code/generic.tab
	$(V)mkdir -p $(@D) && $(PYTHON) tools/gen_generic.py $(G)/gen && touch $@
$(G)/gen/ops.stamp: tools/gen_ops.py src/code/ops.tab src/code/generic.tab
	$(V)mkdir -p $(@D) && $(PYTHON) tools/gen_ops.py $(G)/gen && touch $@
$(G)/gen/native.stamp: tools/gen_native.py $(G)/gen/ops.stamp src/native/words_x64.h src/native/numbers_x64.h
	$(V)$(PYTHON) tools/gen_native.py $(G)/gen && touch $@
$(GENERATED) $(G)/gen/bifs.c: ;
$(G)/gen/atoms.h: $(G)/gen/atoms.stamp
$(G)/gen/bifs.c: $(G)/gen/bifs.stamp
$(G)/gen/generic.h: $(G)/gen/generic.stamp
$(G)/gen/ops.h $(G)/gen/ops.inc $(G)/gen/rules.inc $(G)/gen/handlers.inc: $(G)/gen/ops.stamp
$(G)/gen/native.inc: $(G)/gen/native.stamp
$(G)/gen/lib.c: tools/gen_lib.py $(LIB_BEAM)
	$(V)mkdir -p $(@D) && $(PYTHON) tools/gen_lib.py $@ $(LIB_BEAM)
$(G)/lib/%.beam: lib/%.erl
	$(V)mkdir -p $(@D) && $(ERLC) +deterministic +no_docs -o $(@D) $<

# One runner for all C tests: tests/unit/*.c, each a list of TEST(name) { ... }.
unit: $(B)/unit
	$(V)$(B)/unit
$(G)/gen/unit.c: tools/gen_unit.py $(UNIT)
	$(V)mkdir -p $(@D) && $(PYTHON) tools/gen_unit.py $@ $(UNIT)
$(B)/unit: $(UNIT:tests/unit/%.c=$(B)/unit_%.o) $(B)/gen/unit.o $(B)/libmote.a
	$(V)$(CC) $(LDFLAGS_all) -o $@ $^ $(LIBS)
$(B)/unit_%.o: tests/unit/%.c Makefile | $(GENERATED)
	$(V)mkdir -p $(@D) && $(CC) $(CFLAGS_all) -Itests/unit -MMD -MP -c -o $@ $<

setup:
	$(V)scripts/setup

# --- what a newcomer runs
# Erlang's own compiler, running on Mote, compiles a program; Mote runs the result.
run: setup
	$(V)$(MAKE) --no-print-directory all
	$(V)echo "Erlang's compiler, on Mote, compiles examples/life.erl; then Mote runs it:"
	$(V)mkdir -p build/examples
	$(V)$(B)/mote -s mote_compile file examples/life.erl build/examples
	$(V)$(B)/mote build/examples/life.beam

# --- tests
BUILDS_TESTED := release sanitize stress
# Everything: all builds, both engines, fuzz targets.
check: setup
	$(V)$(MAKE) --no-print-directory tested fuzzers
	$(V)$(PYTHON) tests/run.py --build release,sanitize,stress
# The same with sizes that take hours: all of stdlib and compiler through the compiler, 100,000 random terms and mutants, OTP's suites.
check-long: setup
	$(V)scripts/otp-suites prepare
	$(V)$(MAKE) --no-print-directory tested fuzzers
	$(V)$(PYTHON) tests/run.py --long --build release,sanitize,stress
.PHONY: tested fuzzers docs
tested:
	$(V)for b in $(BUILDS_TESTED); do $(MAKE) --no-print-directory -j2 BUILD=$$b WERROR=1 all build/$$b/unit || exit 1; done

# Fuzz targets: the library once more, with clang and coverage, and one executable per tests/fuzz/fuzz_*.c.
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzzers:
	$(V)$(MAKE) --no-print-directory -j2 BUILD=fuzz CC=clang WERROR=1 $(FUZZERS)
build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c build/fuzz/libmote.a tests/fuzz/fuzz.h
	$(V)$(CC) $(CFLAGS_all) -fsanitize=address,undefined,fuzzer -rdynamic -o $@ $(filter %.c %.a,$^) $(LIBS)

bench: all
	$(V)$(PYTHON) bench/run.py
size: all
	$(V)strip -o $(B)/mote.stripped $(B)/mote && size -A $(B)/mote.stripped | awk '$$2 > 1000' && ls -l $(B)/mote.stripped
	$(V)nm --size-sort -S -r $(B)/mote | head -30

# --- the house
docs: $(GENERATED)
	$(V)$(PYTHON) tools/gen_coverage.py
fmt:
	$(V)clang-format -i src/*/*.[ch] src/platform/unix/*.[ch] tests/unit/*.[ch] tests/fuzz/*.c
# Left out: the two files that are all macros; tests of macros (toomanyconfigs); (Type){0} after a question mark, which cppcheck cannot parse (internalAstError).
CPPCHECK := cppcheck --quiet --error-exitcode=1 --library=tools/cppcheck.cfg --std=c11 --platform=unix64 --max-configs=1 --enable=warning,portability \
    --inline-suppr --suppress=toomanyconfigs --suppress=internalAstError -isrc/exec/interpreter.c -isrc/native/x64.c -Isrc -I$(G)
lint: cppcheck
	$(V)$(PYTHON) tools/check_rooms.py
	$(V)clang -fsyntax-only -Werror $(CFLAGS_language) $(filter %.c,$(SOURCES)) $(UNIT) -Itests/unit

.PHONY: cppcheck
cppcheck: $(GENERATED)
	$(V)$(CPPCHECK) src

PREFIX ?= /usr/local
install: all
	$(V)install -D $(B)/mote $(DESTDIR)$(PREFIX)/bin/mote
	$(V)$(if $(ATOMVM_LINK),ln -sf mote $(DESTDIR)$(PREFIX)/bin/AtomVM)
clean:
	$(V)rm -rf build

-include $(OBJECTS:.o=.d) $(UNIT:tests/unit/%.c=$(B)/unit_%.d)
