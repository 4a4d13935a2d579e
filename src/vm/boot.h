/* Booting an installed Erlang/OTP: the machine stands where beam.smp stands. */
#ifndef MOTE_VM_BOOT_H
#define MOTE_VM_BOOT_H

#include "bif/system_flags.h"
#include "vm/machine.h"

/* What the emulator needs to know of an installed OTP. */
typedef struct {
    char root[4096];      /* its folder: lib/, releases/ ... */
    char bindir[4096];    /* erts-VERSION/bin */
    char preloaded[4096]; /* folder of the modules that are there before anything can be loaded */
} OtpPlace;

/* An OTP: what the caller's variables say (MOTE_OTP; ROOTDIR and BINDIR), or else the one that is installed. */
void otp_choose(OtpPlace *place);
/* Fills in what is not given: place->root and place->bindir may be "". Also flags->version and flags->release. False: there
   is no OTP, or it has no preloaded modules; *why says so. */
bool otp_find(OtpPlace *place, SystemFlags *flags, char *why, size_t size);

int cmd_otp_dir(int argc, char **argv);

/* `mote erl ARGS` and a start in beam.smp's place: the exit status. */
int boot_erl(int argc, char **argv);
/* Were these words put together by erlexec, for an emulator? Then boot_emulator is what to call. */
bool boot_is_emulator(int argc, char **argv);
int boot_emulator(int argc, char **argv);

#endif
