/* mote otp-dir DIR: a folder like that of the installed OTP, in which beam.smp is Mote. Whoever finds erl, erlc or escript there runs
   on Mote; everything else are links to the installation. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/boot.h"

typedef struct {
    char at[3 * PATH_MAX];
} Path;

static Path join(const char *dir, const char *name) {
    Path p;
    size_t n = strnlen(dir, 2 * PATH_MAX), m = strnlen(name, PATH_MAX - 2);
    memcpy(p.at, dir, n);
    p.at[n] = '/';
    memcpy(p.at + n + 1, name, m);
    p.at[n + 1 + m] = '\0';
    return p;
}

static bool failed(const char *what) {
    fprintf(stderr, "mote: %s: %s\n", what, strerror(errno));
    return false;
}

static bool make_dir(const char *dir) {
    return mkdir(dir, 0777) == 0 || errno == EEXIST || failed(dir);
}

/* What is replaced is there at every moment: others may be running from the folder while it is made again. */
static Path beside(const char *name) {
    Path p;
    snprintf(p.at, sizeof p.at, "%s.%ld", name, (long)getpid());
    return p;
}

static bool make_link(const char *target, const char *name) {
    Path new = beside(name);
    return (symlink(target, new.at) == 0 && rename(new.at, name) == 0) || (unlink(new.at), failed(name));
}

/* Links to all that `from` holds, but for two names. */
static bool link_all(const char *from, const char *to, const char *but, const char *nor) {
    DIR *d = opendir(from);
    if (d == NULL) {
        return failed(from);
    }
    bool ok = make_dir(to);
    for (struct dirent *e; ok && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] != '.' && strcmp(e->d_name, but) != 0 && strcmp(e->d_name, nor) != 0) {
            ok = make_link(join(from, e->d_name).at, join(to, e->d_name).at);
        }
    }
    closedir(d);
    return ok;
}

/* The script that starts it: mote erl, told where it is. */
static bool write_script(const char *name, const char *dir, const char *bindir) {
    Path new = beside(name);
    FILE *f = fopen(new.at, "w");
    if (f == NULL) {
        return failed(name);
    }
    fprintf(f,
            "#!/bin/sh\n"
            "ROOTDIR='%s' BINDIR='%s' EMU=beam PROGNAME=\"${0##*/}\"\n"
            "export ROOTDIR BINDIR EMU PROGNAME\n"
            "unset MOTE_OTP\n"
            "exec '%s/beam.smp' erl ${1+\"$@\"}\n",
            dir, bindir, bindir);
    return (fclose(f) == 0 && chmod(new.at, 0755) == 0 && rename(new.at, name) == 0) || (unlink(new.at), failed(name));
}

static bool make(const OtpPlace *place, const SystemFlags *flags, const char *dir, const char *mote) {
    char version[sizeof flags->version + 5];
    snprintf(version, sizeof version, "erts-%s", flags->version);
    Path erts = join(dir, version), erts_bin = join(erts.at, "bin"), bin = join(dir, "bin");
    return link_all(place->root, dir, "bin", version) && link_all(join(place->root, version).at, erts.at, "bin", "") &&
           link_all(place->bindir, erts_bin.at, "beam.smp", "erl") && make_link(mote, join(erts_bin.at, "beam.smp").at) &&
           write_script(join(erts_bin.at, "erl").at, dir, erts_bin.at) && link_all(join(place->root, "bin").at, bin.at, "erl", "") &&
           write_script(join(bin.at, "erl").at, dir, erts_bin.at);
}

int cmd_otp_dir(int argc, char **argv) {
    OtpPlace place = {0};
    SystemFlags flags = {0};
    char why[4400], mote[PATH_MAX], dir[PATH_MAX];
    if (argc != 2) {
        fprintf(stderr, "usage: mote otp-dir DIR\n");
        return 2;
    }
    otp_choose(&place);
    ssize_t n = readlink("/proc/self/exe", mote, sizeof mote - 1);
    if (n < 0) {
        failed("/proc/self/exe");
        return 1;
    }
    mote[n] = '\0';
    if (!otp_find(&place, &flags, why, sizeof why)) {
        fprintf(stderr, "mote: %s\n", why);
        return 1;
    }
    if (!make_dir(argv[1]) || realpath(argv[1], dir) == NULL) {
        return 1;
    }
    if (strchr(dir, '\'') != NULL) {
        fprintf(stderr, "mote: %s: a quote in the name of the folder\n", dir);
        return 1;
    }
    if (!make(&place, &flags, dir, mote)) {
        return 1;
    }
    printf("PATH=%s/bin:$PATH\n", dir);
    return 0;
}
