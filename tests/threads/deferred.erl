%% What has been put aside because others may still be reading it is free when set_internal_state(wait, _) is back: OTP's suites look for leaks so.
-module(deferred).
-export([main/0]).

main() ->
    logger:set_primary_config(level, none), % erl says that this is for tests only
    erts_debug:set_internal_state(available_internal_state, true),
    Before = used(),
    io:format("~p~n", [lists:all(fun(_) -> tables(), used() - Before < 50000 end, lists:seq(1, 20))]).

tables() ->
    Owners = [spawn_monitor(fun() -> T = ets:new(t, [public]), ets:insert(T, [{N, x} || N <- lists:seq(1, 1000)]) end) || _ <- lists:seq(1, 20)],
    [receive {'DOWN', M, _, _, _} -> ok end || {_, M} <- Owners].

used() ->
    erts_debug:set_internal_state(wait, thread_progress),
    erts_debug:set_internal_state(wait, deallocations),
    erlang:memory(ets).
