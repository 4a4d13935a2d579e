%% erts_debug:get_internal_state/1, system_info/1 of rarely asked things, and what options of tables are in force.
-module(internal_state).
-export([main/0]).

main() ->
    ok = logger:set_primary_config(level, none),
    closed(),
    _ = erts_debug:set_internal_state(available_internal_state, true),
    items(),
    comprehensions(),
    system(),
    tables(),
    merged().

show(L, F) ->
    io:format("~ts: ~0tp~n", [L, try F() catch C:R -> {C, R} end]).

closed() ->
    show("not open", fun() -> erts_debug:get_internal_state(reds_left) end),
    show("opened", fun() -> erts_debug:set_internal_state(available_internal_state, true) end),
    show("closed", fun() -> erts_debug:set_internal_state(available_internal_state, false) end).

items() ->
    [show(io_lib:format("~tp", [I]), fun() -> erts_debug:get_internal_state(I) end)
     || I <- [available_internal_state, min_unique_integer, min_unique_monotonic_integer, lc_graph, flxctr_memory_usage, mmap,
              force_heap_frags, nbalance, {dist_ctrl, node()}, {process_status, a}, {binary_info, []}, nothing, {nothing, 1}, 17]],
    show("running", fun() -> erts_debug:get_internal_state({process_status, self()}) end),
    {P, M} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', M, _, _, _} -> ok end,
    show("gone", fun() -> erts_debug:get_internal_state({process_status, P}) end),
    show("magic", fun() -> erts_debug:get_internal_state({magic_ref, make_ref()}) end),
    show("table", fun() -> tuple_size(erts_debug:get_internal_state({magic_ref, ets:new(x, [])})) end),
    show("memory", fun() -> lists:sort([K || {K, _} <- erts_debug:get_internal_state(memory)]) =:= lists:sort([K || {K, _} <- erlang:memory()]) end),
    H = fun(T) -> erts_debug:get_internal_state({internal_hash, T}) end,
    show("hash", fun() -> [is_integer(H({a, 1.0})), H({a, [b]}) =:= H(list_to_tuple([a, [b]]))] end).

%% Memory of comprehensions is as large as the compiler has found that they are.
comprehensions() ->
    info("small", <<1, 2>>),
    info("large", binary:copy(<<1>>, 1000)),
    info("exact", << <<X:16>> || <<X>> <= id(<<1, 2, 3>>) >>),
    info("none", << <<X:16>> || <<X>> <= id(<<>>) >>),
    info("bits", << <<X:5>> || <<X>> <= id(<<1, 2, 3>>) >>),
    info("filtered", << <<X>> || <<X>> <= id(<<1, 2, 3>>), X > 1 >>),
    info("list", << <<X>> || X <- id([1, 2, 3]) >>).

info(L, B) ->
    show(L, fun() ->
        case erts_debug:get_internal_state({binary_info, B}) of
            {refc_binary, Size, {binary, Room}, _} -> {refc_binary, Size, Room};
            Other -> Other
        end
    end).

system() ->
    N = erlang:system_info(schedulers),
    show("as many", fun() -> [erlang:system_info(I) - N || I <- [schedulers_total, run_queues]] end),
    show("normal", fun() -> element(1, hd(erlang:system_info(all_schedulers_state))) end),
    [show(atom_to_list(I), fun() -> erlang:system_info(I) end)
     || I <- [beam_jump_table, lock_checking, lock_counting, io_thread, port_tasks, literal_test, ets_realloc_moves]].

tables() ->
    Alone = erlang:system_info(schedulers) =:= 1,
    Types = [set, ordered_set, bag, duplicate_bag],
    Locks = [true, auto, false, {debug_hash_fixed_number_of_locks, 65}],
    [show(io_lib:format("~p", [O]), fun() ->
         Table = ets:new(t, O),
         [N, D] = [ets:info(Table, I) || I <- [write_concurrency, decentralized_counters]],
         true = ets:delete(Table),
         case Alone of
             true -> {N, D} =:= {false, false};
             false -> {N, D} =:= expected(O)
         end
     end) || T <- Types, P <- [private, public], W <- Locks, C <- [[], [{decentralized_counters, true}], [{decentralized_counters, false}]],
             O <- [[T, P, {write_concurrency, W} | C]]],
    [show(io_lib:format("~p", [O]), fun() -> ets:info(ets:new(t, O), read_concurrency) end)
     || P <- [private, public], O <- [[P, {read_concurrency, true}], [P, {read_concurrency, false}]]],
    [show(io_lib:format("~p", [O]), fun() -> ets:new(t, [O]) end)
     || O <- [{write_concurrency, 1}, {write_concurrency, {debug_hash_fixed_number_of_locks, 0}}, {decentralized_counters, auto}, {read_concurrency, auto}]],
    T = ets:new(t, []),
    show("no clause", fun() -> ets:match_spec_compile([]) end),
    show("no clause, tested", fun() -> erlang:match_spec_test({1}, [], table) end),
    show("no list, tested", fun() -> erlang:match_spec_test({1}, [a | b], table) end),
    show("an atom, tested", fun() -> erlang:match_spec_test({1}, a, table) end),
    show("no clause, selected", fun() -> [ets:select(T, []), ets:select_count(T, []), ets:select_delete(T, [])] end).

expected([_, private | _]) -> {false, false};
expected([_, _, {_, false} | _]) -> {false, false};
expected([T, _, {_, W} | C]) ->
    D = case C of
        [{_, B}] -> B;
        [] -> W =/= true orelse T =:= ordered_set
    end,
    {case W of {Debug, _} -> {Debug, 64}; _ -> W end, D}.

%% Merging gives back the map that has everything already.
merged() ->
    Small = id(#{a => {1}, b => [2]}),
    Large = maps:from_list([{I, I} || I <- lists:seq(1, 100)]),
    show("same", fun() ->
        [erts_debug:same(maps:merge(A, B), C)
         || {A, B, C} <- [{Small, #{}, Small}, {#{}, Small, Small}, {Small, Small, Small}, {Large, #{}, Large}, {#{}, Large, Large}]]
    end).

id(X) -> X.
