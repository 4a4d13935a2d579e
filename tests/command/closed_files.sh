# Standard files that are closed or full: as on OTP.
cd "$WORK" || exit 1
ERL_CRASH_DUMP_SECONDS=0
export ERL_CRASH_DUMP_SECONDS
try() {
    { timeout 20 "$@" -noshell -eval 'io:format("hello~n"), halt().' > /dev/full; echo "full: $?"
      timeout 20 "$@" -noshell -eval 'io:format("hello~n"), halt().' >&-; echo "closed output: $?"
      timeout 20 "$@" -noshell -eval 'io:format("~p~n", [io:get_line("")]), halt().' <&-; echo "closed input: $?"
      timeout 20 "$@" -noshell -eval 'io:format(standard_error, "hello~n", []), halt().' 2>&-; echo "closed errors: $?"
      timeout 20 "$@" -noshell -eval 'erlang:display(x), halt().' > /dev/full; echo "display: $?"; } 2>&1
}
try erl > expected
try "$MOTE" erl > got
diff expected got
