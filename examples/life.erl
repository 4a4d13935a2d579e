%% Conway's Game of Life on a torus: one process a cell, each talks to its eight neighbours.
-module(life).
-export([start/0]).

-define(SIZE, 16).

start() ->
    Glider = [{1, 0}, {2, 1}, {0, 2}, {1, 2}, {2, 2}],
    Self = self(),
    Cells = maps:from_list([{P, spawn_link(fun() -> cell(P, lists:member(P, Glider), Self) end)} || P <- points()]),
    maps:foreach(fun(_, Pid) -> Pid ! {neighbours, Cells} end, Cells),
    generations(0, 32, Cells).

points() -> [{X, Y} || Y <- lists:seq(0, ?SIZE - 1), X <- lists:seq(0, ?SIZE - 1)].

generations(N, Last, Cells) ->
    maps:foreach(fun(_, Pid) -> Pid ! {tick, N} end, Cells),
    World = maps:from_list([receive {alive, N, P, A} -> {P, A} end || P <- points()]),
    N rem 16 =:= 0 andalso show(N, World),
    case N of
        Last -> ok;
        _ -> generations(N + 1, Last, Cells)
    end.

show(N, World) ->
    io:format("generation ~w, ~w cells alive~n", [N, length([1 || true <- maps:values(World)])]),
    [io:format("  ~s~n", [[case maps:get({X, Y}, World) of true -> $#; false -> $. end || X <- lists:seq(0, ?SIZE - 1)]])
     || Y <- lists:seq(0, ?SIZE - 1)],
    ok.

cell({X, Y} = P, Alive, Display) ->
    receive
        {neighbours, Cells} ->
            Around = [maps:get({(X + Dx + ?SIZE) rem ?SIZE, (Y + Dy + ?SIZE) rem ?SIZE}, Cells)
                      || Dx <- [-1, 0, 1], Dy <- [-1, 0, 1], {Dx, Dy} =/= {0, 0}],
            live(P, Alive, Around, Display)
    end.

live(P, Alive, Around, Display) ->
    receive
        {tick, N} ->
            Display ! {alive, N, P, Alive},
            [Pid ! {state, N, Alive} || Pid <- Around],
            Living = length([1 || _ <- Around, receive {state, N, A} -> A end]),
            live(P, Living =:= 3 orelse (Alive andalso Living =:= 2), Around, Display)
    end.
