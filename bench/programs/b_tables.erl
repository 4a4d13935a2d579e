%% ETS.
-module(b_tables).
-export([programs/0]).

programs() ->
    [{ets_insert, fun() -> insert(set, 300000) end},
     {ets_insert_ordered, fun() -> insert(ordered_set, 150000) end},
     {ets_insert_list, fun() -> insert_list(10) end},
     {ets_insert_new, fun() -> insert_new(200000) end},
     {ets_lookup, fun() -> lookup(5) end},
     {ets_lookup_ordered, fun() -> lookup_ordered(3) end},
     {ets_lookup_element, fun() -> lookup_element(8) end},
     {ets_keys, fun() -> keys(3) end},
     {ets_delete, fun() -> delete(150000) end},
     {ets_take, fun() -> take(150000) end},
     {ets_counter, fun() -> counter(1000000) end},
     {ets_update_element, fun() -> update_element(500000) end},
     {ets_walk_ordered, fun() -> walk(ordered_set, 5) end},
     {ets_walk, fun() -> walk(set, 5) end},
     {ets_select, fun() -> select(15) end},
     {ets_select_range, fun() -> select_range(2000) end},
     {ets_select_chunks, fun() -> select_chunks(10) end},
     {ets_select_count, fun() -> select_count(20) end},
     {ets_select_delete, fun() -> select_delete(20) end},
     {ets_select_replace, fun() -> select_replace(10) end},
     {ets_match_object, fun() -> match_object(15) end},
     {ets_bag, fun() -> bag(20) end},
     {ets_duplicate_bag, fun() -> duplicate_bag(15) end},
     {ets_foldl, fun() -> foldl(5) end},
     {ets_tab2list, fun() -> tab2list(20) end},
     {ets_compressed, fun() -> compressed(10) end},
     {ets_large, fun() -> large(30000) end},
     {ets_binaries, fun() -> binaries(100000) end},
     {ets_tables, fun() -> tables(100000) end},
     {ets_readers, fun() -> readers(8, 2) end}].

-define(SIZE, 50000).

table(Type) -> table(Type, []).
table(Type, More) ->
    T = ets:new(t, [Type, public | More]),
    fill(T, ?SIZE),
    T.

fill(_, 0) -> ok;
fill(T, N) -> ets:insert(T, {N, N rem 100, [a, N], value}), fill(T, N - 1).

times(0, _) -> ok;
times(N, F) -> F(N), times(N - 1, F).

insert(Type, N) ->
    T = ets:new(t, [Type]),
    scattered(N, fun(I) -> ets:insert(T, {I * 7919 rem 1000003, I, some, {tuple, I}}) end),
    ets:info(T, size).

scattered(0, _) -> ok;
scattered(N, F) -> F(N), scattered(N - 1, F).

insert_list(Rounds) ->
    L = [{{key, N}, N, atom} || N <- lists:seq(1, 30000)],
    T = ets:new(t, []),
    times(Rounds, fun(_) -> ets:insert(T, L), ets:delete_all_objects(T) end),
    ets:info(T, size).

insert_new(N) ->
    T = ets:new(t, []),
    times(N, fun(I) -> ets:insert_new(T, {I band 16#ffff, I}) end),
    times(N, fun(I) -> ets:insert_new(T, {{I band 16#ffff}, I}) end),
    ets:info(T, size).

lookup(Rounds) ->
    T = table(set),
    lists:sum([sum(T, ?SIZE, 0) || _ <- lists:seq(1, Rounds)]).

sum(_, 0, S) -> S;
sum(T, N, S) ->
    [{_, V, _, _}] = ets:lookup(T, N),
    [] = ets:lookup(T, -N),
    sum(T, N - 1, S + V).

lookup_ordered(Rounds) ->
    T = table(ordered_set),
    lists:sum([sum(T, ?SIZE, 0) || _ <- lists:seq(1, Rounds)]).

lookup_element(Rounds) ->
    T = table(set, [named_table]),
    ets:insert(t, {atom_key, 1}),
    T = t,
    lists:sum([elements(?SIZE, 0) || _ <- lists:seq(1, Rounds)]).

elements(0, S) -> S;
elements(N, S) -> elements(N - 1, S + ets:lookup_element(t, N, 2) + ets:lookup_element(t, atom_key, 2)).

%% Keys of other kinds than small integers.
keys(Rounds) ->
    Keys = [K || N <- lists:seq(1, 10000), K <- [{N, N + 1}, [N, a], integer_to_binary(N), N / 2, {user, "name", N}, N bsl 70]],
    T = ets:new(t, []),
    [ets:insert(T, {K, value}) || K <- Keys],
    times(Rounds, fun(_) -> [true = ets:member(T, K) || K <- Keys] end),
    ets:info(T, size).

delete(N) ->
    T = ets:new(t, []),
    times(2, fun(_) ->
        times(N, fun(I) -> ets:insert(T, {I, value}) end),
        times(N, fun(I) -> ets:delete(T, I) end)
    end),
    ets:info(T, size).

take(N) ->
    T = ets:new(t, []),
    times(N, fun(I) -> ets:insert(T, {I, value}) end),
    times(N, fun(I) -> [{I, value}] = ets:take(T, I) end),
    ets:info(T, size).

counter(N) ->
    T = ets:new(t, []),
    times(N, fun(I) -> ets:update_counter(T, I band 1023, 1, {key, 0}) end),
    times(N div 4, fun(I) -> ets:update_counter(T, I band 1023, [{2, 3}, {2, -1, 0, 0}]) end),
    lists:sum([V || {_, V} <- ets:tab2list(T)]).

update_element(N) ->
    T = table(set),
    times(N, fun(I) -> ets:update_element(T, 1 + I rem ?SIZE, {2, I}) end),
    lists:sum([V || {_, V, _, _} <- ets:tab2list(T)]).

walk(Type, Rounds) ->
    T = table(Type),
    lists:sum([steps(T, ets:first(T), 0) || _ <- lists:seq(1, Rounds)]).

steps(_, '$end_of_table', S) -> S;
steps(T, K, S) -> steps(T, ets:next(T, K), S + K).

select(Rounds) ->
    T = table(set),
    lists:sum([length(ets:select(T, [{{'$1', '$2', '_', '_'}, [{'>', '$2', R}, {'=<', '$2', 60}], [{{'$1', '$2'}}]}])) || R <- lists:seq(1, Rounds)]).

select_range(Rounds) ->
    T = ets:new(t, [ordered_set]),
    [ets:insert(T, {{A, B}, A + B}) || A <- lists:seq(1, 500), B <- lists:seq(1, 100)],
    lists:sum([length(ets:select(T, [{{{1 + R rem 500, '$1'}, '$2'}, [{'>', '$1', 50}], ['$2']}])) || R <- lists:seq(1, Rounds)]).

select_chunks(Rounds) ->
    T = table(set),
    Spec = [{{'$1', '$2', '_', '_'}, [], ['$1']}],
    lists:sum([chunks(ets:select(T, Spec, 100), 0) || _ <- lists:seq(1, Rounds)]).

chunks('$end_of_table', S) -> S;
chunks({L, C}, S) -> chunks(ets:select(C), S + length(L)).

select_count(Rounds) ->
    T = table(set),
    lists:sum([ets:select_count(T, [{{'_', '$1', ['_', '$2'], value}, [{'=:=', {'rem', '$2', 7}, 3}, {'or', {'<', '$1', R}, {'is_atom', '$1'}}], [true]}])
               || R <- lists:seq(1, Rounds)]).

select_delete(Rounds) ->
    L = [{N, N rem 10} || N <- lists:seq(1, 20000)],
    T = ets:new(t, []),
    lists:sum([begin ets:insert(T, L), ets:select_delete(T, [{{'_', '$1'}, [{'<', '$1', 5}], [true]}]) end || _ <- lists:seq(1, Rounds)]).

select_replace(Rounds) ->
    T = table(ordered_set),
    lists:sum([ets:select_replace(T, [{{'$1', '$2', '$3', '_'}, [{'<', '$2', 50}], [{{'$1', {'+', '$2', 1}, '$3', R}}]}]) || R <- lists:seq(1, Rounds)]).

match_object(Rounds) ->
    T = table(set),
    lists:sum([length(ets:match_object(T, {'_', R, '_', value})) + length(ets:match(T, {'$1', R, [a, '$2'], '_'})) || R <- lists:seq(1, Rounds)]).

bag(Rounds) ->
    T = ets:new(t, [bag]),
    lists:sum([begin
                   times(20000, fun(N) -> ets:insert(T, {N rem 2000, N, R}) end),
                   L = ets:lookup(T, R),
                   M = ets:match_object(T, {R + 7, '_', '_'}),
                   ets:delete_all_objects(T),
                   length(L) + length(M)
               end || R <- lists:seq(1, Rounds)]).

duplicate_bag(Rounds) ->
    T = ets:new(t, [duplicate_bag]),
    lists:sum([begin
                   times(20000, fun(N) -> ets:insert(T, {N rem 1000, N rem 5, R}) end),
                   ets:delete_object(T, {R, R rem 5, R}),
                   S = length(ets:lookup(T, R)) + length(ets:match(T, {'$1', 3, '_'})),
                   times(1000, fun(N) -> ets:delete(T, N) end),
                   S
               end || R <- lists:seq(1, Rounds)]).

foldl(Rounds) ->
    T = table(set),
    lists:sum([ets:foldl(fun({_, V, _, _}, S) -> S + V end, 0, T) || _ <- lists:seq(1, Rounds)]).

tab2list(Rounds) ->
    T = table(set),
    lists:sum([length(ets:tab2list(T)) || _ <- lists:seq(1, Rounds)]).

compressed(Rounds) ->
    T = ets:new(t, [compressed]),
    fill(T, 20000),
    Long = lists:duplicate(100, "some text"),
    times(5000, fun(N) -> ets:insert(T, {{long, N}, Long}) end),
    lists:sum([lists:sum([length(ets:lookup(T, K)) || K <- [N, {long, N rem 5000}]]) || _ <- lists:seq(1, Rounds), N <- lists:seq(1, 5000)]).

large(N) ->
    T = ets:new(t, []),
    Big = list_to_tuple([{I, [I, "text"], #{I => value}} || I <- lists:seq(1, 50)]),
    times(N, fun(I) -> ets:insert(T, {I band 255, Big}), [{_, X}] = ets:lookup(T, I band 255), 50 = tuple_size(X) end),
    ets:info(T, size).

binaries(N) ->
    T = ets:new(t, []),
    B = binary:copy(<<"0123456789">>, 20),
    times(N, fun(I) -> ets:insert(T, {I band 4095, <<I:64>>, B}), [{_, _, X}] = ets:lookup(T, I band 4095), 200 = byte_size(X) end),
    ets:info(T, size).

tables(N) ->
    times(N, fun(I) -> T = ets:new(t, []), ets:insert(T, {I, I}), [{I, I}] = ets:lookup(T, I), ets:delete(T) end),
    N.

readers(Count, Rounds) ->
    T = table(set, [{read_concurrency, true}]),
    Self = self(),
    Pids = [spawn_link(fun() -> Self ! {self(), lists:sum([sum(T, ?SIZE, 0) || _ <- lists:seq(1, Rounds)])} end) || _ <- lists:seq(1, Count)],
    lists:sum([receive {P, S} -> S end || P <- Pids]).
