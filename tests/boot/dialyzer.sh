# dialyzer: a PLT (of a few modules; in long runs of all of stdlib and kernel), and what it says about a module with mistakes.
cd "$WORK" || exit 1
export ERL_LIBS="$PACKAGES/lib/erlang/lib" HOME="$WORK"
erl -noshell -eval 'halt(case code:which(dialyzer) of non_existing -> 1; _ -> 0 end).' || { echo "dialyzer is not installed"; exit 77; }
dialyzer() { erl -noinput -run dialyzer plain_cl -extra "$@"; }
cat > s.erl <<'END'
-module(s).
-export([a/1, b/0, c/1, d/1, e/1]).
-record(r, {x :: integer()}).
-spec a(integer()) -> atom().
a(X) -> X + 1.
b() -> lists:nth(0, [1, 2]).
c(X) when is_atom(X) -> case X of 1 -> one; _ -> other end.
d(L) -> length(L) + unused(proplists:get_value(L, L)).
unused(_) -> ok.
e(Q) -> queue:in(#r{x = a}, maps:to_list(Q)).
END
erlc -W0 +debug_info s.erl
stdlib=$(erl -noshell -eval 'io:put_chars(code:lib_dir(stdlib, ebin)), halt().')
if [ "$LENGTH" = long ]; then
    set -- --apps stdlib kernel
else
    set --
    for m in lists proplists maps queue sets orddict; do set -- "$@" "$stdlib/$m.beam"; done
fi
timed() { sed 's/ done in .*//'; }
dialyzer --build_plt --output_plt plt "$@" > out 2>&1; echo "status $?"; timed < out
dialyzer --plt plt -Wunderspecs -Wunmatched_returns s.beam > out 2>&1; echo "status $?"; timed < out
dialyzer --plt nothing s.beam > out 2>&1; echo "status $?"
