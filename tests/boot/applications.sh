# Applications, the code path, compiling from the shell's functions.
cd "$WORK" || exit 1
cat > m.erl <<'END'
-module(m).
-export([f/1]).
f(X) -> {m, X}.
END
erl -noshell -eval 'ok = application:start(sasl), io:format("~p~n", [[{N, V} || {N, _, V} <- application:which_applications()]]),
    io:format("~p~n", [{filename:basename(code:which(lists)), filename:basename(code:lib_dir(stdlib)), code:which(erlang), code:is_loaded(init)}]),
    io:format("~p ~p~n", [c:c(m), m:f(1)]), c:l(m), io:format("~p~n", [c:m(m)]), c:nc(m), c:lc([m]), io:format("~p~n", [code:modified_modules()]),
    init:stop().'
erl -noshell -eval '[application:ensure_all_started(A) || A <- [crypto_no, sasl, syntax_tools, compiler, tools, inets_no]],
    io:format("~p~n", [lists:sort([N || {N, _, _} <- application:which_applications()])]), halt().'
