/* Resources, environments, messages, calls that go on, threads, descriptors. V is another version of the library, for upgrades. */
#include <erl_nif.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>
#include <fcntl.h>
#include <errno.h>

#ifndef V
#define V 1
#endif

typedef ERL_NIF_TERM Term;
#define NIF(name) static Term name(ErlNifEnv *e, int argc, const Term a[])
#define INT(n) enif_make_int(e, n)
#define ATOM(n) enif_make_atom(e, n)

typedef struct {
    int number;
    ErlNifPid tell;
    ErlNifMonitor monitor;
    int fds[2];
} Thing;

static ErlNifResourceType *things, *plain, *dynamic;

/* From wherever it is: what has happened to the thing. */
static void tell(ErlNifEnv *caller, Thing *t, const char *what, int more) {
    ErlNifEnv *e = enif_alloc_env();
    enif_send(caller, &t->tell, e, enif_make_tuple4(e, ATOM(what), INT(t->number), INT(more), INT(V)));
    enif_free_env(e);
}

static void thing_dtor(ErlNifEnv *e, void *obj) {
    tell(e, obj, "destroyed", 0);
}

static void thing_down(ErlNifEnv *e, void *obj, ErlNifPid *pid, ErlNifMonitor *monitor) {
    Thing *t = obj;
    tell(e, t, "down", enif_compare_monitors(monitor, &t->monitor) == 0);
}

static void thing_stop(ErlNifEnv *e, void *obj, ErlNifEvent event, int direct) {
    Thing *t = obj;
    tell(e, t, "stopped", event == t->fds[0]);
    close(t->fds[0]);
    close(t->fds[1]);
}

static void dynamic_call(ErlNifEnv *e, void *obj, void *data) {
    *(int *)data += *(int *)obj;
}

NIF(make_thing) { /* Number, Pid */
    Thing *t = enif_alloc_resource(things, sizeof *t);
    enif_get_int(e, a[0], &t->number);
    enif_get_local_pid(e, a[1], &t->tell);
    Term term = enif_make_resource(e, t);
    enif_release_resource(t);
    return term;
}

static Thing *thing(ErlNifEnv *e, Term t) {
    void *obj = NULL;
    return enif_get_resource(e, t, things, &obj) ? obj : NULL;
}

NIF(look) {
    void *other;
    Thing *t = thing(e, a[0]);
    return t == NULL ? ATOM("none")
                     : enif_make_tuple4(e, INT(t->number), enif_make_ulong(e, enif_sizeof_resource(t) == sizeof *t), enif_make_resource(e, t), INT(enif_get_resource(e, a[0], plain, &other)));
}

NIF(bytes) { /* a binary of a resource's bytes */
    Thing *t = thing(e, a[0]);
    return enif_make_resource_binary(e, t, "bytes of a resource, which it holds as long as anybody needs them: more than fit into a word or so", 90);
}

NIF(watch) {
    Thing *t = thing(e, a[0]);
    ErlNifPid pid;
    enif_get_local_pid(e, a[1], &pid);
    int result = enif_monitor_process(e, t, &pid, &t->monitor);
    return enif_make_tuple2(e, INT(result), INT(result != 0 || enif_is_ref(e, enif_make_monitor_term(e, &t->monitor))));
}

NIF(unwatch) {
    Thing *t = thing(e, a[0]);
    int first = enif_demonitor_process(e, t, &t->monitor);
    return enif_make_tuple2(e, INT(first), INT(enif_demonitor_process(e, t, &t->monitor) != 0));
}

NIF(dynamic_add) {
    int n = 5, *obj = enif_alloc_resource(dynamic, sizeof *obj);
    *obj = 37;
    Term t = enif_make_resource(e, obj);
    enif_release_resource(obj);
    int ok = enif_dynamic_resource_call(e, ATOM("nif_things"), ATOM("dynamic"), t, &n);
    int wrong = enif_dynamic_resource_call(e, ATOM("nif_things"), ATOM("nothing"), t, &n);
    return enif_make_tuple3(e, INT(ok), INT(n), INT(wrong));
}

/* --- environments */
static ErlNifEnv *kept;
static Term kept_term;

NIF(keep) {
    if (kept == NULL) {
        kept = enif_alloc_env();
    }
    enif_clear_env(kept);
    kept_term = enif_make_copy(kept, a[0]);
    return ATOM("ok");
}

NIF(kept_copy) {
    return enif_make_copy(e, kept_term);
}

NIF(send_kept) { /* Pid: moves what is kept */
    ErlNifPid pid;
    enif_get_local_pid(e, a[0], &pid);
    int ok = enif_send(e, &pid, kept, enif_make_tuple2(kept, enif_make_atom(kept, "kept"), kept_term));
    enif_clear_env(kept);
    return INT(ok);
}

NIF(send_copy) { /* Pid, Message */
    ErlNifPid pid;
    enif_get_local_pid(e, a[0], &pid);
    return INT(enif_send(e, &pid, NULL, a[1]));
}

NIF(about) { /* Pid, Name */
    ErlNifPid pid, self, named;
    ErlNifPort port;
    enif_get_local_pid(e, a[0], &pid);
    enif_self(e, &self);
    int there = enif_whereis_pid(e, a[1], &named);
    ErlNifPid nobody;
    enif_set_pid_undefined(&nobody);
    return enif_make_tuple(e, 8, INT(enif_is_process_alive(e, &pid)), INT(enif_is_current_process_alive(e)), enif_make_pid(e, &self), INT(there), there ? enif_make_pid(e, &named) : INT(0),
                           INT(enif_whereis_port(e, a[1], &port)), INT(enif_is_pid_undefined(&nobody) + 2 * enif_is_pid_undefined(&self)), INT(enif_thread_type()));
}

/* --- calls that go on */
static Term count_on(ErlNifEnv *e, int argc, const Term a[]) { /* N, To, List */
    int n, to;
    enif_get_int(e, a[0], &n);
    enif_get_int(e, a[1], &to);
    if (n >= to) {
        return n == to ? a[2] : enif_raise_exception(e, ATOM("too_far"));
    }
    Term next[] = {INT(n + 1), a[1], enif_make_list_cell(e, enif_make_tuple2(e, a[0], INT(enif_thread_type())), a[2])};
    return enif_schedule_nif(e, "count_on", n % 3 == 0 ? 0 : n % 3 == 1 ? ERL_NIF_DIRTY_JOB_CPU_BOUND : ERL_NIF_DIRTY_JOB_IO_BOUND, count_on, 3, next);
}

NIF(count) {
    Term all[] = {a[0], a[1], enif_make_list(e, 0)};
    return enif_schedule_nif(e, "count_on", 0, count_on, 3, all);
}

NIF(dirty) { /* any term: a copy of it, the kind of thread, and whose it is */
    ErlNifPid self;
    ErlNifBinary b;
    enif_self(e, &self);
    Term inspected = enif_inspect_binary(e, a[0], &b) ? enif_make_binary(e, &b) : INT(0);
    return enif_make_tuple5(e, a[0], INT(enif_thread_type()), enif_make_pid(e, &self), INT(enif_is_current_process_alive(e)), inspected);
}

NIF(dirty_sends) { /* Pid, Count */
    ErlNifPid pid;
    int n;
    enif_get_local_pid(e, a[0], &pid);
    enif_get_int(e, a[1], &n);
    for (int i = 0; i < n; i++) {
        if (i % 2 == 0) {
            enif_send(e, &pid, NULL, enif_make_tuple2(e, ATOM("number"), INT(i)));
        } else {
            ErlNifEnv *m = enif_alloc_env();
            enif_send(e, &pid, m, enif_make_tuple2(m, enif_make_atom(m, "number"), enif_make_int(m, i)));
            enif_free_env(m);
        }
    }
    return INT(n);
}

NIF(dirty_raise) {
    return enif_raise_exception(e, enif_make_tuple2(e, ATOM("dirty"), a[0]));
}

NIF(dirty_sleep) {
    int ms;
    enif_get_int(e, a[0], &ms);
    usleep(ms * 1000);
    return ATOM("slept");
}

NIF(consume) {
    int n = 0;
    while (n < 1000 && !enif_consume_timeslice(e, 10)) {
        n++;
    }
    return INT(n < 1000);
}

/* --- threads */
typedef struct {
    ErlNifPid to;
    int count;
    ErlNifMutex *mutex;
    ErlNifCond *cond;
    ErlNifRWLock *lock;
    ErlNifTSDKey key;
    int turn;
} Work;

static void *thread_main(void *arg) {
    Work *w = arg;
    enif_tsd_set(w->key, w);
    enif_mutex_lock(w->mutex);
    while (w->turn == 0) {
        enif_cond_wait(w->cond, w->mutex);
    }
    enif_mutex_unlock(w->mutex);
    for (int i = 0; i < w->count; i++) {
        ErlNifEnv *e = enif_alloc_env();
        Term list = enif_make_list(e, 0), t;
        for (int k = 0; k < i % 20; k++) {
            list = enif_make_list_cell(e, INT(k), list);
        }
        memset(enif_make_new_binary(e, 100, &t), 'x', 100);
        enif_send(NULL, &w->to, e, enif_make_tuple4(e, ATOM("thread"), INT(i), list, t));
        enif_free_env(e);
    }
    enif_rwlock_rwlock(w->lock);
    w->count = enif_tsd_get(w->key) == w && enif_thread_type() == ERL_NIF_THR_UNDEFINED ? -w->count : 0;
    enif_rwlock_rwunlock(w->lock);
    return w;
}

NIF(thread_sends) { /* Pid, Count */
    Work w = {.turn = 0};
    ErlNifTid tid;
    void *result = NULL;
    enif_get_local_pid(e, a[0], &w.to);
    enif_get_int(e, a[1], &w.count);
    w.mutex = enif_mutex_create("a mutex");
    w.cond = enif_cond_create("a condition");
    w.lock = enif_rwlock_create("a lock");
    enif_tsd_key_create("key", &w.key);
    ErlNifThreadOpts *opts = enif_thread_opts_create("opts");
    opts->suggested_stack_size = 100;
    int started = enif_thread_create("a thread", &tid, thread_main, &w, opts), same = enif_equal_tids(tid, enif_thread_self());
    enif_thread_opts_destroy(opts);
    enif_mutex_lock(w.mutex);
    int tried = enif_mutex_trylock(w.mutex);
    w.turn = 1;
    enif_cond_broadcast(w.cond);
    enif_mutex_unlock(w.mutex);
    char name[20];
    strcpy(name, enif_thread_name(tid));
    int joined = enif_thread_join(tid, &result);
    enif_rwlock_rlock(w.lock);
    int reader = enif_rwlock_tryrlock(w.lock), writer = enif_rwlock_tryrwlock(w.lock);
    enif_rwlock_runlock(w.lock);
    enif_rwlock_runlock(w.lock);
    Term t = enif_make_tuple(e, 9, INT(started), INT(same), INT(tried != 0), INT(joined), INT(result == &w), INT(w.count), INT(reader), INT(writer != 0), enif_make_string(e, name, ERL_NIF_LATIN1));
    enif_mutex_destroy(w.mutex);
    enif_cond_destroy(w.cond);
    enif_rwlock_destroy(w.lock);
    enif_tsd_key_destroy(w.key);
    return t;
}

/* --- descriptors */
NIF(open_pipe) {
    Thing *t = thing(e, a[0]);
    return INT(pipe(t->fds) == 0 && fcntl(t->fds[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(t->fds[1], F_SETFL, O_NONBLOCK) == 0);
}

NIF(select_on) { /* Thing, 0 | 1, flags, Ref */
    Thing *t = thing(e, a[0]);
    int which, flags;
    enif_get_int(e, a[1], &which);
    enif_get_int(e, a[2], &flags);
    int r = enif_select(e, t->fds[which], flags, t, NULL, a[3]);
    return INT(flags == ERL_NIF_SELECT_STOP && (r == ERL_NIF_SELECT_STOP_CALLED || r == ERL_NIF_SELECT_STOP_SCHEDULED) ? 1000 : r);
}

NIF(select_message) { /* Thing, Message */
    Thing *t = thing(e, a[0]);
    ErlNifEnv *m = enif_alloc_env();
    Term message = enif_make_copy(m, a[1]);
    int r = enif_select_read(e, t->fds[0], t, NULL, message, m);
    enif_free_env(m);
    return INT(r);
}

NIF(select_bad) {
    Thing *t = thing(e, a[0]);
    return INT(enif_select(e, 999, ERL_NIF_SELECT_READ, t, NULL, ATOM("undefined")) < 0);
}

NIF(write_pipe) {
    Thing *t = thing(e, a[0]);
    return INT((int)write(t->fds[1], "hello", 5));
}

NIF(read_pipe) {
    Thing *t = thing(e, a[0]);
    char text[100];
    ssize_t n = read(t->fds[0], text, sizeof text);
    return n < 0 ? ATOM(errno == EAGAIN ? "again" : "error") : enif_make_string_len(e, text, n, ERL_NIF_LATIN1);
}

NIF(version) {
    int *n = enif_priv_data(e);
    return enif_make_tuple2(e, INT(V), INT(*n));
}

static ErlNifFunc functions[] = {
    {"make_thing", 2, make_thing}, {"look", 1, look}, {"bytes", 1, bytes}, {"watch", 2, watch}, {"unwatch", 1, unwatch}, {"dynamic_add", 0, dynamic_add}, {"keep", 1, keep},
    {"kept_copy", 0, kept_copy}, {"send_kept", 1, send_kept}, {"send_copy", 2, send_copy}, {"about", 2, about}, {"count", 2, count}, {"dirty_cpu", 1, dirty, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"dirty_io", 1, dirty, ERL_NIF_DIRTY_JOB_IO_BOUND}, {"dirty_sends", 2, dirty_sends, ERL_NIF_DIRTY_JOB_IO_BOUND}, {"dirty_raise", 1, dirty_raise, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"dirty_sleep", 1, dirty_sleep, ERL_NIF_DIRTY_JOB_IO_BOUND}, {"consume", 0, consume}, {"thread_sends", 2, thread_sends}, {"open_pipe", 1, open_pipe}, {"select_on", 4, select_on},
    {"select_message", 2, select_message}, {"select_bad", 1, select_bad}, {"write_pipe", 1, write_pipe}, {"read_pipe", 1, read_pipe}, {"version", 0, version},
};

static int open_types(ErlNifEnv *e, int flags) {
    ErlNifResourceTypeInit init = {thing_dtor, thing_stop, thing_down}, with_call = {NULL, NULL, NULL, 4, dynamic_call};
    ErlNifResourceFlags tried;
    things = enif_open_resource_type_x(e, "thing", &init, flags, &tried);
    plain = enif_open_resource_type(e, NULL, "plain", NULL, flags, NULL);
    dynamic = enif_init_resource_type(e, "dynamic", &with_call, flags, NULL);
    return things == NULL || plain == NULL || dynamic == NULL ? -1 : tried;
}

static int load(ErlNifEnv *e, void **data, Term info) {
    int *n = enif_alloc(sizeof *n);
    *data = n;
    if (!enif_get_int(e, info, n) || *n < 0) {
        enif_free(n);
        return 77;
    }
    return open_types(e, ERL_NIF_RT_CREATE) == ERL_NIF_RT_CREATE ? 0 : 78;
}

static int upgrade(ErlNifEnv *e, void **data, void **old, Term info) {
    int *n = enif_alloc(sizeof *n);
    *n = **(int **)old + 100;
    *data = n;
    return open_types(e, ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER) == ERL_NIF_RT_TAKEOVER ? 0 : 79;
}

static void unload(ErlNifEnv *e, void *data) {
    ErlNifPid pid;
    if (enif_whereis_pid(e, ATOM("listener"), &pid)) {
        ErlNifEnv *m = enif_alloc_env();
        enif_send(e, &pid, m, enif_make_tuple3(m, enif_make_atom(m, "unloaded"), enif_make_int(m, V), enif_make_int(m, *(int *)data)));
        enif_free_env(m);
    }
    if (kept != NULL) {
        enif_free_env(kept);
    }
    enif_free(data);
}

ERL_NIF_INIT(nif_things, functions, load, NULL, upgrade, unload)
