# A process of the system that dies takes the VM with it, as on OTP: message, status, slogan.
cd "$WORK" || exit 1
try() {
    rm -f erl_crash.dump
    "$1" ${2:+"$2"} -noshell -eval "$expression, timer:sleep(2000), halt()." > out 2> errors
    echo "status $?" >> out
    grep -a -m1 Slogan: erl_crash.dump >> out 2> /dev/null
    sed 's/<[0-9.]*>/<>/' out errors
}
for expression in 'exit(whereis(init), kill)' 'exit(whereis(erts_code_purger), {some, "reason"})' \
        'exit(whereis(erts_code_purger), kill)' 'erts_internal:spawn_system_process(erlang, exit, [{bye, 1}])' \
        'erts_internal:spawn_system_process(erlang, self, [])' 'exit(whereis(logger), kill)' 'exit(whereis(application_controller), kill)'; do
    try erl > expected
    try "$MOTE" erl > got
    cmp -s expected got || { echo "$expression"; diff expected got; }
done
