/* Options that several built-ins about processes take. */
#include "bif/spawn_options.h"

#include "data/map.h"
#include "proc/quota.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "term/gc.h"

static bool parse_bool(VM *vm, term map, term key, bool *value) {
    term v = map_get(vm, map, key);
    if (v == NONE) {
        return true;
    }
    *value = v == A_true;
    return v == A_true || v == A_false;
}

/* OTP 27 has come to know of include_shared_binaries. */
static bool has_binaries(VM *vm) {
    return vm_release(vm) >= 27;
}

static bool parse_max_size(VM *vm, term t, HeapSettings *h) {
    const HeapSettings *system = &vm->processes->heap;
    h->max_kill = system->max_kill, h->max_log = system->max_log, h->max_binaries = system->max_binaries;
    term size = t;
    if (is_map(t)) {
        size = map_get(vm, t, A_size);
        if (!parse_bool(vm, t, A_kill, &h->max_kill) || !parse_bool(vm, t, A_error_logger, &h->max_log) ||
            (has_binaries(vm) && !parse_bool(vm, t, A_include_shared_binaries, &h->max_binaries))) {
            return false;
        }
    }
    if (!is_small(size) || small_value(size) < 0) {
        return false;
    }
    h->max_words = (size_t)small_value(size);
    return true;
}

bool parse_max_heap(VM *vm, term t, HeapSettings *h) {
    return parse_max_size(vm, t, h) && (h->max_words == 0 || h->max_words >= h->min_words);
}

term max_heap_map(Process *p, const HeapSettings *h) {
    // clang-format off
    const term pairs[] = {
        A_error_logger, h->max_log ? A_true : A_false, A_kill, h->max_kill ? A_true : A_false, A_size, SMALL(h->max_words),
        A_include_shared_binaries, h->max_binaries ? A_true : A_false,
    };
    // clang-format on
    return map_from_pairs(HEAP(p), pairs, has_binaries(process_vm(p)) ? 4 : 3);
}

int parse_monitor_options(term list, term *tag) {
    int flags = 0, priority = 0;
    *tag = NONE;
    for (; is_cons(list); list = tail(list)) {
        term option = head(list);
        if (option == A_priority) {
            priority = RELATION_PRIORITY;
            continue;
        }
        if (!is_tuple_of(option, 2)) {
            return -1;
        }
        term value = element(option, 2);
        if (element(option, 1) == A_tag) {
            *tag = value;
        } else if (element(option, 1) != A_alias) {
            return -1;
        } else if (value == A_explicit_unalias) {
            flags = RELATION_ALIAS_UNALIAS;
        } else if (value == A_demonitor) {
            flags = RELATION_ALIAS_DEMONITOR;
        } else if (value == A_reply_demonitor) {
            flags = RELATION_ALIAS_REPLY;
        } else {
            return -1;
        }
    }
    return list == NIL ? flags | priority : -1;
}

int parse_priority_option(term list) {
    int flags = 0;
    for (; is_cons(list) && head(list) == A_priority; list = tail(list)) {
        flags = RELATION_PRIORITY;
    }
    return list == NIL ? flags : -1;
}

static const term priorities[] = {A_low, A_normal, A_high, A_max};

bool parse_priority(term t, Priority *priority) {
    for (int i = 0; i < PRIORITIES; i++) {
        if (priorities[i] == t) {
            *priority = (Priority)i;
            return true;
        }
    }
    return false;
}

term priority_atom(Priority priority) {
    return priorities[priority];
}

static bool parse_size(term value, uint32_t minimum, uint32_t *words) {
    if (!is_small(value) || small_value(value) < 0) {
        return false;
    }
    size_t n = (size_t)small_value(value);
    *words = n < minimum ? minimum : (uint32_t)MIN(gc_next_size(MIN(n, UINT32_MAX / 2)), UINT32_MAX);
    return true;
}

static bool parse_reply(term value, ParsedSpawnOptions *o) {
    o->reply_ok = value == A_yes || value == A_success_only;
    o->reply_error = value == A_yes || value == A_error_only;
    return o->reply_ok || o->reply_error || value == A_no;
}

/* #{memory => Bytes, reductions => N, messages => N, processes => N}, each of them or not; see docs/quotas.md. */
static bool parse_quota(VM *vm, term value, ParsedSpawnOptions *o) {
    if (!is_map(value)) {
        return false;
    }
    size_t known = 0;
    for (size_t i = 0; i < ACCOUNT_ITEMS; i++) {
        term limit = map_get(vm, value, quota_items[i]);
        o->quota[i] = ACCOUNT_NO_LIMIT;
        if (limit != NONE) {
            if (!is_small(limit) || small_value(limit) <= 0) {
                return false;
            }
            o->quota[i] = (uint64_t)small_value(limit);
            known++;
        }
    }
    o->spawn.quota = o->quota;
    return known == map_size(value);
}

static bool parse_pair(VM *vm, term key, term value, bool request, ParsedSpawnOptions *o) {
    SpawnOptions *s = &o->spawn;
    if (key == A_priority) {
        return parse_priority(value, &s->priority);
    }
    if (key == A_message_queue_data) {
        s->off_heap_messages = value == A_off_heap;
        return value == A_off_heap || value == A_on_heap;
    }
    if (key == A_min_heap_size) {
        return parse_size(value, MIN_HEAP_WORDS, &s->heap.min_words);
    }
    if (key == A_min_bin_vheap_size) {
        return parse_size(value, MIN_BINARY_WORDS, &s->heap.min_binary_words);
    }
    if (key == A_max_heap_size) {
        return parse_max_size(vm, value, &s->heap);
    }
    if (key == A_fullsweep_after) {
        if (!is_small(value) || small_value(value) < 0) {
            return false;
        }
        s->heap.full_sweep_after = (uint16_t)small_value(value);
        return true;
    }
    if (key == A_scheduler) {
        bool ok = is_small(value) && small_value(value) >= 0 && small_value(value) <= vm->processes->scheduler_count;
        s->scheduler = ok ? (uint32_t)small_value(value) : 0;
        return ok;
    }
    if (key == A_async_dist) {
        s->async_dist = value == A_true;
        return value == A_true || value == A_false;
    }
    if (key == A_monitor) {
        int flags = parse_monitor_options(value, &s->monitor_tag);
        s->monitor = true;
        s->monitor_flags = flags < 0 ? 0 : (uint8_t)flags;
        return flags >= 0;
    }
    if (key == A_link) {
        int flags = parse_priority_option(value);
        s->link = true;
        s->link_flags = flags < 0 ? 0 : (uint8_t)flags;
        return flags >= 0;
    }
    if (key == A_quota) {
        return parse_quota(vm, value, o);
    }
    if (request && key == A_reply) {
        return parse_reply(value, o);
    }
    if (request && key == A_reply_tag) {
        o->spawn.reply_tag = value;
        return true;
    }
    return false;
}

SpawnOptionsResult parse_spawn_options(VM *vm, term list, bool request, ParsedSpawnOptions *o) {
    spawn_options_init(vm, &o->spawn);
    o->reply_ok = o->reply_error = true;
    bool ok = true;
    for (; is_cons(list); list = tail(list)) {
        term option = head(list);
        if (option == A_link) {
            o->spawn.link = true;
        } else if (option == A_monitor) {
            o->spawn.monitor = true;
            o->spawn.monitor_tag = NONE;
            o->spawn.monitor_flags = 0;
        } else if (!is_tuple_of(option, 2) || !parse_pair(vm, element(option, 1), element(option, 2), request, o)) {
            ok = false;
        }
    }
    if (list != NIL) {
        return SPAWN_OPTIONS_NO_LIST;
    }
    if (o->spawn.heap.max_words != 0 && o->spawn.heap.max_words < o->spawn.heap.min_words) {
        ok = false;
    }
    return ok ? SPAWN_OPTIONS_OK : SPAWN_OPTIONS_BAD;
}
