%% Many processes send numbered messages to each other: none may be lost, come twice or out of order.
-module(message_order).
-export([main/0, start/0]).

main() ->
    Processes = 200,
    Messages = 5 * list_to_integer(os:getenv("ROUNDS", "50")),
    Pids = [spawn_link(fun() -> receive {peers, Peers, Parent} -> run(I, Peers, Parent, Messages) end end) || I <- lists:seq(1, Processes)],
    Peers = list_to_tuple(Pids),
    [P ! {peers, Peers, self()} || P <- Pids],
    Got = lists:sum([receive {P, N} -> N after 100000 -> exit({silent, P}) end || P <- Pids]),
    io:format("~w~n", [Got =:= Processes * Messages]),
    [unlink(P) || P <- Pids],
    [exit(P, kill) || P <- Pids],
    gone(Pids).

start() -> main(), halt(0).

gone(Pids) ->
    Refs = [monitor(process, P) || P <- Pids],
    io:format("~w~n", [length([R || R <- Refs, receive {'DOWN', R, _, _, Why} -> lists:member(Why, [killed, noproc]) after 100000 -> false end])]).

run(I, Peers, Parent, Messages) ->
    _ = rand:seed(exsss, I),
    Sent = send(Messages, I, Peers, #{}, #{}),
    {Counts, Seen} = Sent,
    [element(To, Peers) ! {all, I, maps:get(To, Counts, 0)} || To <- lists:seq(1, tuple_size(Peers))],
    Parent ! {self(), collect(tuple_size(Peers), Seen)},
    receive never -> ok end.

send(0, _, _, Counts, Seen) ->
    {Counts, Seen};
send(N, I, Peers, Counts, Seen) ->
    To = rand:uniform(tuple_size(Peers)),
    C = maps:get(To, Counts, 0) + 1,
    element(To, Peers) ! {n, I, C, if C rem 16 =:= 0 -> lists:seq(1, 100); true -> N end},
    send(N - 1, I, Peers, Counts#{To => C}, take(Seen)).

%% What has come by now.
take(Seen) ->
    receive {n, From, C, _} -> take(check(From, C, Seen)) after 0 -> Seen end.

check(From, C, Seen) ->
    case maps:get(From, Seen, 0) of
        Before when Before + 1 =:= C -> Seen#{From => C};
        Before -> exit({order, From, Before, C})
    end.

%% All that are told to have been sent must have come: they came before.
collect(0, Seen) ->
    lists:sum(maps:values(Seen));
collect(Left, Seen) ->
    receive
        {n, From, C, _} -> collect(Left, check(From, C, Seen));
        {all, From, Count} ->
            case maps:get(From, Seen, 0) of
                Count -> collect(Left - 1, Seen);
                Other -> exit({lost, From, Other, Count})
            end
    after 100000 -> exit({waiting, Left})
    end.
