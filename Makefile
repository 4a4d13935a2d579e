# Builds, tests and measures Mote. The two that a newcomer needs: `make run` and `make check`.
#
#   make [BUILD=release|debug|sanitize|thread|stress]   build/$(BUILD)/mote      [CC=clang] [WERROR=1]
#   make unit        C tests of single rooms
#   make check       all tests that need no special hardware          make check-long   the rest
#   make bench       compare with erl                                   make size         what the executable is made of
#   make CORE=1      the core alone, in build/$(BUILD)-core: without the parts that PART_... below lists      make WITHOUT="net trace"   without these
#   make MALLOC=mimalloc   with another allocator
#   make fmt, lint   format, look for mistakes                          make install [PREFIX=/usr/local] [ATOMVM_LINK=1]

BUILD ?= release
CC = gcc
OBJCOPY ?= objcopy
PYTHON ?= python3
ERLC ?= erlc
B := build/$(BUILD)
# Where what is linked goes; objects are the same whatever is left out.
E := $(B)$(if $(CORE),-core,$(if $(strip $(WITHOUT)),-no-$(subst $() ,-,$(strip $(WITHOUT)))))$(MALLOC:%=-%)
G := build/shared
V := $(if $(VERBOSE),,@)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter $(if $(WERROR),-Werror)
# No unwind tables: nothing unwinds C. Position-dependent: tables of pointers need no relocation at start.
CFLAGS_release  := -O2 -DNDEBUG -falign-functions=1 -falign-loops=1 $(if $(findstring clang,$(CC)),,-falign-jumps=1 -falign-labels=1) -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-pie
# What the executable calls of libraries is found at once: cheaper than one by one, each through the resolver. (Pages that are then made read-only cost two more faults.)
LDFLAGS_release := -no-pie -Wl,-z,noseparate-code -Wl,-z,now -Wl,-z,norelro
CFLAGS_debug    := -O0 -g3
CFLAGS_sanitize := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_thread   := -O1 -g -fsanitize=thread
CFLAGS_fuzz     := -O1 -g -fsanitize=address,undefined,fuzzer-no-link
CFLAGS_stress   := -O1 -g -DMOTE_STRESS
CFLAGS_language := -std=gnu11 -fno-strict-aliasing -fwrapv -D_GNU_SOURCE $(WARN) -Isrc -Iinclude -I$(G)
CFLAGS_all := $(CFLAGS_language) -ffunction-sections -fdata-sections $(CFLAGS_$(BUILD)) $(CFLAGS)
LDFLAGS_all := $(filter -fsanitize=%,$(CFLAGS_$(BUILD))) -Wl,--gc-sections $(LDFLAGS_$(BUILD)) $(LDFLAGS)
# Libraries of native functions find these in the executable.
NIF_LIST := src/io/nif.list
EXPORTS := -Wl,--dynamic-list=$(NIF_LIST)
# MALLOC=mimalloc (libmimalloc-dev): that allocator instead of the C library's, see docs/memory.md.
LIBS := -lgmp -lz -ltinfo -lm -ldl -lpthread
# The release build of the command loads these libraries when it needs them: see the file.
LATE := $(if $(filter release-x86_64-Linux,$(BUILD)-$(shell uname -m)-$(shell uname -s)),$(B)/platform/unix/late.o)
CFLAGS_late := $(if $(LATE),-DMOTE_LATE)

# Parts that the rest can do without. The built-ins of a part that is left out do not exist; what other parts call of it is in src/vm/absent.c.
PART_dump     := vm/crash_dump vm/dump_terms vm/break_menu
PART_erl      := bif/topology_info proc/topology vm/boot vm/emu_flags vm/erl_args vm/otp_place vm/cmd_otp_dir
PART_net      := bif/bif_resolver io/inet_% io/port_trace_ip platform/unix/socket%
PART_nif      := io/nif% bif/bif_nif% platform/unix/nif%
PART_ports    := io/port% bif/bif_port% bif/bif_erl_ddll platform/unix/child $(PART_net)
PART_regex    := bif/bif_re io/regex%
PART_seed     := vm/seed proc/chance
PART_terminal := bif/bif_prim_tty io/port_terminal platform/unix/terminal
PART_trace    := trace/% bif/bif_tracing bif/bif_watching io/port_trace_% io/port_tell
PART_zstd     := bif/bif_zstd io/zstd
PARTS := $(sort $(patsubst PART_%,%,$(filter PART_%,$(.VARIABLES))))
ABSENT := $(if $(CORE),$(PARTS),$(WITHOUT))
$(foreach p,$(ABSENT),$(if $(PART_$p),,$(error there is no part $p: only $(PARTS))))
LEFT_OUT := $(if $(ABSENT),$(foreach p,$(ABSENT),$(PART_$p:%=src/%.c)),src/vm/absent.c)

ALL_SOURCES := $(sort $(wildcard src/*/*.c src/platform/unix/*.c))
SOURCES := $(filter-out $(LEFT_OUT),$(ALL_SOURCES))
HEADERS := $(sort $(wildcard src/*/*.h src/*/*.tab))
OBJECTS := $(SOURCES:src/%.c=$(B)/%.o) $(if $(ABSENT),$E,$B)/gen/bifs.o $(B)/gen/lib.o
LIB_ERL := $(sort $(wildcard lib/*.erl))
LIB_BEAM := $(LIB_ERL:lib/%.erl=$(G)/lib/%.beam)
GENERATED := $(G)/gen/atoms.h $(G)/gen/generic.h $(G)/gen/ops.h $(G)/gen/ops.inc $(G)/gen/rules.inc $(G)/gen/handlers.inc $(G)/gen/native.inc
UNIT := $(sort $(wildcard tests/unit/*.c))

.PHONY: all lib unit start-functions check check-long bench bench-concurrency size parts stripped fmt formatted lint install clean run setup
all: $(E)/mote
lib: $(E)/libmote.a

$(E)/mote: $(NIF_LIST) $(B)/vm/main.o $(LATE) $(E)/$(if $(LATE),ordered,libmote).a
	$(V)$(CC) $(LDFLAGS_all) $(EXPORTS) -o $@ $(filter %.o,$^) -Wl,--whole-archive $(filter %.a,$^) -Wl,--no-whole-archive $(if $(LATE),-ldl -lpthread,$(LIBS)) $(MALLOC:%=-l%)
# What every start runs stands together: fewer pages of the executable are touched.
$(E)/ordered.a: $(E)/libmote.a tools/start_functions.txt
	$(V)sed 's/.*/--rename-section .text.&=.text.hot.&/' tools/start_functions.txt >$(E)/ordered.args && $(OBJCOPY) @$(E)/ordered.args $< $@
start-functions: $(E)/mote
	$(V)$(ERLC) -o $(E) examples/hello.erl && $(PYTHON) tools/start_functions.py $(E)/mote $(E)/hello.beam tools/start_functions.txt

$(E)/libmote.a: $(filter-out $(B)/vm/main.o $(B)/platform/unix/late.o,$(OBJECTS))
	$(V)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^

$(B)/%.o: src/%.c Makefile | $(GENERATED)
	$(V)mkdir -p $(@D) && $(CC) $(CFLAGS_all) $(CFLAGS_$(basename $(notdir $@))) $(if $(filter release,$(BUILD)),$(or $(OPTIMIZE_$*),$(OPTIMIZE_$(word 1,$(subst /, ,$*))))) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(G)/gen/%.c Makefile
	$(V)mkdir -p $(@D) && $(CC) $(CFLAGS_all) -MMD -MP -c -o $@ $<
$(if $(ABSENT),$(E)/gen/bifs.o): $(E)/gen/bifs.c Makefile
	$(V)$(CC) $(CFLAGS_all) -MMD -MP -c -o $@ $<

# Rooms whose speed does not matter as much as their size.
SMALL := -fno-jump-tables $(if $(findstring clang,$(CC)),-Os,-Oz -fno-inline-functions-called-once -fno-caller-saves -fno-if-conversion)
OPTIMIZE_base := $(SMALL)
OPTIMIZE_term := $(SMALL)
OPTIMIZE_data := $(SMALL)
OPTIMIZE_code := -Os
# What every start runs. Loops that clear a few words are to stay loops: gcc makes them "rep stos", which takes as long as all the rest.
START := -O2 $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)
$(foreach f,code/beam code/chunk code/decode code/emit code/inflate code/program code/scan code/verify,$(eval OPTIMIZE_$f := $(START)))
OPTIMIZE_code/rewrite := $(START) -fno-inline-functions
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
OPTIMIZE_native/x64 := $(SMALL) -fno-tree-sra -fno-ipa-sra
# ... except these: what programs spend their time in. (trunc and floor are instructions at -O2, calls of a library at -Os.)
$(foreach f,base/bitrun base/arena base/mem term/atom term/gc term/heap term/copy term/compare data/map data/map_build data/arith data/float data/integer \
    data/bit_build data/bit_match data/md5 proc/schedule proc/mailbox proc/signal proc/collect proc/clock proc/spawn proc/process proc/timer native/functions table/hash_table \
    table/match_run table/object table/tree_table,$(eval OPTIMIZE_$f := -O2))

# gcc otherwise merges all dispatches of the interpreter into one: two to three times slower.
# Units that change while they run (a call that led to a stub) are no race: what they lead to is there before. See docs/concurrency.md.
# clang, which takes minutes for so many jumps to so many places, is not asked to optimise them where programs are not what is looked at.
CFLAGS_interpreter := $(if $(filter thread,$(BUILD)),-fno-sanitize=thread) $(if $(filter fuzz,$(BUILD)),-O0) -fno-tree-vectorize $(if $(findstring clang,$(CC)),,-fno-gcse -fno-crossjumping)

# Generated from the sources; written only when they change (the stamp says when that was looked at), so that one new atom
# does not rebuild what it need not.
$(G)/gen/atoms.stamp: tools/gen_atoms.py $(ALL_SOURCES) $(HEADERS)
	$(V)mkdir -p $(@D) && $(PYTHON) tools/gen_atoms.py $(G)/gen && touch $@
$(G)/gen/bifs.stamp: tools/gen_bifs.py tools/natives.tab $(G)/gen/atoms.stamp
	$(V)$(PYTHON) tools/gen_bifs.py $(G)/gen && touch $@
$(E)/gen/bifs.c: $(if $(ABSENT),$(G)/gen/bifs.stamp Makefile)
	$(V)mkdir -p $(@D) && $(PYTHON) tools/gen_bifs.py $(@D) $(filter $(LEFT_OUT),$(ALL_SOURCES)) && touch $@
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
unit: $(E)/unit
	$(V)$(E)/unit
$(G)/gen/unit.c: tools/gen_unit.py $(UNIT)
	$(V)mkdir -p $(@D) && $(PYTHON) tools/gen_unit.py $@ $(UNIT)
$(E)/unit: $(UNIT:tests/unit/%.c=$(B)/unit_%.o) $(B)/gen/unit.o $(E)/libmote.a
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
	$(V)$(E)/mote -s mote_compile file examples/life.erl build/examples
	$(V)$(E)/mote build/examples/life.beam

# --- tests
BUILDS_TESTED := release sanitize stress
# Everything: all builds, both engines, fuzz targets.
check: setup
	$(V)scripts/otp-suites prepare --short
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
	$(V)$(CC) $(CFLAGS_all) -fsanitize=address,undefined,fuzzer -rdynamic -Wl,-u,port_open_tcp,-u,port_open_udp -o $@ $(filter %.c %.a,$^) $(LIBS)

bench: all
	$(V)$(PYTHON) bench/run.py
bench-concurrency: all
	$(V)$(PYTHON) bench/concurrency.py
size: all stripped
	$(V)size -A $(E)/mote.stripped | awk '$$2 > 1000'
	$(V)nm --size-sort -S -r $(E)/mote | head -30
	$(V)$(if $(ABSENT),,$(MAKE) --no-print-directory CORE=1 stripped)
parts: # those there are; of WITHOUT or CORE, the sources
	@echo $(if $(ABSENT),$(filter $(LEFT_OUT),$(ALL_SOURCES)),$(PARTS))
stripped: $(E)/mote
	$(V)strip -o $<.stripped $< && wc -c $<.stripped

# --- the house
docs: $(GENERATED)
	$(V)$(PYTHON) tools/gen_coverage.py
FORMATTED = $(wildcard src/*/*.[ch] src/platform/unix/*.[ch] tests/unit/*.[ch] tests/fuzz/*.c)
fmt:
	$(V)clang-format -i $(FORMATTED)
formatted:
	$(V)clang-format --dry-run --Werror $(FORMATTED)
# Left out: the two files that are all macros; tests of macros (toomanyconfigs); (Type){0} after a question mark, which cppcheck cannot parse (internalAstError).
CPPCHECK := cppcheck --quiet --error-exitcode=1 --library=tools/cppcheck.cfg --std=c11 --platform=unix64 --max-configs=1 --enable=warning,portability \
    --inline-suppr --suppress=toomanyconfigs --suppress=internalAstError -isrc/exec/interpreter.c -isrc/native/x64.c -Isrc -I$(G)
lint: cppcheck formatted
	$(V)$(PYTHON) tools/check_rooms.py
	$(V)clang -fsyntax-only -Werror $(CFLAGS_language) $(ALL_SOURCES) $(UNIT) -Itests/unit

.PHONY: cppcheck
cppcheck: $(GENERATED)
	$(V)$(CPPCHECK) src

PREFIX ?= /usr/local
install: all
	$(V)install -D $(E)/mote $(DESTDIR)$(PREFIX)/bin/mote
	$(V)$(if $(ATOMVM_LINK),ln -sf mote $(DESTDIR)$(PREFIX)/bin/AtomVM)
clean:
	$(V)rm -rf build

-include $(OBJECTS:.o=.d) $(UNIT:tests/unit/%.c=$(B)/unit_%.d)
