%% Many processes in one ordered_set with write_concurrency, whose ranges are cut and joined all the time, or by contention: nothing is lost, counted twice or seen out of order.
-module(ordered).
-export([main/0]).

main() ->
    catch logger:set_primary_config(level, none),
    erts_debug:set_internal_state(available_internal_state, true),
    busy(),
    Rounds = max(1, list_to_integer(os:getenv("ROUNDS", "40")) div 40),
    [io:format("~p ~p: ~0p~n", [What, Mode, lists:usort([run(What, Mode) || _ <- lists:seq(1, Rounds)])]) ||
        What <- [cut, own, shared, walked, changed, emptied, inserted], Mode <- [contention, ets_debug_random_split_join, ets_force_split]].

%% Until more than one thread runs, nothing is cut.
busy() ->
    Ps = [spawn_link(fun() -> spin() end) || _ <- "1234"],
    T = table(contention),
    wait(T),
    [begin unlink(P), exit(P, kill) end || P <- Ps].

wait(T) -> case ets:info(T, stats) of false -> receive after 1 -> wait(T) end; {0, 1, 0} -> ets:delete(T) end.

spin() -> spin().

table(Mode) ->
    T = ets:new(t, [public, ordered_set, {write_concurrency, true}]),
    set(Mode, T, true),
    T.

set(contention, _, _) -> ok;
set(Mode, T, Value) -> ok = erts_debug:set_internal_state(Mode, {T, Value}).

run(What, Mode) ->
    T = table(Mode),
    R = work(What, Mode, T),
    true = element(1, sane(T)) >= 0,
    ets:delete(T),
    R.

%% Cut while it fills, in one piece when it is empty.
work(cut, Mode, T) ->
    Keys = [key(N) || N <- lists:seq(1, 400)],
    [true = ets:insert_new(T, {K, x}) || K <- Keys],
    Cut = Mode =/= ets_force_split orelse element(1, ets:info(T, stats)) > 3,
    Sorted = lists:sort(Keys),
    Sorted = [K || {K, x} <- ets:tab2list(T)],
    [true = [{lists:nth(N + 1, Sorted), x}] =:= ets:slot(T, N) || N <- [0, 200, 399]],
    Memory = ets:info(T, memory),
    set(Mode, T, false),
    [true = ets:delete(T, K) || K <- Keys],
    {Cut, ets:info(T, stats), ets:info(T, size), ets:info(T, memory) < Memory};
%% Keys of one's own, beside those of others.
work(own, _, T) ->
    all(5, fun(I) -> own(T, I, shrunk(800)) end),
    {ets:info(T, size), ets:tab2list(T)};
%% All use the same keys.
work(shared, _, T) ->
    Times = shrunk(1000),
    all(5, fun(_) -> [ets:update_counter(T, N rem 20, 1, {0, 0}) || N <- lists:seq(1, Times)] end),
    Counts = lists:sum([N || {_, N} <- ets:tab2list(T)]) =:= 5 * Times,
    New = all(4, fun(_) -> length([N || N <- lists:seq(1, Times), ets:insert_new(T, {{N}, x})]) end),
    Taken = all(4, fun(_) -> length([N || N <- lists:seq(1, Times), ets:take(T, {N}) =/= []]) end),
    {Counts, lists:sum(New) =:= Times, lists:sum(Taken) =:= Times, [K || {K, _} <- ets:tab2list(T)]};
%% Who walks sees all that is there all the time, in order.
work(walked, Mode, T) ->
    Stay = lists:sort([{N, stays} || N <- lists:seq(1, 100)]),
    [ets:insert(T, {K, x}) || K <- Stay],
    Mode =:= ets_force_split andalso set(Mode, T, false),
    R = beside(fun(I) -> come_and_go(T, I) end, 3, fun() ->
        all(3, fun(_) -> lists:usort([[seen(Stay, Walk(T)) || Walk <- walks()] || _ <- lists:seq(1, shrunk(5))]) end) end),
    {lists:usort(R), ets:info(T, size)};
%% What is deleted and replaced as a whole, by what matches.
work(changed, _, T) ->
    R = beside(fun(I) -> come_and_go(T, I) end, 2, fun() ->
        [begin
             ets:insert(T, [{{N, stays}, I} || N <- lists:seq(1, 100)]),
             {ets:select_replace(T, [{{{'$1', stays}, '$2'}, [{'<', '$1', 51}], [{{{{'$1', stays}}, {'+', '$2', 1}}}]}]),
              ets:select_count(T, [{{{'_', stays}, I + 1}, [], [true]}]) + I - I,
              ets:match_delete(T, {{'_', stays}, I + 1}), ets:select_delete(T, [{{{'_', stays}, '_'}, [], [true]}])}
         end || I <- lists:seq(1, shrunk(20))] end),
    {lists:usort(R), ets:info(T, size)};
%% It is emptied, fixed and asked about under all of them.
work(emptied, Mode, T) ->
    Times = shrunk(400),
    all(6, fun(1) -> [ets:delete_all_objects(T) || _ <- lists:seq(1, 30)];
              (2) -> [begin ets:safe_fixtable(T, true), walk(T, ets:first(T)), ets:safe_fixtable(T, false) end || _ <- lists:seq(1, 30)];
              (3) -> [begin true = ets:info(T, size) >= 0, true = ets:info(T, memory) > 0, [_ | _] = ets:info(T) end || _ <- lists:seq(1, Times)];
              (4) -> [begin set(Mode, T, N rem 2 =:= 0), ets:lookup(T, key(N)) end || N <- lists:seq(1, 50)];
              (_) -> [ets:insert(T, {key(N), x}) || _ <- lists:seq(1, 3), N <- lists:seq(1, Times)] end),
    {Size, Size} = sane(T),
    ets:delete_all_objects(T),
    {ets:info(T, size), ets:first(T), ets:last(T), ets:info(T, fixed)};
%% Lists go in as a whole, whatever the ranges.
work(inserted, _, T) ->
    R = all(4, fun(_) -> [begin
                              ets:insert_new(T, [{{N, X}, x} || N <- lists:seq(1, 100)]),
                              length(ets:select(T, [{{{'_', X}, '_'}, [], [x]}])) + length(ets:lookup(T, {X, X}))
                          end || X <- lists:seq(1, shrunk(40))] end),
    {lists:usort(lists:append(R)), ets:info(T, size) =:= shrunk(40) * 100}.

%% Keys of several types, in no order.
key(N) ->
    case N rem 4 of
        0 -> N * 7919 rem 1009;
        1 -> {N * 7919 rem 1009, N};
        2 -> "key" ++ integer_to_list(N);
        3 -> <<N:600>>
    end.

own(_, _, 0) -> ok;
own(T, I, N) ->
    K = {N rem 50, I},
    true = ets:insert_new(T, {K, N}),
    false = ets:insert_new(T, {K, no}),
    [{K, N}] = ets:lookup(T, K),
    N = ets:lookup_element(T, K, 2),
    true = ets:update_element(T, K, {2, {N, K}}),
    true = ets:member(T, K),
    case N rem 3 of
        0 -> [{K, {N, K}}] = ets:take(T, K);
        1 -> true = ets:delete(T, K);
        2 -> true = ets:delete_object(T, {K, {N, K}})
    end,
    [] = ets:lookup(T, K),
    own(T, I, N - 1).

come_and_go(T, I) ->
    [ets:insert(T, {{N, {goes, I}}, N}) || N <- lists:seq(1, 100)],
    [[_] = ets:take(T, {N, {goes, I}}) || N <- lists:seq(1, 100)].

walks() ->
    Spec = [{{'$1', '_'}, [], ['$1']}],
    [fun(T) -> walk(T, ets:first(T)) end,
     fun(T) -> lists:reverse(back(T, ets:last(T))) end,
     fun(T) -> ets:select(T, Spec) end,
     fun(T) -> lists:reverse(ets:select_reverse(T, Spec)) end,
     fun(T) -> chunks(ets:select(T, Spec, 7)) end,
     fun(T) -> lists:append([ets:select(T, [{{{N, '$1'}, '_'}, [], [{{N, '$1'}}]}]) || N <- lists:seq(1, 100)]) end,
     fun(T) -> [K || {K, _} <- ets:tab2list(T)] end].

walk(_, '$end_of_table') -> [];
walk(T, K) -> [K | walk(T, ets:next(T, K))].

back(_, '$end_of_table') -> [];
back(T, K) -> [K | back(T, ets:prev(T, K))].

chunks('$end_of_table') -> [];
chunks({L, C}) -> L ++ chunks(ets:select(C)).

seen(Stay, Keys) ->
    Keys = lists:usort(Keys),
    Stay =:= [K || {_, stays} = K <- Keys].

%% Objects, and how many the table says there are.
sane(T) ->
    Keys = [K || {K, _} <- ets:tab2list(T)],
    Keys = walk(T, ets:first(T)),
    Keys = lists:reverse(back(T, ets:last(T))),
    Keys = lists:usort(Keys),
    true = lists:all(fun(K) -> ets:member(T, K) end, Keys),
    {length(Keys), ets:info(T, size)}.

%% What F gives while N processes do something again and again.
beside(Something, N, F) ->
    Self = self(),
    Ps = [spawn_link(fun() -> again(fun() -> Something(I) end, Self) end) || I <- lists:seq(1, N)],
    R = F(),
    [begin P ! stop, receive {stopped, P} -> ok end end || P <- Ps],
    R.

again(F, Parent) ->
    F(),
    receive stop -> Parent ! {stopped, self()} after 0 -> again(F, Parent) end.

all(N, F) ->
    Self = self(),
    Ps = [spawn_link(fun() -> Self ! {self(), F(I)} end) || I <- lists:seq(1, N)],
    [receive {P, R} -> R end || P <- Ps].

shrunk(N) -> max(2, N div list_to_integer(os:getenv("SHRINK", "1"))).
