# What the system's signals do to a booted OTP: sigterm stops it, sigquit and sigusr1 halt it.
cd "$WORK" || exit 1
for signal in TERM QUIT USR1; do
    : > out # so that grep finds it, however late the shell of the background begins
    erl -noshell -noinput -kernel logger_level error -env ERL_CRASH_DUMP_SECONDS 0 -eval 'io:format("ready ~s~n", [os:getpid()]), receive after infinity -> ok end.' > out 2> errors &
    started=$!
    until grep -q ready out; do kill -0 $started || exit 1; sleep 0.05; done
    kill -$signal "$(sed -n 's/ready //p' out)"
    wait $started
    echo "$signal: $?"
done
