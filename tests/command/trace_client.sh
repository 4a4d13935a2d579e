# trace_ip_drv: messages of tracing wait for a client that connects, and for one client at a time. Not compared with erl, whose
# driver does not clear the memory of its queue, and now and then dies of it.
. tests/lib/command.sh

module trace_client <<'.'
-export([start/0]).

start() ->
    {ok, _} = dbg:tracer(port, dbg:trace_port(ip, 0)),
    {ok, _} = dbg:p(self(), call),
    {ok, _} = dbg:tp(lists, seq, 2, []),
    [lists:seq(1, N) || N <- lists:seq(1, 60)],
    {ok, Number} = dbg:trace_port_control(get_listen_port),
    Self = self(),
    dbg:trace_client(ip, {"127.0.0.1", Number}, {fun(M, _) -> Self ! {told, M} end, none}),
    told(51),
    {ok, Second} = gen_tcp:connect({127, 0, 0, 1}, Number, [binary, {active, false}]),
    io:format("~0p~n", [gen_tcp:recv(Second, 0, 60000)]),
    lists:seq(1, 1),
    told(1),
    Open = fun(Arguments) -> try open_port({spawn, "trace_ip_drv " ++ Arguments}, [eof]) catch C:R -> {C, R} end end,
    io:format("~0p~n", [[Open(A) || A <- [integer_to_list(Number) ++ " 50 2", "", "1", "0 1 7", "a b c", "-1 0 0"]]]),
    dbg:stop_clear(),
    io:format("~0p~n", [element(1, gen_tcp:connect({127, 0, 0, 1}, Number, [binary, {active, false}]))]).

told(Count) ->
    io:format("~w~n", [[receive {told, {trace, _, call, {lists, seq, [1, N]}}} -> N; {told, Other} -> Other after 60000 -> none end || _ <- lists:seq(1, Count)]]).
.

mote erl -noshell -noinput -pa . -s trace_client start -s erlang halt
out_is '[60,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50]
{error,closed}
[51]
[{error,einval},{error,einval},{error,einval},{error,einval},{error,einval},{error,einval}]
error'; status_is 0
