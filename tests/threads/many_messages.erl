%% MESSAGES messages between PROCESSES processes, of which each has a number: none may be lost, none come twice, none out of order.
%% Every process sends along EDGES edges and is linked to and monitors the one at the end of the first; now and then a child of its own,
%% linked and monitored, sends some to its other neighbours' mailboxes and ends. All is counted, and the counts must come out.
-module(many_messages).
-export([main/0, start/0]).

-define(EDGES, 8).
-define(BURST, 16).          % messages in one go
-define(CHILD_EVERY, 40).    % bursts between two children
-define(CHILD_SENDS, 10).
-define(AHEAD, 100).         % messages along an edge that one may be ahead of those who send to it: so mailboxes stay small

start() -> main(), halt(0).

main() ->
    Processes = number("PROCESSES", 200),
    Bursts = max(1, number("MESSAGES", 200000) div (Processes * ?BURST)),
    Self = self(),
    process_flag(trap_exit, true),
    Pids = [spawn_link(fun() -> begin_with(Self) end) || _ <- lists:seq(1, Processes)],
    All = list_to_tuple(Pids),
    Began = erlang:monotonic_time(millisecond),
    [P ! {peers, list_to_tuple([{K, element((I - 1 + step(K, Processes)) rem Processes + 1, All)} || K <- lists:seq(1, ?EDGES)]), Bursts} || {I, P} <- lists:enumerate(Pids)],
    Figures = [receive {P, got, N, Children, Downs, Exits} -> {N, Children, Downs, Exits}; {'EXIT', P, Why} -> exit({died, Why}) end || P <- Pids],
    Took = erlang:monotonic_time(millisecond) - Began,
    [P ! stop || P <- Pids],
    Ends = [receive {'EXIT', P, Why} -> Why end || P <- Pids],
    Sum = fun(I) -> lists:sum([element(I, F) || F <- Figures]) end,
    io:format("~w messages, ~w children, ~w downs, ~w exits, ~p~n", [Sum(1), Sum(2), Sum(3), Sum(4), lists:usort(Ends)]),
    os:getenv("RATE") =/= false andalso io:format("~w s, ~w messages/s~n", [Took / 1000, Sum(1) * 1000 div max(1, Took)]).

number(Name, Default) ->
    case os:getenv(Name) of
        false -> Default;
        Text -> list_to_integer(Text)
    end.

%% Edges lead to different ones, near and far.
step(K, Processes) -> 1 + (K * K * 997) rem (Processes - 1).

begin_with(Main) ->
    process_flag(trap_exit, true),
    receive {peers, Peers, Bursts} -> ok end,
    {_, First} = element(1, Peers),
    link(First),
    Ref = monitor(process, First),
    Zero = list_to_tuple(lists:duplicate(?EDGES, 0)),
    S = burst(Bursts, Peers, Zero, {Zero, 0, 0, 0, 0}),
    [P ! {told, K, element(K, counts(Bursts))} || {K, P} <- tuple_to_list(Peers)],
    {_, Children, Downs, Exits, N} = wait(?EDGES, S),
    Main ! {self(), got, N, Children, Downs, Exits},
    stop(First, Ref).

%% They all end when they are told to: the neighbour's end is seen once by the link and once by the monitor, if this one is still there.
stop(First, Ref) ->
    receive
        stop ->
            demonitor(Ref, [flush]),
            exit(done);
        {'DOWN', Ref, process, First, done} -> stop(First, Ref);
        {'EXIT', _, done} -> stop(First, Ref);
        Other -> exit({unexpected, Other})
    end.

%% What has been sent along each edge in the end.
counts(Bursts) -> list_to_tuple([?BURST div ?EDGES * Bursts || _ <- lists:seq(1, ?EDGES)]).

burst(0, _, _, S) -> S;
burst(Left, Peers, Sent, S) ->
    Sent1 = send(1, Peers, Sent),
    Sent2 = send(1, Peers, Sent1),
    S1 = if Left rem ?CHILD_EVERY =:= 0 -> child(S); true -> S end,
    burst(Left - 1, Peers, Sent2, slowest(element(1, Sent2) - ?AHEAD, drain(S1))).

%% Waits until so many have come along all edges.
slowest(Least, {Seen, _, _, _, _} = S) ->
    case lists:min(tuple_to_list(Seen)) < Least of
        true -> receive {K, N} when is_integer(K) -> slowest(Least, drain(took(K, N, S))) end;
        false -> S
    end.

send(K, _, Sent) when K > ?EDGES -> Sent;
send(K, Peers, Sent) ->
    {K, P} = element(K, Peers),
    N = element(K, Sent) + 1,
    P ! {K, N},
    send(K + 1, Peers, setelement(K, Sent, N)).

%% A child sends and ends: all it has sent comes before the news of its end, which comes twice.
child(S) ->
    Parent = self(),
    {C, R} = spawn_opt(fun() -> [Parent ! {child, self(), N} || N <- lists:seq(1, ?CHILD_SENDS)], exit({bye, ?CHILD_SENDS}) end, [link, monitor]),
    child(C, R, 0, false, false, S).

child(_, _, ?CHILD_SENDS, true, true, {Seen, Children, Downs, Exits, N}) ->
    {Seen, Children + 1, Downs + 1, Exits + 1, N + ?CHILD_SENDS};
child(C, R, Got, Down, Exit, S) ->
    receive
        {child, C, N} when N =:= Got + 1, not Down, not Exit -> child(C, R, N, Down, Exit, S);
        {'DOWN', R, process, C, {bye, ?CHILD_SENDS}} when Got =:= ?CHILD_SENDS, not Down -> child(C, R, Got, true, Exit, S);
        {'EXIT', C, {bye, ?CHILD_SENDS}} when Got =:= ?CHILD_SENDS, not Exit -> child(C, R, Got, Down, true, S);
        {K, N} when is_integer(K) -> child(C, R, Got, Down, Exit, took(K, N, S));
        Other when element(1, Other) =/= told -> exit({unexpected, Other})
    end.

drain(S) -> receive {K, N} when is_integer(K) -> drain(took(K, N, S)) after 0 -> S end.

took(K, N, {Seen, Children, Downs, Exits, All}) ->
    case element(K, Seen) + 1 of
        N -> {setelement(K, Seen, N), Children, Downs, Exits, All + 1};
        Expected -> exit({order, K, Expected, N})
    end.

wait(0, S) -> S;
wait(Left, {Seen, _, _, _, _} = S) ->
    receive
        {told, K, N} when element(K, Seen) =:= N -> wait(Left - 1, S);
        {K, N} when is_integer(K) -> wait(Left, took(K, N, S));
        Other -> exit({unexpected, Other, Seen})
    end.
