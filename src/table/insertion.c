/* Putting many objects into a table in slices. */
#include "table/insertion.h"

#include "proc/schedule.h"

void insertion_add(Insertion *i, Object *o) {
    o->next = i->reversed ? i->first : NULL;
    if (i->first == NULL) {
        i->first = i->last = o;
    } else if (i->reversed) {
        i->first = o;
    } else {
        i->last->next = o;
        i->last = o;
    }
}

void insertion_begin(Insertion *i, Table *t) {
    i->table = t;
    t->pending = i;
    i->unchecked = i->only_new ? i->first : NULL;
}

static void drop_objects(VM *vm, Insertion *i) {
    while (i->first != NULL) {
        Object *o = i->first;
        i->first = o->next;
        object_free(vm, o);
    }
}

bool insertion_step(VM *vm, Insertion *i, size_t *objects) {
    Table *t = i->table;
    if (t == NULL) {
        return true;
    }
    for (; i->unchecked != NULL && *objects > 0; --*objects) {
        i->exists = table_lookup(vm, t, table_key(t, i->unchecked)) != NULL;
        i->unchecked = i->exists ? NULL : i->unchecked->next;
    }
    if (i->exists) {
        drop_objects(vm, i);
    }
    for (; i->unchecked == NULL && i->first != NULL && *objects > 0; --*objects) {
        Object *o = i->first;
        i->first = o->next;
        table_put(vm, t, o, false);
    }
    if (i->first != NULL) {
        return false;
    }
    t->pending = NULL;
    __atomic_store_n(&i->table, NULL, __ATOMIC_RELEASE);
    return true;
}

void insertion_finish(VM *vm, Table *t) {
    size_t all = SIZE_MAX;
    if (t->pending != NULL) {
        insertion_step(vm, t->pending, &all);
    }
}

/* Others who find the table finish it under the table's lock. True: this call has locked it. */
static bool lock(VM *vm, Insertion *i) {
    Table *t = __atomic_load_n(&i->table, __ATOMIC_ACQUIRE);
    return t != NULL && table_lock(vm, t);
}

static void unlock(VM *vm, bool locked) {
    if (locked) {
        table_unlock(vm_scheduler(vm));
    }
}

bool insertion_go_on(VM *vm, Insertion *i, size_t *objects) {
    bool locked = lock(vm, i), done = insertion_step(vm, i, objects);
    unlock(vm, locked);
    return done;
}

void insertion_done(VM *vm, Insertion *i) {
    bool locked = lock(vm, i);
    if (i->table != NULL) {
        insertion_finish(vm, i->table);
    }
    drop_objects(vm, i);
    unlock(vm, locked);
}
