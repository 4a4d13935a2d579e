# erlang:halt ends as on OTP: status, slogan, crash dump.
cd "$WORK" || exit 1
same() {
    rm -f erl_crash.dump
    (erl -noshell -eval "$1." > expected 2> expected.errors; echo "status $?" >> expected) 2> /dev/null
    dump=$([ -e erl_crash.dump ] && grep -a -m1 Slogan: erl_crash.dump)
    rm -f erl_crash.dump
    ("$MOTE" -e "$1" > got 2> got.errors; echo "status $?" >> got) 2> /dev/null
    mine=$([ -e erl_crash.dump ] && grep -a -m1 Slogan: erl_crash.dump)
    cmp -s expected got && cmp -s expected.errors got.errors && [ "$dump" = "$mine" ] || { echo "$1"; diff expected got; diff expected.errors got.errors; echo "dump: $dump / $mine"; }
}
same 'halt(0)'
same 'halt(7)'
same 'halt(256 + 3)'
same 'halt(abort)'
same 'halt("slogan")'
same 'halt([955, 10])'
same 'halt("")'
same 'halt(lists:duplicate(1022, 97) ++ [8364, 8364, 98])'
same 'io:format("out"), halt(2, [{flush, true}])'
ERL_CRASH_DUMP_SECONDS=0
export ERL_CRASH_DUMP_SECONDS
same 'halt("no dump")'

# Nobody reads any more: displaying says nothing of it, and the VM ends.
("$MOTE" -e 'io:format("x~n"), timer:sleep(300), erlang:display(gone), halt(5)' 2> got.errors; echo "status $?" > got) | head -1 > /dev/null
[ "$(cat got)" = "status 5" ] || { echo "closed pipe"; cat got got.errors; }
