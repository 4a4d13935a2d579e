/* proc/: processes that are driven by C functions instead of code: spawning and ending, signals, timers, memory. */
#include "unit.h"

#include "proc/collect.h"
#include "proc/dictionary.h"
#include "proc/mailbox.h"
#include "proc/names.h"
#include "proc/relation.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "proc/spawn.h"
#include "term/atom.h"
#include "term/compare.h"
#include "term/ref.h"

/* The engine of these tests: a process called test:N runs script N; x0 is its argument. A script is called whenever the
   process is scheduled in. */
typedef RunResult Script(Scheduler *s, Process *p);

typedef struct {
    VM vm;
    int seen[16];
    term pids[16];
    term last;
    Process *main;
} World;
static World *world;

static Script *const scripts[];

static RunResult run(Scheduler *s, Process *p) {
    if (p->ip == NULL) { /* its first slice: x holds arguments, module, function */
        p->ip = scripts[small_value(s->x[0])];
        p->live = 1;
        s->x[0] = p->live > 1 ? s->x[1] : s->x[0];
    }
    return ((Script *)(uintptr_t)p->ip)(s, p);
}

static RunResult finish(Process *p, term reason) {
    process_end(p, reason);
    return RUN_EXIT;
}

static RunResult wait_here(Process *p) {
    p->live = 0;
    return RUN_WAIT;
}

/* 0: ends at once. 1: waits for any message, then ends with it as reason. 2: counts small messages in seen[0], in order.
   3: waits with a timeout of 50 ms, then counts in seen[1] */
static RunResult ends(Scheduler *s, Process *p) {
    return finish(p, A_normal);
}
static RunResult waits(Scheduler *s, Process *p) {
    term m = mailbox_peek(p);
    if (m == NONE) {
        return process_must_leave(p) ? RUN_YIELD : wait_here(p);
    }
    mailbox_remove(p);
    return finish(p, m);
}
static RunResult counts(Scheduler *s, Process *p) {
    term m;
    while ((m = mailbox_peek(p)) != NONE) {
        if (is_small(m)) {
            CHECK(small_value(m) == world->seen[0]);
            world->seen[0]++;
        } else {
            world->seen[2]++;
            world->last = element(m, 1);
        }
        mailbox_remove(p);
        p->heap.reds--;
        if (p->heap.reds <= 0) {
            p->live = 0;
            return RUN_YIELD;
        }
    }
    return wait_here(p);
}
static RunResult times_out(Scheduler *s, Process *p) {
    term m = mailbox_peek(p);
    CHECK(m == NONE);
    switch (mailbox_wait(p, SMALL(50))) {
    case MAILBOX_WAIT: return wait_here(p);
    case MAILBOX_TIMED_OUT: break;
    case MAILBOX_BAD_TIME: CHECK(false); break;
    }
    mailbox_timed_out(p);
    world->seen[1]++;
    return finish(p, A_normal);
}
/* 4: traps exits; keeps the reason (or its second element) in `last`, and who or the reference's number */
static RunResult traps(Scheduler *s, Process *p) {
    p->flags |= FLAG_TRAP_EXIT;
    term m;
    while ((m = mailbox_peek(p)) != NONE) {
        CHECK(is_tuple(m));
        world->seen[3]++;
        term reason = element(m, tuple_arity(m)), who = element(m, 2);
        world->last = is_tuple(reason) ? element(reason, 2) : reason;
        world->pids[1] = is_local_ref(who) ? (term)ref_low(who) : who;
        mailbox_remove(p);
    }
    return wait_here(p);
}
/* 5: never gives up the processor by itself: counts its slices per process */
static RunResult spins(Scheduler *s, Process *p) {
    for (int i = 0; i < 16; i++) {
        if (world->pids[i] == p->pid) {
            world->seen[i]++;
        }
    }
    p->heap.reds = 0;
    p->live = 0;
    return RUN_YIELD;
}
static Script *const scripts[] = {ends, waits, counts, times_out, traps, spins};

static void world_open(World *w, uint32_t limit) {
    memset(w, 0, sizeof *w);
    mem_init(&w->vm.mem);
    CHECK(terms_init(&w->vm));
    CHECK(processes_init(&w->vm, limit, 1));
    w->vm.processes->run = run;
    Clock *clock = &w->vm.processes->clock;
    clock->now = clock_monotonic(&w->vm);
    clock->frozen = true;
    world = w;
}

static void world_close(World *w) {
    processes_done(&w->vm);
    terms_done(&w->vm);
    CHECK(mem_total(&w->vm.mem) == 0);
}

static term spawn_script(World *w, Process *parent, int script, SpawnOptions *options) {
    term cells[2] = {SMALL(script), NIL}, reason;
    SpawnOptions o;
    if (options == NULL) {
        spawn_options_init(&w->vm, &o);
        options = &o;
    }
    return process_spawn(&w->vm, parent, A_erlang, A_apply, make_cons(cells), options, &reason);
}

static void go(World *w) {
    CHECK(scheduler_run(vm_scheduler(&w->vm)) == SCHEDULE_IDLE);
}

TEST(processes_begin_and_end) {
    World w;
    world_open(&w, 1024);
    size_t empty = mem_total(&w.vm.mem);
    for (int i = 0; i < 5000; i++) {
        term pid = spawn_script(&w, NULL, 0, NULL);
        CHECK(pid == make_pid((uintptr_t)i));
        if (i % 100 == 99) {
            go(&w);
        }
    }
    CHECK(w.vm.processes->count == 0);
    go(&w);
    signals_done(vm_scheduler(&w.vm));
    CHECK(mem_total(&w.vm.mem) == empty);
    world_close(&w);
}

TEST(the_process_table_has_a_limit) {
    World w;
    world_open(&w, 1024);
    for (int i = 0; i < 1024; i++) {
        CHECK(spawn_script(&w, NULL, 1, NULL) != NONE);
    }
    CHECK(spawn_script(&w, NULL, 1, NULL) == NONE);
    go(&w);
    CHECK(w.vm.processes->count == 1024);
    exit_send(vm_scheduler(&w.vm), make_pid(0), make_pid(77), A_kill);
    go(&w);
    CHECK(process_find(&w.vm, make_pid(77)) == NULL);
    CHECK(spawn_script(&w, NULL, 1, NULL) == make_pid(1024 + 77));
    world_close(&w);
}

TEST(an_idle_process_is_small) {
    World w;
    world_open(&w, 0);
    size_t empty = mem_total(&w.vm.mem);
    for (int i = 0; i < 10000; i++) {
        spawn_script(&w, NULL, 1, NULL);
    }
    go(&w);
    size_t each = (mem_total(&w.vm.mem) - empty) / 10000;
    CHECK(each <= 400 - 16); /* two blocks of malloc */
    if (each > 400 - 16) {
        printf("bytes of an idle process: %zu, of which the struct: %zu\n", each, sizeof(Process));
    }
    world_close(&w);
}

TEST(messages_arrive_in_order) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    term pid = spawn_script(&w, NULL, 2, NULL);
    for (int i = 0; i < 20000; i++) {
        CHECK(message_send(s, NULL, pid, SMALL(i)));
        if (i % 777 == 0) {
            scheduler_step(s);
        }
    }
    go(&w);
    CHECK(w.seen[0] == 20000);
    Heap h;
    heap_init_detached(&h, &w.vm);
    for (int i = 0; i < 1000; i++) {
        term t = TUPLE2(&h, A_ok, heap_latin1_list(&h, "hello", 5));
        CHECK(message_send(s, NULL, pid, t));
    }
    heap_free_fragments(&w.vm, heap_detach(&h));
    go(&w);
    CHECK(w.seen[2] == 1000 && w.last == A_ok);
    CHECK(process_find(&w.vm, pid)->messages == 0);
    world_close(&w);
}

TEST(receive_times_out) {
    World w;
    world_open(&w, 0);
    int64_t start = clock_monotonic(&w.vm);
    for (int i = 0; i < 100; i++) {
        spawn_script(&w, NULL, 3, NULL);
    }
    go(&w);
    CHECK(w.seen[1] == 100);
    int64_t passed = clock_monotonic(&w.vm) - start;
    CHECK(passed >= 50000000 && passed <= 52000000);
    world_close(&w);
}

static int fired;
static int64_t last_fired;
static void fire(Scheduler *s, Timer *t) {
    CHECK(timers_now(s->vm) >= t->at);
    CHECK(t->at >= last_fired);
    last_fired = t->at;
    fired++;
}

TEST(timers_fire_in_order_and_never_early) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    enum { N = 3000 };
    static Timer timers[N];
    memset(timers, 0, sizeof timers);
    fired = 0;
    last_fired = INT64_MIN;
    int cancelled = 0;
    for (int i = 0; i < N; i++) {
        int bits = (int)(schedule_random(s) % 44);
        int64_t ms = (int64_t)(schedule_random(s) & (((uint64_t)1 << bits) - 1));
        timer_set(s, &timers[i], timers_after(&w.vm, ms), fire);
    }
    for (int i = 0; i < N; i += 7) {
        timer_cancel(&w.vm, &timers[i]);
        CHECK(timers[i].link == NULL);
        cancelled++;
    }
    go(&w);
    CHECK(fired == N - cancelled);
    world_close(&w);
}

TEST(exit_signals_and_links) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    term trapper = spawn_script(&w, NULL, 4, NULL), pid = spawn_script(&w, NULL, 1, NULL);
    go(&w);
    Process *t = process_find(&w.vm, trapper);
    CHECK(process_enter(t) == ENTER_DONE);
    CHECK(link_make(t, pid, 0));
    process_leave(t);
    exit_send(s, trapper, pid, A_normal); /* ignored */
    go(&w);
    CHECK(process_find(&w.vm, pid) != NULL);
    Heap h;
    heap_init_detached(&h, &w.vm);
    exit_send(s, trapper, pid, TUPLE2(&h, A_error, SMALL(7)));
    heap_free_fragments(&w.vm, heap_detach(&h));
    go(&w);
    CHECK(process_find(&w.vm, pid) == NULL);
    CHECK(w.seen[3] == 1 && w.pids[1] == pid && w.last == SMALL(7));
    exit_send(s, make_pid(5), trapper, A_kill);
    go(&w);
    CHECK(w.vm.processes->count == 0);
    world_close(&w);
}

TEST(unlink_and_link_again) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    term a = spawn_script(&w, NULL, 1, NULL), b = spawn_script(&w, NULL, 1, NULL);
    go(&w);
    Process *p = process_find(&w.vm, a);
    CHECK(process_enter(p) == ENTER_DONE);
    CHECK(link_make(p, b, 0));
    link_break(p, b);
    CHECK(link_make(p, b, 0));
    link_break(p, b);
    process_leave(p);
    go(&w);
    CHECK(p->relations == NULL && process_find(&w.vm, b)->relations == NULL);
    CHECK(process_enter(p) == ENTER_DONE);
    link_make(p, b, 0);
    link_break(p, b);
    link_make(p, b, 0);
    process_leave(p);
    go(&w);
    CHECK(p->relations != NULL);
    exit_send(s, a, b, A_kill); /* b ends as killed, which is no kill signal for a */
    go(&w);
    CHECK(w.vm.processes->count == 0);
    world_close(&w);
}

TEST(monitors_and_names) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    term watcher = spawn_script(&w, NULL, 4, NULL), pid = spawn_script(&w, NULL, 1, NULL);
    go(&w);
    CHECK(name_register(&w.vm, A_erlang, pid));
    CHECK(!name_register(&w.vm, A_erlang, watcher) && !name_register(&w.vm, A_apply, pid));
    CHECK(name_find(&w.vm, A_erlang) == pid && name_of(&w.vm, pid) == A_erlang && name_count(&w.vm) == 1);
    Process *p = process_find(&w.vm, watcher);
    CHECK(process_enter(p) == ENTER_DONE);
    term ref = ref_make(&p->heap), ref2 = ref_make(&p->heap), ref3 = ref_make(&p->heap);
    CHECK(monitor_make(p, ref, pid, A_erlang, 0, NONE));
    CHECK(monitor_make(p, ref2, pid, NONE, 0, NONE));
    CHECK(monitor_make(p, ref3, make_pid(99), NONE, 0, NONE));
    CHECK(monitor_break(p, ref2) && !monitor_break(p, ref2));
    term number = (term)ref_low(ref);
    process_leave(p);
    go(&w);
    CHECK(w.seen[3] == 1 && w.last == A_noproc);
    exit_send(s, watcher, pid, A_error);
    go(&w);
    CHECK(w.seen[3] == 2 && w.last == A_error && w.pids[1] == number);
    CHECK(name_find(&w.vm, A_erlang) == NONE && p->relations == NULL);
    world_close(&w);
}

TEST(exit_storm) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    enum { N = 3000 };
    term first = spawn_script(&w, NULL, 1, NULL);
    go(&w);
    SpawnOptions o;
    spawn_options_init(&w.vm, &o);
    o.link = true;
    Process *parent = process_find(&w.vm, first);
    for (int i = 0; i < N; i++) { /* a star and a chain */
        term pid = spawn_script(&w, parent, 1, &o);
        if (i % 3 == 0) {
            parent = process_find(&w.vm, pid);
        }
    }
    go(&w);
    CHECK(w.vm.processes->count == N + 1);
    exit_send(s, NONE, first, A_error);
    go(&w);
    CHECK(w.vm.processes->count == 0);
    CHECK(w.vm.mem.used[MEM_HEAP] == 0);
    world_close(&w);
}

TEST(priorities) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    SpawnOptions o;
    spawn_options_init(&w.vm, &o);
    for (int i = 0; i < 4; i++) {
        o.priority = i < 2 ? PRIORITY_NORMAL : PRIORITY_LOW;
        w.pids[i] = spawn_script(&w, NULL, 5, &o);
    }
    for (int i = 0; i < 1800; i++) {
        scheduler_step(s);
    }
    CHECK(w.seen[0] == w.seen[1] && w.seen[2] == w.seen[3] && w.seen[0] >= 7 * w.seen[2] && w.seen[2] > 50);
    int before = w.seen[0];
    o.priority = PRIORITY_HIGH;
    w.pids[4] = spawn_script(&w, NULL, 5, &o);
    for (int i = 0; i < 100; i++) {
        scheduler_step(s);
    }
    CHECK(w.seen[0] == before && w.seen[4] == 100);
    world_close(&w);
}

TEST(dictionary_keeps_pairs) {
    World w;
    world_open(&w, 0);
    term pid = spawn_script(&w, NULL, 1, NULL), old;
    go(&w);
    Process *p = process_find(&w.vm, pid);
    CHECK(process_enter(p) == ENTER_DONE);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 500; i++) {
            CHECK(dictionary_put(p, SMALL(i * 17), SMALL(i + round), &old));
            CHECK(old == (round == 0 ? NONE : SMALL(i)));
        }
    }
    CHECK(dictionary_count(p) == 500);
    for (int i = 0; i < 500; i += 3) {
        CHECK(dictionary_erase(p, SMALL(i * 17)) == SMALL(i + 1));
    }
    for (int i = 0; i < 500; i++) {
        CHECK(dictionary_get(p, SMALL(i * 17)) == (i % 3 == 0 ? NONE : SMALL(i + 1)));
    }
    for (int i = 0; i < 500; i++) {
        dictionary_erase(p, SMALL(i * 17));
    }
    CHECK(p->dictionary == NULL && dictionary_list(p) == NIL);
    process_leave(p);
    world_close(&w);
}

static void count_timer(const BifTimer *t, void *arg) {
    (void)t;
    ++*(size_t *)arg;
}

TEST(timers_that_send) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    term pid = spawn_script(&w, NULL, 2, NULL), other = spawn_script(&w, NULL, 2, NULL);
    go(&w);
    Process *p = process_find(&w.vm, pid);
    CHECK(process_enter(p) == ENTER_DONE);
    term refs[50];
    for (int i = 0; i < 50; i++) {
        refs[i] = ref_make(&p->heap);
        CHECK(bif_timer_start(p, refs[i], timers_after(&w.vm, 100 + i), i < 40 ? pid : other, SMALL(i), false));
    }
    CHECK(bif_timer_read(&w.vm, ref_low(refs[3]), ref_high(refs[3])) == 103);
    for (int i = 20; i < 50; i++) {
        CHECK(bif_timer_cancel(&w.vm, ref_low(refs[i]), ref_high(refs[i])) == 100 + i);
        CHECK(bif_timer_cancel(&w.vm, ref_low(refs[i]), ref_high(refs[i])) == -1);
    }
    process_leave(p);
    go(&w);
    CHECK(w.seen[0] == 20);
    CHECK(process_enter(p) == ENTER_DONE);
    for (int i = 0; i < 10; i++) {
        CHECK(bif_timer_start(p, ref_make(&p->heap), timers_after(&w.vm, 10), pid, SMALL(0), true));
    }
    process_leave(p);
    exit_send(s, NONE, pid, A_kill);
    go(&w);
    size_t left = 0;
    bif_timers_each(&w.vm, count_timer, &left);
    CHECK(left == 0 && process_find(&w.vm, pid) == NULL);
    world_close(&w);
}

TEST(aliases) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    term pid = spawn_script(&w, NULL, 2, NULL);
    go(&w);
    Process *p = process_find(&w.vm, pid);
    CHECK(process_enter(p) == ENTER_DONE);
    term keep = ref_make_alias(&p->heap, pid), once = ref_make_alias(&p->heap, pid);
    CHECK(alias_make(p, keep, RELATION_ALIAS_UNALIAS) && alias_make(p, once, RELATION_ALIAS_REPLY));
    process_leave(p);
    for (int i = 0; i < 3; i++) {
        CHECK(message_send_alias(s, NULL, keep, SMALL(i), false));
    }
    CHECK(message_send_alias(s, NULL, once, SMALL(3), false));
    CHECK(message_send_alias(s, NULL, once, SMALL(99), false));
    go(&w);
    CHECK(w.seen[0] == 4);
    CHECK(process_enter(p) == ENTER_DONE);
    CHECK(alias_break(p, keep) && !alias_break(p, keep) && !alias_break(p, once));
    process_leave(p);
    CHECK(message_send_alias(s, NULL, keep, SMALL(99), false));
    go(&w);
    CHECK(w.seen[0] == 4 && p->relations == NULL);
    world_close(&w);
}

TEST(markers_skip_what_is_older) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    term pid = spawn_script(&w, NULL, 1, NULL);
    Process *p = process_find(&w.vm, pid);
    for (int i = 0; i < 10; i++) {
        message_send(s, NULL, pid, SMALL(i));
    }
    CHECK(process_enter(p) == ENTER_DONE);
    term marker = mailbox_marker_reserve(p);
    term ref = ref_make(&p->heap);
    mailbox_marker_bind(p, marker, ref);
    message_send(s, NULL, pid, A_process);
    mailbox_marker_use(p, ref);
    CHECK(mailbox_peek(p) == A_process);
    p->save = &p->inner;
    for (int i = 0; i < 9; i++) {
        CHECK(mailbox_peek(p) == SMALL(i));
        mailbox_advance(p);
    }
    CHECK(mailbox_peek(p) == SMALL(9));
    mailbox_remove(p); /* the one the marker hangs on */
    mailbox_marker_use(p, ref);
    CHECK(mailbox_peek(p) == A_process);
    mailbox_remove(p);
    mailbox_marker_use(p, ref);
    CHECK(mailbox_peek(p) == NONE && p->messages == 9);
    message_send(s, NULL, pid, A_port);
    CHECK(mailbox_peek(p) == A_port);
    p->save = &p->inner;
    mailbox_marker_clear(p, ref);
    mailbox_marker_use(p, ref);
    CHECK(mailbox_peek(p) == SMALL(0));
    process_leave(p);
    world_close(&w);
}

TEST(running_out_of_memory_kills_processes_only) {
    World w;
    world_open(&w, 0);
    Scheduler *s = vm_scheduler(&w.vm);
    for (int n = 0; n < 60; n++) {
        term watcher = spawn_script(&w, NULL, 4, NULL);
        go(&w);
        SpawnOptions o;
        spawn_options_init(&w.vm, &o);
        o.link = true;
        Process *p = process_find(&w.vm, watcher);
        w.vm.mem.fail_after = n % 20;
        w.vm.mem.fail_count = 3;
        CHECK(process_enter(p) == ENTER_DONE);
        term ref = ref_make(&p->heap);
        term pid = spawn_script(&w, p, 1, &o);
        if (pid != NONE) {
            monitor_make(p, ref, pid, A_erlang, 0, ref);
            message_send(s, p, pid, ref);
            bif_timer_start(p, ref, timers_after(&w.vm, 10), pid, ref, true);
        }
        process_leave(p);
        scheduler_run(s);
        w.vm.mem.fail_after = -1;
        exit_send(s, NONE, watcher, A_kill);
        if (pid != NONE) {
            exit_send(s, NONE, pid, A_kill);
        }
        go(&w);
        CHECK(w.vm.processes->count == 0);
    }
    world_close(&w);
}
