%% A socket that several processes send on, while others close it or end: what has been sent comes whole and in the order of each
%% sender, and everybody gets an answer.
-module(sockets_shared).
-export([main/0]).

main() ->
    Rounds = list_to_integer(os:getenv("ROUNDS", "5")),
    Workers = [spawn_monitor(fun() -> work(Kind, Rounds) end) || Kind <- [sends, closes, kills, asks], _ <- [1, 2]],
    io:format("~p~n", [lists:usort([receive {'DOWN', R, process, P, Why} -> Why end || {P, R} <- Workers])]).

pair(Options) ->
    {ok, L} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {active, false}, {packet, 4}]),
    {ok, {_, Port}} = inet:sockname(L),
    {ok, A} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}, {packet, 4} | Options]),
    {ok, B} = gen_tcp:accept(L),
    gen_tcp:close(L),
    {A, B}.

work(_, 0) -> ok;
work(sends, N) ->
    {A, B} = pair([{sndbuf, 4096}, {high_watermark, 3000}, {low_watermark, 1000}]),
    Senders = [spawn_link(fun() -> send(A, I, 1, 20, ok) end) || I <- lists:seq(1, 4)],
    Got = collect(B, 4 * 20),
    [[] = [x || {I, K} <- lists:zip(Ks, lists:seq(1, 20)), I =/= K] || S <- lists:seq(1, 4), Ks <- [[K || {S1, K} <- Got, S1 =:= S]]],
    [begin R = monitor(process, P), receive {'DOWN', R, _, _, _} -> ok end end || P <- Senders],
    gen_tcp:close(A), gen_tcp:close(B),
    work(sends, N - 1);
work(closes, N) ->
    {A, B} = pair([]),
    inet:setopts(B, [{active, true}]),
    Senders = [spawn_monitor(fun() -> send(A, I, 1, 1000000, closed) end) || I <- lists:seq(1, 3)],
    [receive {tcp, B, _} -> ok end || _ <- lists:seq(1, 20)],
    gen_tcp:close(element(1 + N rem 2, {A, B})),
    [receive {'DOWN', R, _, P, normal} -> ok end || {P, R} <- Senders],
    gen_tcp:close(A), gen_tcp:close(B),
    flush(),
    work(closes, N - 1);
work(kills, N) -> % who owns the socket
    Me = self(),
    Options = [{high_watermark, 1 bsl 28}], % who is held up when a port ends hears of it after 5 seconds only
    {Owner, R} = spawn_monitor(fun() -> Me ! pair(Options), receive stop -> ok end end),
    {A, B} = receive {_, _} = Pair -> Pair end,
    Senders = [spawn_monitor(fun() -> send(A, I, 1, 1000000, closed) end) || I <- lists:seq(1, 3)],
    {ok, _} = gen_tcp:recv(B, 0),
    exit(Owner, kill),
    receive {'DOWN', R, _, _, _} -> ok end,
    [receive {'DOWN', R1, _, P, normal} -> ok end || {P, R1} <- Senders],
    work(kills, N - 1);
work(asks, N) ->
    {A, B} = pair([]),
    spawn_link(fun() -> echo(B) end),
    Asking = spawn_link(fun() -> asks(A) end),
    [begin ok = gen_tcp:send(A, <<K:32>>), {ok, <<K:32>>} = gen_tcp:recv(A, 0) end || K <- lists:seq(1, 100)],
    unlink(Asking), exit(Asking, kill),
    gen_tcp:close(A),
    work(asks, N - 1).

%% Of all sizes: some take several writes.
send(_, _, K, Most, _) when K > Most -> ok;
send(S, I, K, Most, Ends) ->
    case gen_tcp:send(S, [<<I:32, K:32>>, binary:copy(<<0>>, if K rem 7 =:= 0 -> 100000; true -> K rem 100 end)]) of
        ok -> send(S, I, K + 1, Most, Ends);
        {error, _} when Ends =:= closed -> ok
    end.

collect(_, 0) -> [];
collect(S, N) ->
    {ok, <<I:32, K:32, _/binary>>} = gen_tcp:recv(S, 0),
    [{I, K} | collect(S, N - 1)].

echo(S) ->
    case gen_tcp:recv(S, 0) of
        {ok, Data} -> _ = gen_tcp:send(S, Data), echo(S);
        {error, _} -> ok
    end.

asks(S) ->
    case {inet:getstat(S), inet:peername(S), erlang:port_info(S, connected)} of
        {{ok, _}, {ok, _}, {connected, _}} -> asks(S);
        _ -> ok
    end.

flush() -> receive {tcp, _, _} -> flush(); {tcp_closed, _} -> flush() after 0 -> ok end.
