%% Processes and messages.
-module(b_processes).
-behaviour(gen_server).
-export([programs/0, init/1, handle_call/3, handle_cast/2]).

programs() ->
    [{ping_pong, fun() -> ping_pong(500000) end},
     {ring, fun() -> ring(1000, 300) end},
     {spawn_exit, fun() -> spawn_exit(250000) end},
     {gen_server_call, fun() -> calls(200000) end},
     {fan_in, fun() -> fan_in(1000, 300) end},
     {selective, fun() -> selective(8000) end},
     {big_messages, fun() -> big(3000) end}].

ping_pong(N) ->
    Self = self(),
    Pid = spawn_link(fun() -> pong(Self) end),
    ping(N, Pid).

ping(0, _) -> done;
ping(N, Pid) -> Pid ! ping, receive pong -> ping(N - 1, Pid) end.

pong(To) -> receive ping -> To ! pong, pong(To) end.

ring(N, Rounds) ->
    Self = self(),
    First = lists:foldl(fun(_, Next) -> spawn_link(fun() -> forward(Next) end) end, Self, lists:seq(1, N)),
    rounds(Rounds, First).

rounds(0, _) -> ok;
rounds(R, First) -> First ! {token, R}, receive {token, R} -> rounds(R - 1, First) end.

forward(Next) -> receive T -> Next ! T, forward(Next) end.

spawn_exit(0) -> ok;
spawn_exit(N) ->
    {_, Ref} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Ref, _, _, _} -> spawn_exit(N - 1) end.

calls(N) ->
    {ok, Pid} = gen_server:start_link(?MODULE, 0, []),
    call(N, Pid).

call(0, Pid) -> gen_server:call(Pid, get);
call(N, Pid) -> gen_server:call(Pid, add), call(N - 1, Pid).

init(N) -> {ok, N}.
handle_call(add, _, N) -> {reply, ok, N + 1};
handle_call(get, _, N) -> {reply, N, N}.
handle_cast(_, N) -> {noreply, N}.

fan_in(Senders, Each) ->
    Self = self(),
    _ = [spawn_link(fun() -> [Self ! {I, K} || K <- lists:seq(1, Each)] end) || I <- lists:seq(1, Senders)],
    collect(Senders * Each, 0).

collect(0, S) -> S;
collect(N, S) -> receive {_, K} -> collect(N - 1, S + K) end.

selective(N) ->
    _ = [self() ! {noise, I} || I <- lists:seq(1, 2000)],
    R = select(N, 0),
    flush(),
    R.

select(0, S) -> S;
select(N, S) ->
    self() ! {wanted, N},
    receive {wanted, V} -> select(N - 1, S + V) end.

flush() -> receive _ -> flush() after 0 -> ok end.

big(N) ->
    Self = self(),
    Data = [{I, <<I:32>>, "text", #{key => I}} || I <- lists:seq(1, 200)],
    Pid = spawn_link(fun() -> echo(Self) end),
    bounce(N, Pid, Data).

bounce(0, _, D) -> length(D);
bounce(N, Pid, D) -> Pid ! D, receive X -> bounce(N - 1, Pid, X) end.

echo(To) -> receive X -> To ! X, echo(To) end.
