%% What the modules code and erl_prim_loader answer; functions that are called when a module is loaded.
-module(code_questions).
-export([main/0]).

main() ->
    t:show("which", fun() -> [name(code:which(M)) || M <- [lists, queue, no_such_module, code_questions]] end),
    t:show("is_loaded", fun() -> [element(1, code:is_loaded(lists)), code:is_loaded(no_such_module)] end),
    t:show("where_is_file", fun() -> [name(code:where_is_file(F)) || F <- ["queue.beam", "no_such_file.beam"]] end),
    t:show("the loader's files", fun() ->
        {ok, Path} = erl_prim_loader:get_path(),
        {is_list(Path), erl_prim_loader:list_dir("no_such_dir"), erl_prim_loader:read_file_info("no_such_file")} end),
    t:show("ensure_loaded", fun() -> [code:ensure_loaded(M) || M <- [queue, no_such_module, on_load_asks]] end),
    t:show("several", fun() -> {code:ensure_modules_loaded([queue, digraph, sofs]), code:ensure_modules_loaded([gb_sets, no_such_module]), name(code:which(digraph))} end),
    t:show("several at once", fun() -> {code:atomic_load([pack_start]), code:atomic_load([on_load_asks]), code:atomic_load([no_such_module])} end),
    t:show("an error of a format", fun() -> io_lib:format("~w", [a, b]) end),
    t:show("asked while loading", fun() -> on_load_asks:found() end),
    t:show("on_load that says no", fun() -> {try on_load_fails:never() catch C:R -> {C, R} end, code:is_loaded(on_load_fails)} end),
    t:show("an error that is explained", fun() -> io:format("~ts", [{a}]) end).

name(L) when is_list(L) -> filename:basename(L);
name(A) -> A.
