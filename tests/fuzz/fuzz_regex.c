/* Regular expressions: whatever the pattern, the options, the subject and the stored form, nothing is read or written that does not
   belong there. Input: options (4 bytes), run options (1), offset (1), length of the pattern (1), pattern, subject. */
#include "fuzz.h"

#include "io/io.h"
#include "io/regex.h"

enum { HEAD = 7, FEW_STEPS = 20000 };

static void run_it(Regex *r, const uint8_t *subject, size_t size, uint8_t options, size_t offset) {
    for (int briefly = 0; briefly < 2; briefly++) {
        // clang-format off
        RegexRun run = {.regex = r, .subject = subject, .size = size, .offset = offset, .options = options & 31,
                        .match_limit = FEW_STEPS, .depth_limit = FEW_STEPS};
        // clang-format on
        if (regex_run(&run, briefly) == REGEX_MATCH) {
            MUST(run.count <= regex_captures(r) + 1);
            for (size_t i = 0; i < 2 * run.count; i++) {
                MUST(run.groups[i] == REGEX_UNSET || run.groups[i] <= size);
            }
        }
        regex_run_done(&run);
    }
}

static void compile_and_run(VM *vm, const uint8_t *data, size_t size) {
    uint32_t options;
    memcpy(&options, data, sizeof options);
    size_t length = MIN((size_t)data[6], size - HEAD);
    Regex *r, *again;
    RegexError error;
    RegexStatus status = regex_compile(vm, options & REGEX_OPTIONS, data + HEAD, length, &r, &error);
    if (status != REGEX_OK) {
        MUST(status != REGEX_WRONG || error.at <= length + 1);
        return;
    }
    run_it(r, data + HEAD + length, size - HEAD - length, data[4], data[5]);
    for (size_t i = 0, n = regex_names(r), group; i < n; i++) {
        MUST(strlen(regex_name(r, i, &group)) < 128 && group <= regex_captures(r));
    }
    const uint8_t *stored;
    size_t stored_size;
    regex_write(r, &stored, &stored_size);
    MUST(regex_read(vm, stored, stored_size, &again) == REGEX_OK && again == r);
    regex_release(vm, again);
    regex_release(vm, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    VM vm;
    Io io;
    Regex *r;
    memset(&vm, 0, sizeof vm);
    memset(&io, 0, sizeof io);
    mem_init(&vm.mem);
    vm.io = &io;
    if (size >= HEAD) {
        compile_and_run(&vm, data, size);
    }
    if (regex_read(&vm, data, size, &r) == REGEX_OK) {
        run_it(r, data, size, 0, 0);
        regex_release(&vm, r);
    }
    regex_done(&vm);
    MUST(mem_total(&vm.mem) == 0);
    return 0;
}
