/* Processors on POSIX systems; where they are, and binding threads to them, on Linux. */
#include "platform/processors.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void places_free(Mem *mem, Places *p) {
    mem_free(mem, MEM_SYSTEM, p->place, p->room * sizeof *p->place);
    *p = (Places){0};
}

bool places_add(Mem *mem, Places *p, Place place) {
    if (p->count == p->room) {
        size_t room = MAX(2 * p->room, 8);
        Place *grown = mem_resize(mem, MEM_SYSTEM, p->place, p->room * sizeof *grown, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        p->place = grown, p->room = room;
    }
    p->place[p->count++] = place;
    return true;
}

uintptr_t thread_self(void) {
    return (uintptr_t)pthread_self();
}

#if defined(__linux__)

/* What the process was allowed when it first asked; a thread that has been bound is no longer allowed all of it. */
static cpu_set_t allowed;
static bool allowed_known, any_bound;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_allowed(void) {
    allowed_known = sched_getaffinity(getpid(), sizeof allowed, &allowed) == 0;
}

/* The processes' as it is now, if no thread has been bound. NULL: the system does not say. */
static const cpu_set_t *allowed_now(cpu_set_t *now) {
    if (__atomic_load_n(&any_bound, __ATOMIC_ACQUIRE)) {
        return &allowed;
    }
    return sched_getaffinity(getpid(), sizeof *now, now) == 0 ? now : NULL;
}

unsigned processors_count(bool all) {
    cpu_set_t now;
    const cpu_set_t *set = all ? NULL : allowed_now(&now);
    return set != NULL ? (unsigned)MAX(CPU_COUNT(set), 1) : (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

bool processor_is_allowed(int logical) {
    cpu_set_t now;
    const cpu_set_t *set = allowed_now(&now);
    return set != NULL && logical >= 0 && logical < CPU_SETSIZE && CPU_ISSET(logical, set);
}

bool processors_can_bind(void) {
    pthread_once(&once, find_allowed);
    return allowed_known;
}

bool thread_bind(uintptr_t thread, int logical) {
    if (!processors_can_bind() || logical >= CPU_SETSIZE) {
        return false;
    }
    __atomic_store_n(&any_bound, true, __ATOMIC_RELEASE);
    cpu_set_t one;
    CPU_ZERO(&one);
    if (logical >= 0) {
        CPU_SET(logical, &one);
    }
    return pthread_setaffinity_np((pthread_t)thread, sizeof one, logical < 0 ? &allowed : &one) == 0;
}

_Static_assert(sizeof(cpu_set_t) <= sizeof((BoundThread *)NULL)->mask, "a mask of processors");

void thread_unbind_begin(BoundThread *b) {
    cpu_set_t mask;
    b->bound = __atomic_load_n(&any_bound, __ATOMIC_ACQUIRE) && pthread_getaffinity_np(pthread_self(), sizeof mask, &mask) == 0;
    if (b->bound) {
        memcpy(b->mask, &mask, sizeof mask);
        pthread_setaffinity_np(pthread_self(), sizeof allowed, &allowed);
    }
}

void thread_unbind_end(const BoundThread *b) {
    if (b->bound) {
        cpu_set_t mask;
        memcpy(&mask, b->mask, sizeof mask);
        pthread_setaffinity_np(pthread_self(), sizeof mask, &mask);
    }
}

/* --- Where they are -------------------------------------------------------------------------------------------------- */

#define SYSTEM_FOLDER "/sys/devices/system"

static bool read_number(const char *format, int logical, int32_t *to) {
    char name[128], text[32];
    snprintf(name, sizeof name, format, logical);
    FILE *f = fopen(name, "re");
    if (f == NULL) {
        return false;
    }
    char *end = text;
    long n = fgets(text, sizeof text, f) != NULL ? strtol(text, &end, 10) : 0;
    fclose(f);
    *to = (int32_t)n;
    return end != text;
}

static int by_place(const void *a, const void *b) {
    const Place *x = a, *y = b;
    for (size_t i = 0; i < PLACE_LEVELS; i++) {
        if (x->at[i] != y->at[i]) {
            return x->at[i] < y->at[i] ? -1 : 1;
        }
    }
    return 0;
}

/* Where there are several nodes: those that are in a processor are not around it. */
static void nodes_in_processors(Places *p) {
    for (size_t i = 0; i < p->count; i++) {
        int32_t processor = p->place[i].at[PLACE_PROCESSOR], node = p->place[i].at[PLACE_NODE];
        bool several = false;
        for (size_t k = 0; k < p->count; k++) {
            const int32_t *at = p->place[k].at;
            int32_t other = at[PLACE_NODE] >= 0 ? at[PLACE_NODE] : at[PLACE_PROCESSOR_NODE];
            several |= at[PLACE_PROCESSOR] == processor && other != node;
        }
        if (several && node >= 0) {
            p->place[i].at[PLACE_PROCESSOR_NODE] = node;
            p->place[i].at[PLACE_NODE] = -1;
        }
    }
}

/* The number at the end of a name that begins with a word: cpu12. -1: it is something else. */
static int number_behind(const char *name, const char *word) {
    size_t n = strlen(word);
    if (strncmp(name, word, n) != 0 || name[n] < '0' || name[n] > '9') {
        return -1;
    }
    char *end;
    long number = strtol(name + n, &end, 10);
    return *end == '\0' && number < INT32_MAX ? (int)number : -1;
}

/* Those of a folder; false: no memory. */
static bool read_folder(Mem *mem, Places *p, const char *folder, int node) {
    DIR *d = opendir(folder);
    bool ok = true;
    for (const struct dirent *e; d != NULL && ok && (e = readdir(d)) != NULL;) {
        int logical = number_behind(e->d_name, "cpu");
        Place place = {{[PLACE_NODE] = node, [PLACE_PROCESSOR_NODE] = -1, [PLACE_LOGICAL] = logical}};
        if (logical >= 0 && read_number(SYSTEM_FOLDER "/cpu/cpu%d/topology/physical_package_id", logical, &place.at[PLACE_PROCESSOR]) &&
            read_number(SYSTEM_FOLDER "/cpu/cpu%d/topology/core_id", logical, &place.at[PLACE_CORE])) {
            ok = places_add(mem, p, place);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    return ok;
}

Places processors_detect(Mem *mem) {
    Places p = {0};
    int nodes = 0;
    bool ok = true;
    DIR *d = opendir(SYSTEM_FOLDER "/node");
    for (const struct dirent *e; d != NULL && ok && (e = readdir(d)) != NULL;) {
        int node = number_behind(e->d_name, "node");
        char name[sizeof SYSTEM_FOLDER + 32];
        if (node >= 0) {
            snprintf(name, sizeof name, SYSTEM_FOLDER "/node/node%d", node);
            ok = read_folder(mem, &p, name, node);
            nodes++;
        }
    }
    if (d != NULL) {
        closedir(d);
    } else {
        ok = read_folder(mem, &p, SYSTEM_FOLDER "/cpu", -1);
    }
    if (!ok || p.count < processors_count(true)) { /* some could not be found */
        places_free(mem, &p);
        return p;
    }
    if (nodes > 1) {
        nodes_in_processors(&p);
    }
    qsort(p.place, p.count, sizeof *p.place, by_place);
    for (size_t i = 1; i < p.count; i++) {
        bool same_core = memcmp(p.place[i].at, p.place[i - 1].at, PLACE_THREAD * sizeof *p.place[i].at) == 0;
        p.place[i].at[PLACE_THREAD] = same_core ? p.place[i - 1].at[PLACE_THREAD] + 1 : 0;
    }
    return p;
}

#else

unsigned processors_count(bool all UNUSED) {
    return (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}
bool processor_is_allowed(int logical UNUSED) {
    return false;
}
bool processors_can_bind(void) {
    return false;
}
bool thread_bind(uintptr_t thread UNUSED, int logical UNUSED) {
    return false;
}
void thread_unbind_begin(BoundThread *b UNUSED) {
}
void thread_unbind_end(const BoundThread *b UNUSED) {
}
Places processors_detect(Mem *mem UNUSED) {
    return (Places){0};
}

#endif
