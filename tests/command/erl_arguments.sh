# What `mote erl` makes of its command line is what the installed erl makes of it.
# Every line of the list is one command line; variables in front of it are for that line.
cd "$WORK" || exit 1
printf -- '-eval "a b"\n+P 20000 # a comment\n-args_file more\n-extra of file' > args
printf -- "-foo 'x y' b\\\\ c +Q 70000" > more
same() {
    erl -emu_args_exit "$@" > expected 2>&1
    "$MOTE" erl -emu_args_exit "$@" > got 2>&1
    cmp -s expected got || { echo "erl $*"; diff expected got; }
}
same -noshell -eval 'x, y.' -s m f 'a b'
same +A 5 +A5 +S 2:1 +SDcpu 1:1 +sbt u +sbwt none +hms 500 +hmax 10000 +P 20000 +c +c false +Bi +B i +B
same +MBas aobf +Mea min +MMscs 20 +zdbbl 100 +pc unicode +fnu +fnl +K true +W w +rg 3 +IOt 2 +IOPp 50 +t 10000 +C no_time_warp
same -args_file args rest
same -noinput -extra -args_file args +A 1
same -detached -no_epmd -proto_dist x
same -compile a b
same -make a b
same -env A B -version -home x -keep_window -configfd 0 -configfd 3 plain words -- +T 3 -- -smp auto
same -emu_type opt -hidden -setcookie c -boot x +i init -emu_flavor smp
ERL_AFLAGS='-a "b  c" +A 3' ERL_FLAGS="-f \\'q +L" ERL_ZFLAGS='-z # no comment' ERL_OTP25_FLAGS='-o' same -noshell -extra y
ERL_EPMD_PORT=4000 ERL_ZFLAGS='' same
ESCRIPT_NAME=foo same -x
refused() {
    "$MOTE" erl -noshell -eval 'halt().' "$@" > got 2>&1
    [ $? = 1 ] || echo "not refused: $*"
    [ "$(wc -l < got)" = 1 ] || { echo "not one line: $*"; cat got; }
}
refused +P 5
refused +P x
refused +sbwt sometimes
refused +nonsense
refused +Ix
refused -env X
refused -args_file /nowhere
refused +A
refused +M
refused +MMM
refused +MBXX 3
exit 0
