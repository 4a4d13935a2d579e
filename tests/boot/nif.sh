# Libraries of native functions of our own, compiled against OTP's header: terms, and what lives longer than a call.
cd "$WORK" || exit 1
root=$(erl -noshell -eval 'io:put_chars(code:root_dir()), halt().')
[ -f "$root/usr/include/erl_nif.h" ] || { echo "erl_nif.h is not there (package erlang-dev)"; exit 77; }
library() { cc -shared -fPIC -I"$root/usr/include" -o "$1.so" "$TESTS/nif/$2.c" $3 || exit 1; }
library nif_terms nif_terms
library nif_things nif_things
library nif_things2 nif_things -DV=2
library nif_tracer nif_tracer
erlc -o . "$TESTS"/nif/*.erl || exit 1
for m in nif_terms nif_things nif_tracer; do
    erl -noshell -kernel logger_level none -pa . -eval "{P, M} = spawn_monitor($m, main, []), receive {'DOWN', M, process, P, R} -> io:format(\"$m: ~p~n\", [R]), halt() end."
done
