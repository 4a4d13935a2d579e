%% Many processes in one table, of all types and options: nothing is lost, counted twice or seen half, while it grows, shrinks, is fixed, searched and emptied.
-module(tables).
-export([main/0]).

main() ->
    Rounds = max(1, list_to_integer(os:getenv("ROUNDS", "40")) div 40),
    Options = [[Type, public | More] || Type <- [set, ordered_set, bag, duplicate_bag],
                                        More <- [[{write_concurrency, true}], [{read_concurrency, true}]]],
    Fixed = [[set, public], [set, public, {write_concurrency, {debug_hash_fixed_number_of_locks, 4}}]],
    [begin
         io:format("~p~n", [O]),
         [io:format("  ~p: ~p~n", [What, lists:usort([run(What, O) || _ <- lists:seq(1, Rounds)])]) ||
             What <- [counters, own_keys, first_come, growing, searched, fixed, lists_at_once, emptied, given]]
     end || O <- Options ++ Fixed].

run(What, O) ->
    T = ets:new(t, O),
    R = work(What, T, ets:info(T, type)),
    catch ets:delete(T),
    R.

%% Counts of all together are right.
work(counters, T, Type) when Type =:= set; Type =:= ordered_set ->
    all(6, fun(_) -> [ets:update_counter(T, N rem 20, 1, {0, 0}) || N <- lists:seq(1, 1000)] end),
    lists:sort(ets:tab2list(T)) =:= [{N, 300} || N <- lists:seq(0, 19)];
work(counters, _, _) -> bag;
%% Who uses keys of his own sees nothing of the others.
work(own_keys, T, _) ->
    all(6, fun(I) -> own(T, I, 600) end),
    {ets:info(T, size), ets:tab2list(T)};
%% Of all who insert the same, one comes first; of all who take it, one gets it.
work(first_come, T, _) ->
    New = all(6, fun(_) -> length([N || N <- lists:seq(1, 1000), ets:insert_new(T, {N, x})]) end),
    Taken = all(6, fun(_) -> length([N || N <- lists:seq(1, 1000), ets:take(T, N) =/= []]) end),
    {lists:sum(New), lists:sum(Taken), ets:info(T, size)};
%% It grows and shrinks under all of them.
work(growing, T, _) ->
    Memory = ets:info(T, memory),
    all(4, fun(I) -> [ets:insert(T, {{I, N}, N}) || N <- lists:seq(1, 1600)] end),
    Sum = lists:sum([N || {_, N} <- ets:tab2list(T)]),
    Size = ets:info(T, size),
    all(4, fun(I) -> [true = ets:delete(T, {I, N}) || N <- lists:seq(1, 1600), N rem 100 > 0] end),
    Left = lists:sort(ets:tab2list(T)) =:= [{{I, N}, N} || I <- lists:seq(1, 4), N <- lists:seq(1, 1600), N rem 100 =:= 0],
    all(4, fun(I) -> [true = ets:delete(T, {I, N}) || N <- lists:seq(1, 1600)] end),
    {Sum, Size, Left, ets:info(T, size), ets:info(T, memory) < Memory + 20000};
%% Searches find all that is there all the time, whatever else comes and goes.
work(searched, T, _) ->
    ets:insert(T, [{{stays, N}, N} || N <- lists:seq(1, 1500)]),
    Parent = self(),
    Others = [spawn_link(fun() -> come_and_go(T, I, Parent) end) || I <- lists:seq(1, 2)],
    R = all(3, fun(_) ->
        [lists:usort([{length(ets:select(T, [{{{stays, '$1'}, '_'}, [], ['$1']}])),
                       ets:select_count(T, [{{{stays, '_'}, '$1'}, [{'>', '$1', 500}], [true]}]),
                       in_chunks(T),
                       ets:foldl(fun({{stays, _}, _}, A) -> A + 1; (_, A) -> A end, 0, T)} || _ <- lists:seq(1, 2)])] end),
    [begin unlink(P), P ! stop, receive {stopped, P} -> ok end end || P <- Others],
    {lists:usort(R), ets:info(T, safe_fixed), ets:info(T, size)};
%% Who has fixed it gets round, though everything is deleted under his feet.
work(fixed, T, _) ->
    ets:insert(T, [{N, x} || N <- lists:seq(1, 1000)]),
    R = all(5, fun(1) -> [ets:delete(T, N) || N <- lists:seq(1, 1000)], done;
                  (2) -> [ets:insert(T, {N, y}) || N <- lists:seq(1001, 1500)], done;
                  (_) -> ets:safe_fixtable(T, true), walk(T, ets:first(T)), ets:safe_fixtable(T, false), done end),
    {lists:usort(R), ets:info(T, fixed), ets:info(T, size), length(ets:tab2list(T))};
%% Lists go in as a whole, or not at all.
work(lists_at_once, T, _) ->
    R = all(4, fun(I) -> [lists:member(length(ets:lookup(T, {X, 50}) ++ ets:lookup(T, {X, 1}) ++ ets:lookup(T, {X, 100})), [0, 3]) orelse
                          exit(half) || X <- lists:seq(1, 20), ets:insert_new(T, [{{X, N}, I} || N <- lists:seq(1, 100)]) orelse true], done end),
    {lists:usort(R), ets:info(T, size), lists:usort([length(lists:usort(ets:select(T, [{{{X, '_'}, '$1'}, [], ['$1']}]))) || X <- lists:seq(1, 20)])};
%% All goes at once.
work(emptied, T, _) ->
    all(4, fun(1) -> [ets:delete_all_objects(T) || _ <- lists:seq(1, 30)];
              (2) -> [ets:select_delete(T, [{{'$1', '_'}, [{'=:=', {'rem', '$1', 2}, 0}], [true]}]) || _ <- lists:seq(1, 30)];
              (_) -> [ets:insert(T, {N, x}) || N <- lists:seq(1, 2000)] end),
    Same = ets:info(T, size) =:= length(ets:tab2list(T)),
    ets:delete_all_objects(T),
    {Same, ets:info(T, size), ets:tab2list(T)};
%% It goes from hand to hand, and away, while others use it.
work(given, T, _) ->
    Self = self(),
    Users = [spawn_monitor(fun() -> use(T, 1) end) || _ <- lists:seq(1, 3)],
    P = spawn_link(fun() -> passes(Self) end),
    [begin ets:give_away(T, P, N), receive {'ETS-TRANSFER', T, P, back} -> ok end end || N <- lists:seq(1, 30)],
    P ! stop,
    ets:delete(T),
    [receive {'DOWN', M, _, _, Why} -> Why end || {_, M} <- Users].

own(_, _, 0) -> ok;
own(T, I, N) ->
    K = {I, N rem 100},
    true = ets:insert(T, {K, N}),
    [{K, N}] = ets:lookup(T, K),
    true = ets:member(T, K),
    true = lists:member(ets:lookup_element(T, K, 2), [N, [N]]),
    case N rem 3 of
        0 -> [{K, N}] = ets:take(T, K);
        1 -> true = ets:delete(T, K);
        2 -> true = ets:delete_object(T, {K, N})
    end,
    [] = ets:lookup(T, K),
    own(T, I, N - 1).

come_and_go(T, I, Parent) ->
    [ets:insert(T, {{goes, I, N}, N}) || N <- lists:seq(1, 700)],
    [ets:delete(T, {goes, I, N}) || N <- lists:seq(1, 700)],
    receive stop -> Parent ! {stopped, self()} after 0 -> come_and_go(T, I, Parent) end.

in_chunks(T) ->
    ets:safe_fixtable(T, true),
    N = chunks(ets:select(T, [{{{stays, '$1'}, '_'}, [], ['$1']}], 100), 0),
    ets:safe_fixtable(T, false),
    N.

chunks('$end_of_table', N) -> N;
chunks({L, C}, N) -> chunks(ets:select(C), N + length(L)).

walk(_, '$end_of_table') -> ok;
walk(T, K) -> walk(T, ets:next(T, K)).

use(T, N) ->
    try ets:insert(T, {N rem 100, N}), ets:lookup(T, N rem 100), ets:delete(T, (N + 50) rem 100), ets:info(T, owner) of
        _ -> use(T, N + 1)
    catch
        error:badarg -> exit(gone)
    end.

passes(To) -> receive {'ETS-TRANSFER', T, To, _} -> ets:give_away(T, To, back), passes(To); stop -> ok end.

all(N, F) ->
    Self = self(),
    Ps = [spawn_link(fun() -> Self ! {self(), F(I)} end) || I <- lists:seq(1, N)],
    [receive {P, R} -> R end || P <- Ps].
