/* Free choices drawn from a seed. */
#include "proc/chance.h"

#include "proc/run_queue.h"
#include "proc/schedule.h"
#include "proc/watch.h"

/* Choices are made among so many, so that a long queue stays cheap. */
enum { WINDOW = 256 };
/* Slices have 1 to 2^SLICE_BITS reductions, each power of two as likely as any other: most races want short ones, and nothing
   gets forward with short ones alone. */
enum { SLICE_BITS = 12 };
enum { LOOK_ODDS = 8 };        /* after one slice in so many, clock and input are looked at */
enum { REDUCTION_TIME = 250 }; /* nanoseconds */
/* With some seeds, who runs next is settled for a while: some processes always come first, others get nothing until nobody else
   wants to run. After one slice in so many that is settled anew. */
enum { FAVOUR_ODDS = 64 };
/* 2001-09-09 and up to a day: when runs with a seed begin. */
#define FIRST_SYSTEM_TIME (INT64_C(1000000000) * 1000000000)
#define DAY (UINT64_C(86400) * 1000000000)

/* As if the machine had been busy with something else: after one slice in `odds` up to 2^bits nanoseconds pass, each power of two
   as likely as any other, so that timeouts come in the middle of work. Those that may be long become rarer and rarer, or long
   runs would be nothing but waiting: with some seeds for good, with others until, after one slice in `again`, they begin anew, so
   that what runs late is held up, too. */
typedef struct {
    uint16_t odds;
    uint8_t bits, rarer; /* rarer: the odds grow by 1/rarer each time; 0: they stay */
    uint16_t again;      /* 0: never */
} Stalls;
static const Stalls stalls[] = {{0, 0, 0, 0}, {16, 22, 0, 0}, {64, 30, 4, 0}, {64, 30, 4, 1024}, {64, 26, 4, 128}};

uint64_t chance_mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

void chance_time(VM *vm) {
    Clock *c = &vm->processes->clock;
    c->frozen = true;
    c->now = c->start = c->origin;
    c->offset = FIRST_SYSTEM_TIME + (int64_t)(chance_mix(~vm->seed) % DAY) - c->origin;
}

void chance_begin(Scheduler *s) {
    s->random = chance_mix(s->vm->seed) | 1;
    s->watch |= WATCH_CHANCE;
    Chance *c = &s->vm->processes->chance;
    c->stalls = (uint8_t)(schedule_random(s) % ARRAY_LEN(stalls));
    c->odds = stalls[c->stalls].odds;
    c->favours = schedule_random(s) % 2 == 0;
    s->vm->processes->several = true; /* so that processes are not taken in the quick way */
}

/* Of the first `count` processes in the list, the one with the lowest number: the number is drawn for this time, or for a while. */
static Process **choose(Scheduler *s, Process **list, size_t count) {
    Chance *c = &s->vm->processes->chance;
    if (!c->favours) {
        for (size_t i = schedule_random(s) % count; i > 0; i--) {
            list = &(*list)->next;
        }
        return list;
    }
    if (schedule_random(s) % FAVOUR_ODDS == 0) {
        c->favour = schedule_random(s);
    }
    Process **best = list;
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < count; i++, list = &(*list)->next) {
        uint64_t number = chance_mix((*list)->pid ^ c->favour);
        if (number < lowest) {
            lowest = number;
            best = list;
        }
    }
    return best;
}

static Process *pick(Scheduler *s, int q) {
    RunQueues *r = s->queues;
    size_t n = 0;
    for (const Process *p = r->queue[q].first; p != NULL && n < WINDOW; p = p->next) {
        n++;
    }
    if (n == 0) {
        return NULL;
    }
    Process **link = choose(s, &r->queue[q].first, n), *p = *link;
    *link = p->next;
    if (p->next == NULL) {
        r->queue[q].last = link;
    }
    __atomic_store_n(&r->queue[q].length, r->queue[q].length - 1, __ATOMIC_RELAXED);
    return p;
}

Process *chance_take(Scheduler *s) {
    RunQueues *r = s->queues;
    for (int q = QUEUE_MAX; q >= QUEUE_NORMAL; q--) {
        Process *p;
        while ((p = pick(s, q)) != NULL) {
            if (p->priority != PRIORITY_LOW || r->queue[q].first == NULL || schedule_random(s) % (LOW_SKIPS + 1) == 0) {
                return p;
            }
            run_queue_push(r, p, q);
        }
    }
    return NULL;
}

intptr_t chance_cut(Scheduler *s, Process *p) {
    uint64_t x = schedule_random(s);
    intptr_t length = 1 + (intptr_t)((x >> 8) & (((uint64_t)1 << (x % (SLICE_BITS + 1))) - 1));
    intptr_t cut = MAX(SLICE_REDUCTIONS - length, 0);
    process_give_up(p, cut);
    return cut;
}

static int64_t stall(Scheduler *s) {
    Chance *c = &s->vm->processes->chance;
    const Stalls *kind = &stalls[c->stalls];
    if (kind->again > 0 && schedule_random(s) % kind->again == 0) {
        c->odds = kind->odds;
    }
    if (c->odds == 0 || schedule_random(s) % c->odds != 0) {
        return 0;
    }
    c->odds += kind->rarer == 0 ? 0 : c->odds / kind->rarer;
    uint64_t x = schedule_random(s);
    return (int64_t)((x >> 8) & (((uint64_t)1 << (x % (kind->bits + 1u))) - 1));
}

void chance_passed(Scheduler *s, int64_t reductions) {
    s->vm->processes->clock.now += (1 + reductions) * REDUCTION_TIME + stall(s);
    if (schedule_random(s) % LOOK_ODDS == 0) {
        s->queues->until_look = 0;
    }
}

Timer *chance_timer(Scheduler *s, Timer *list) {
    size_t n = 0;
    for (const Timer *t = list; t != NULL && n < WINDOW; t = t->next) {
        n++;
    }
    for (size_t i = schedule_random(s) % n; i > 0; i--) {
        list = list->next;
    }
    return list;
}
