%% Receives that begin at a marker, with messages looked at and left behind in several places while the heap is collected.
-module(receive_markers).
-export([main/0, echo/0]).

main() ->
    t:show("a bad timeout begins anew", fun() ->
        self() ! init,
        R = try receive blipp -> ok after id(blupp) -> ok end catch C:E -> {C, E} end,
        Ref = make_ref(),
        self() ! Ref,
        {R, receive init -> init end, receive Ref -> ref end} end),
    t:show("nested calls with a full mailbox", fun() ->
        [self() ! {other, N, lists:seq(1, N rem 7)} || N <- lists:seq(1, 300)],
        Server = spawn_link(fun echo/0),
        Sum = lists:sum([nested(Server, D) || D <- [1, 3, 12, 20, 2, 9]]),
        Server ! stop,
        {Sum, check(1, [])} end),
    t:show("replies that came before they are asked for", fun() ->
        [self() ! {other, N, lists:seq(1, N rem 7)} || N <- lists:seq(1, 100)],
        Server = spawn_link(fun echo/0),
        Refs = [ask(Server, N) || N <- lists:seq(1, 30)],
        garbage_collect(),
        Replies = [answer(R) || R <- lists:reverse(Refs)],
        garbage_collect(),
        Server ! stop,
        {Replies, check(1, [])} end).

id(X) -> X.

echo() ->
    receive
        {ask, From, Ref, X} -> From ! {noise, X, [X]}, From ! {Ref, {X, [X, X]}}, echo();
        stop -> ok
    end.

%% Asks, asks deeper before it takes the reply, and collects in between.
nested(_, 0) -> 0;
nested(Server, D) ->
    Ref = make_ref(),
    Server ! {ask, self(), Ref, D},
    Below = nested(Server, D - 1),
    D rem 3 == 0 andalso garbage_collect(),
    receive {Ref, {X, [X, X]}} -> X + Below end.

ask(Server, N) ->
    Ref = monitor(process, Server),
    Server ! {ask, self(), Ref, N},
    Ref.
answer(Ref) ->
    receive {Ref, {N, [N, N]}} -> demonitor(Ref, [flush]), N end.

%% Everything else is still there, whole and in order.
check(N, Noise) ->
    receive
        {other, N, L} when length(L) == N rem 7 -> check(N + 1, Noise);
        {noise, X, [X]} -> check(N, [X | Noise])
    after 0 -> {N, length(Noise), lists:sum(Noise)}
    end.
