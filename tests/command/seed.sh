# --seed: the same seed, the same run, byte for byte; other seeds, other runs. --seed-sweep finds what some seeds break.
. tests/lib/command.sh
code="$ROOT/build/tests/erl"
case "$LENGTH" in quick) runs=2 ;; long) runs=1000 ;; *) runs=5 ;; esac

same() { # NAME COMMAND...: all runs print the same
    name=$1
    shift
    "$@" > "$name.first" 2>&1 < /dev/null || { cat "$name.first"; echo "$*: status $?"; }
    for i in $(seq "$runs"); do
        "$@" 2>&1 < /dev/null | cmp -s - "$name.first" || { echo "$*: another run"; break; }
    done
}
for seed in $(seq 20); do
    same "seed$seed" "$MOTE" --seed "$seed" -pa "$code" -s seeded race
done
[ "$(cat seed*.first | sort | uniq -u | wc -l)" -gt 200 ] || echo "seeds make no difference"
[ "$(md5sum seed*.first | cut -c1-32 | sort -u | wc -l)" -eq 20 ] || echo "two seeds are the same"
[ "$LENGTH" = long ] && runs=20
same native "$MOTE" --seed 3 --native -pa "$code" -s seeded race
same booted "$MOTE" --seed 3 erl -noinput -pa "$code" -run seeded race -s init stop
MOTE_SEED=3 "$MOTE" -pa "$code" -s seeded race < /dev/null 2>&1 | cmp -s - seed3.first || echo "MOTE_SEED should be as --seed"

# Time is made up.
mote --seed 1 -pa "$code" -e '{seeded:fine(), seeded:busy(), timer:sleep(100000000)}'
status_is 0
out_is "{0,0,ok}"

# The sweep: it stops at the first seed that fails, tells it, and the seed fails again.
mote --seed-sweep 1..1000 -pa "$code" -e 'halt(seeded:bank())'
status_is 1
out_has "overdrawn: -20"
seed=$(echo "$err" | sed -n 's/^mote: seed \([0-9]*\) fails: status 1\. Again: mote --seed [0-9]* -pa .*/\1/p')
[ -n "$seed" ] || complain "the seed should be told"
mote --seed "$seed" -pa "$code" -e 'halt(seeded:bank())'
status_is 1
out_is "overdrawn: -20"
[ "$seed" -eq 1 ] || { mote --seed-sweep 1..$((seed - 1)) -pa "$code" -e 'halt(seeded:bank())'; status_is 0; }
mote --seed-sweep 5..9 -pa "$code" -e 'halt(seeded:fine())'
status_is 0
out_is "seeds 5 to 9: no run fails"
mote --seed-sweep 1..3 -e 'exit(self(), kill)'
status_is 1
if [ "$LENGTH" != quick ]; then # in what runs late, too
    mote --seed-sweep 1..1000 erl -noinput -pa "$code" -eval 'halt(seeded:bank())'
    status_is 1
    out_has "overdrawn: -20"
fi
mote --seed-sweep 1..1000 -pa "$code" --eunit seeded_tests
status_is 1
out_has "bank_test"
mote --seed "$(echo "$err" | sed -n 's/^mote: seed \([0-9]*\) fails.*/\1/p')" -pa "$code" --eunit seeded_tests
status_is 1
mote -pa "$code" --eunit seeded_tests
status_is 0

# What is no seed.
for words in "--seed" "--seed x" "--seed -1" "--seed 99999999999999999999" "--seed-sweep" "--seed-sweep 1" "--seed-sweep 5..1" "--seed-sweep 1..x"; do
    mote $words x.beam
    status_is 2
done
export MOTE_SEED=abc
mote -e 1
status_is 2
err_is "mote: MOTE_SEED: must be a number (mote --help tells more)"
