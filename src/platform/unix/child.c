/* Programs as children of this process. Each is the leader of a session of its own and has no descriptors of ours but its
   pipes. */
#include "platform/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/processors.h"

enum { CHILD_IN = 3, CHILD_OUT = 4, ABOVE_CHILDS = 10 };

/* A pipe whose ends are none of the numbers that the child will use. */
static int make_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return errno;
    }
    for (int i = 0; i < 2; i++) {
        if (ends[i] < ABOVE_CHILDS) {
            int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, ABOVE_CHILDS);
            if (moved < 0) {
                int e = errno;
                close(ends[0]), close(ends[1]);
                return e;
            }
            close(ends[i]);
            ends[i] = moved;
        }
    }
    return 0;
}

static void close_pipe(const int ends[2]) {
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0) {
            close(ends[i]);
        }
    }
}

/* Why this folder cannot be started in; 0: it can. */
static int directory_error(const char *name) {
    struct stat s;
    if (stat(name, &s) < 0) {
        return errno;
    }
    return !S_ISDIR(s.st_mode) ? ENOTDIR : access(name, X_OK) < 0 ? errno : 0;
}

static int spawn(const ChildOptions *o, int in, int out, long *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigdelset(&all, SIGKILL), sigdelset(&all, SIGSTOP), sigdelset(&all, SIGPIPE); /* SIGPIPE stays ignored, as OTP leaves it */
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    if (o->directory != NULL) {
        posix_spawn_file_actions_addchdir_np(&actions, o->directory);
    }
    if (in >= 0) {
        posix_spawn_file_actions_adddup2(&actions, in, o->standard ? 0 : CHILD_IN);
    } else if (!o->standard) {
        posix_spawn_file_actions_addclose(&actions, CHILD_IN);
    }
    if (o->writes) {
        posix_spawn_file_actions_adddup2(&actions, out, o->standard ? 1 : CHILD_OUT);
    } else if (!o->standard) {
        posix_spawn_file_actions_addclose(&actions, CHILD_OUT);
    }
    if (o->errors_too) {
        posix_spawn_file_actions_adddup2(&actions, out, 2);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, o->standard ? 3 : CHILD_OUT + 1);
    pid_t child;
    BoundThread bound;
    thread_unbind_begin(&bound);
    int e = posix_spawn(&child, o->path, &actions, &attributes, o->argv, o->environment);
    thread_unbind_end(&bound);
    *pid = child;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return e;
}

int child_start(const ChildOptions *o, Child *c) {
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    int e = o->reads ? make_pipe(in) : 0;
    if (e == 0 && (o->writes || o->errors_too) && (e = make_pipe(out)) != 0) {
        close_pipe(in);
    }
    if (e != 0) {
        return e;
    }
    *c = (Child){.from = out[0], .to = in[1], .watch = -1, .failed = -1};
    if (o->directory != NULL && (e = directory_error(o->directory)) != 0) {
        fprintf(stderr, "spawn: Could not cd to %s\r\n", o->directory);
    } else {
        e = spawn(o, in[0], out[1], &c->pid);
    }
    if (e == 0) {
        c->watch = (int)syscall(SYS_pidfd_open, c->pid, 0);
    } else if (e != EAGAIN && e != ENOMEM) {
        c->failed = e;
        e = 0;
    }
    if (in[0] >= 0) {
        close(in[0]);
        fcntl(in[1], F_SETFL, O_NONBLOCK);
    }
    if (out[1] >= 0) {
        close(out[1]);
        fcntl(out[0], F_SETFL, O_NONBLOCK);
    }
    if (out[0] >= 0 && !o->writes) {
        close(out[0]);
        c->from = -1;
    }
    if (e != 0) {
        close_pipe((int[]){c->from, c->to});
    }
    return e;
}

bool child_ended(long pid, int *status) {
    int s;
    if (waitpid((pid_t)pid, &s, WNOHANG) != (pid_t)pid) {
        return false;
    }
    *status = WIFSIGNALED(s) ? 128 + WTERMSIG(s) : WEXITSTATUS(s);
    return true;
}

int child_executable(const char *path) {
    return access(path, X_OK) == 0 ? 0 : errno;
}
