# Processors and what is bound to them: +sct, +sbt, and what system_flag changes.
cd "$WORK" || exit 1
erlc -W0 -o . "$TESTS/topology.erl" || exit 1
erl -noshell -noinput -pa . -s topology main -s init stop
while read -r text; do
    echo "-- $text"
    timeout 100 erl +sct "$text" -noshell -noinput -pa . -s topology told -s init stop 2>&1 < /dev/null | sed '/^Usage/,$d' | tr -d '\r'
done << 'END'
L
L0-
L0-1
L0-1c0-1
L0-1c0-1p0N0:L7,4,6-5c0-3p1N1
L0-1,3-2c0-3p0N0:L7,4,6-5c0-3p1N1
L3-0t0-1,1-0c0,0,1,1
L0-3c0,0,1,1n0-1,1-0p0
L0-3t0,1,0,1c0,0,1,1n0p0:L4-7t0,1,0,1c0,0,1,1n1p0
L0c0L1
L99999
L0-70000
L0-1c0-1:L1c5
L0-3c0-1
L0-1c0-1p0:L3c0p0n0
L0p0n0:L1p0n1
c0
:
L0:L1
END
timeout 100 erl +sct '' -noshell -s init stop 2>&1 < /dev/null | head -n 1 | tr -d '\r'
timeout 100 erl +sbt sideways -noshell -s init stop 2>&1 < /dev/null | head -n 1 | tr -d '\r'
for type in u nnps db; do
    erl +sbt $type -noshell -noinput -eval 'io:format("~p~n", [erlang:system_info(scheduler_bind_type)]), halt().' 2>&1 < /dev/null | sed '/^Usage/,$d' | tr -d '\r'
done
# Where nothing is known of the processors, neither starts.
erl +S 3 +sbt ts -noshell -noinput -pa . -s topology bound -s init stop 2>&1 < /dev/null | sed '/^Usage/,$d' | tr -d '\r'
