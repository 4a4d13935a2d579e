# hibernate/0 of OTP 28: waits for a message, keeps the stack, uses no time meanwhile.
erl -noshell -eval 'halt(case erlang:system_info(otp_release) >= "28" of true -> 0; false -> 1 end).' ||
    { echo "hibernate/0 came with OTP 28"; exit 77; }
cd "$WORK" || exit 1
cat > h.erl <<'END'
-module(h).
-export([main/0]).
main() ->
    Self = self(),
    P = spawn(fun() -> [kept | loop(Self, lists:seq(1, 1000))] end),
    R1 = quiet(P), {R2, A} = {quiet(P), ask(P)},
    R3 = quiet(P), {R4, B} = {quiet(P), ask(P)},
    io:format("~p~n", [{R1 =:= R2, A, R3 =:= R4, B}]),
    P ! {Self, bare}, P ! {Self, both}, quiet(P),
    io:format("~p~n", [[receive {N, X} -> {N, X} after 5000 -> none end || _ <- [1, 2]]]),
    {Q, M} = spawn_monitor(fun() -> process_flag(trap_exit, true), erlang:hibernate(), receive X -> exit({got, X}) end end),
    quiet(Q), exit(Q, woken),
    io:format("~p~n", [receive {'DOWN', M, _, _, Why} -> Why =:= {got, {'EXIT', Self, woken}} after 5000 -> none end]),
    {K, O} = spawn_monitor(fun() -> erlang:hibernate() end),
    quiet(K), exit(K, kill),
    io:format("~p~n", [receive {'DOWN', O, _, _, How} -> How after 5000 -> none end]),
    self() ! mine,
    io:format("~p ~p~n", [erlang:hibernate(), receive mine -> mine end]).
ask(P) -> P ! {self(), hello}, receive {N, X} -> {N, X} after 5000 -> none end.
quiet(P) -> timer:sleep(150), {_, N} = process_info(P, reductions), N.
loop(S, L) ->
    ok = erlang:hibernate(),
    receive {S, M} -> S ! {length(L), M} end,
    [more | loop(S, tl(L))].
END
erlc h.erl && erl -noshell -eval 'h:main(), halt().'
