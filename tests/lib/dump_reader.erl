%% Prints what OTP's crashdump_viewer finds in the crash dump of tests/lib/dump_maker.erl: what is the same on every machine.
-module(dump_reader).
-export([main/1]).

-include_lib("observer/src/crashdump_viewer.hrl").

main([File]) ->
    {ok, _} = crashdump_viewer:start_link(),
    ok = crashdump_viewer:read_file(File),
    wait(),
    {ok, General, []} = crashdump_viewer:general_info(),
    io:format("~s ~p~n", [General#general_info.slogan, General#general_info.node_name]),
    {ok, Processes, []} = crashdump_viewer:processes(),
    [details(P) || P <- Processes, lists:member(P#proc.name, ["kept", "waits", "init"])],
    {ok, Tables, []} = crashdump_viewer:ets_tables(all),
    [io:format("~p~n", [{T#ets_table.name, T#ets_table.size, T#ets_table.data_type}]) || T <- lists:keysort(#ets_table.name, Tables), lists:member(T#ets_table.name, ["dumped", "sorted"])],
    {ok, Timers, []} = crashdump_viewer:timers(all),
    [io:format("timer ~p ~p~n", [T#timer.msg, T#timer.name]) || T = #timer{name = "waits"} <- Timers],
    {ok, Atoms, []} = crashdump_viewer:atoms(),
    io:format("atoms ~p~n", [[lists:member({A, Q}, [{N, Q1} || {N, Q1} <- Atoms]) || {A, Q} <- [{"dumped", nq}, {"an odd one", q}]]]),
    {ok, Modules, []} = crashdump_viewer:loaded_modules(),
    io:format("modules ~p~n", [[M#loaded_mod.mod || M <- Modules, lists:member(M#loaded_mod.mod, ["lists", "dump_maker", "erl_prim_loader"])]]),
    {ok, Terms, []} = crashdump_viewer:persistent_terms(),
    io:format("persistent ~p~n", [[V || {K, V} <- Terms, lists:prefix("{dumped", lists:flatten(io_lib:format("~p", [K])))]]),
    [{ok, _, []} = crashdump_viewer:F() || F <- [ports, funs, dist_info, memory, allocated_areas, hash_tables, index_tables, schedulers]],
    ok = crashdump_viewer:stop().

details(#proc{pid = Pid, name = Name}) ->
    case crashdump_viewer:proc_details(pid_to_list(Pid)) of
        {ok, D, []} ->
            io:format("~p ~p ~p~n", [Name, D#proc.state, D#proc.msg_q_len]),
            [io:format("  ~s: ~p~n", [What, lists:sort([plain(X) || X <- L])]) || Name =/= "init", {What, L} <- [{"dictionary", D#proc.dict}, {"messages", D#proc.msg_q}], is_list(L)];
        Other ->
            io:format("~p: ~p~n", [Name, Other])
    end.

%% Positions of long binaries in the dump become their size; order is left alone.
plain(T) when is_tuple(T), tuple_size(T) > 0, element(1, T) =:= '#CDVBin' -> {binary, element(3, element(2, T))};
plain(['#CDVBin', _, Size | _]) -> {binary, Size};
plain(['#CDVBin' | Rest]) -> {binary, Rest};
plain(T) when is_tuple(T) -> list_to_tuple([plain(X) || X <- tuple_to_list(T)]);
plain([H | T]) -> [plain(H) | plain(T)];
plain(T) -> T.

wait() ->
    receive after 200 -> ok end,
    case crashdump_viewer:general_info() of
        {ok, #general_info{}, _} -> ok;
        _ -> wait()
    end.
