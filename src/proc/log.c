/* What the VM itself has to report goes to the process registered as logger. */
#include "data/integer.h"
#include "data/map.h"
#include "platform/platform.h"
#include "proc/names.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/spawn.h"
#include "term/atom.h"
#include "term/copy.h"

/* As OTP's emulator sends it: {log, Level, Format, Args, #{error_logger => #{emulator => true, tag => Level}, gl, pid, time}}. */
void log_send(VM *vm, term level, const char *format, term args, term group_leader, term from_pid) {
    Processes *ps = vm->processes;
    if (is_local_pid(ps->logger) && process_find(vm, ps->logger) == NULL) { /* it has gone: the usual one again */
        ps->logger = NONE;
    }
    term logger = ps->logger == NONE ? name_find(vm, A_logger) : ps->logger;
    if (!is_local_pid(logger)) {
        return;
    }
    Heap h;
    heap_init_detached(&h, vm);
    const term tags[] = {A_emulator, A_true, A_tag, level};
    term pairs[8] = {A_error_logger, map_from_pairs(&h, tags, 2), A_time, integer_from_int64(&h, clock_platform_system(vm) / 1000)};
    size_t count = 2;
    if (group_leader != NONE) {
        pairs[2 * count] = A_gl, pairs[2 * count + 1] = term_copy(&h, group_leader);
        count++;
    }
    if (from_pid != NONE) {
        pairs[2 * count] = A_pid, pairs[2 * count + 1] = from_pid;
        count++;
    }
    term meta = pairs[1] == NONE ? NONE : map_from_pairs(&h, pairs, count);
    term copy = term_copy(&h, args), text = heap_latin1_list(&h, format, strlen(format));
    if (meta == NONE || copy == NONE || text == NONE) {
        heap_free_fragments(vm, heap_detach(&h));
        return;
    }
    message_send_built(vm_scheduler(vm), logger, heap_tuple(&h, 5, A_log, level, text, copy, meta), &h);
}
