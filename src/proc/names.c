/* Registered names: one hash table with both directions, name to process and process to name. */
#include "proc/names.h"

#include "proc/schedule.h"

/* Open addressing; key NONE: free. Two entries a name. */
typedef struct Name {
    term key, value;
} Name;

enum { FIRST_ROOM = 32 };

static uint32_t slot_of(const Processes *ps, term key) {
    uint32_t mask = ps->name_room - 1, i = (uint32_t)((uint64_t)key * 0x9e3779b97f4a7c15ull >> 32) & mask;
    while (ps->names[i].key != NONE && ps->names[i].key != key) {
        i = (i + 1) & mask;
    }
    return i;
}

static bool grow(VM *vm, uint32_t room) {
    Processes *ps = vm->processes;
    Name *old = ps->names;
    uint32_t old_room = ps->name_room;
    Name *names = mem_zalloc(&vm->mem, MEM_SYSTEM, room * sizeof *names);
    if (names == NULL) {
        return false;
    }
    ps->names = names, ps->name_room = room;
    for (uint32_t i = 0; i < old_room; i++) {
        if (old[i].key != NONE) {
            ps->names[slot_of(ps, old[i].key)] = old[i];
        }
    }
    mem_free(&vm->mem, MEM_SYSTEM, old, old_room * sizeof *old);
    return true;
}

bool names_init(VM *vm) {
    return grow(vm, FIRST_ROOM);
}

void names_done(VM *vm) {
    Processes *ps = vm->processes;
    mem_free(&vm->mem, MEM_SYSTEM, ps->names, ps->name_room * sizeof *ps->names);
    ps->names = NULL, ps->name_room = 0;
}

static term get(const Processes *ps, term key) {
    return ps->names[slot_of(ps, key)].value;
}

static void set(Processes *ps, term key, term value) {
    Name *n = &ps->names[slot_of(ps, key)];
    assert(n->key == NONE);
    *n = (Name){key, value};
}

static void forget(Processes *ps, term key) {
    uint32_t mask = ps->name_room - 1, i = slot_of(ps, key);
    ps->names[i] = (Name){NONE, NONE};
    /* Those behind it that its place kept away from theirs are put in again. */
    for (uint32_t j = (i + 1) & mask; ps->names[j].key != NONE; j = (j + 1) & mask) {
        Name n = ps->names[j];
        ps->names[j] = (Name){NONE, NONE};
        ps->names[slot_of(ps, n.key)] = n;
    }
}

term name_find(VM *vm, term name) {
    return is_atom(name) ? get(vm->processes, name) : NONE;
}

term name_of(VM *vm, term pid) {
    return get(vm->processes, pid);
}

bool name_register(VM *vm, term name, term pid) {
    Processes *ps = vm->processes;
    if (get(ps, name) != NONE || get(ps, pid) != NONE) {
        return false;
    }
    if (8 * (ps->name_count + 1) > 3 * ps->name_room && !grow(vm, 2 * ps->name_room)) {
        return false;
    }
    set(ps, name, pid);
    set(ps, pid, name);
    ps->name_count++;
    Process *p = process_find(vm, pid);
    if (p != NULL) {
        process_set(p, STATE_NAMED);
    }
    return true;
}

bool name_unregister(VM *vm, term name) {
    Processes *ps = vm->processes;
    term pid = name_find(vm, name);
    if (pid == NONE) {
        return false;
    }
    forget(ps, name);
    forget(ps, pid);
    ps->name_count--;
    Process *p = process_find_any(vm, pid);
    if (p != NULL) {
        process_clear(p, STATE_NAMED);
    }
    return true;
}

size_t name_count(const VM *vm) {
    return vm->processes->name_count;
}

size_t name_all(const VM *vm, term *names, size_t room) {
    const Processes *ps = vm->processes;
    size_t n = 0;
    for (uint32_t i = 0; i < ps->name_room && n < room; i++) {
        if (is_atom(ps->names[i].key)) {
            names[n++] = ps->names[i].key;
        }
    }
    return n;
}
