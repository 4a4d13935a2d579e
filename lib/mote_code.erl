%% Loads code in bare mode, and answers what OTP's modules `code` and `erl_prim_loader` ask their servers.
-module(mote_code).
-export([ensure_loaded/1, load_file/1, load_compiled/3, loaded/2, serve/0, serve_loader/0]).

%% {module, M} or {error, nofile | badfile | on_load_failure}, as code:ensure_loaded/1.
ensure_loaded(M) ->
    case erlang:module_loaded(M) of
        true -> {module, M};
        false -> load_file(M)
    end.

load_file(M) ->
    loaded(M, mote:load(M)).

%% Loads a module from its binary; File is where it is said to come from.
load_compiled(M, File, Binary) ->
    loaded(M, mote:load_binary(M, File, Binary)).

%% What mote:load has answered, in the words of code:load_file.
loaded(M, ok) ->
    {module, M};
loaded(M, on_load) ->
    Result = on_load(M),
    erlang:finish_after_on_load(M, Result =:= ok),
    case Result of
        ok -> {module, M};
        _ -> report(M, Result), {error, on_load_failure}
    end;
loaded(_, {error, Reason}) ->
    {error, Reason}.

%% By another process: the logger may need code.
report(_, Result) when is_atom(Result) -> ok;
report(M, Result) ->
    spawn(fun() -> error_logger:warning_msg("The on_load function for module ~s returned:~n~P\n", [M, Result, 10]) end).

%% What the function returns that a module wants to be called when it is loaded. It may ask the code server, who therefore
%% has it called by another process and goes on answering.
on_load(M) ->
    case whereis(code_server) =:= self() of
        false -> call_on_load(M);
        true ->
            {_, Ref} = spawn_monitor(fun() -> exit({on_load, call_on_load(M)}) end),
            serve_until(Ref)
    end.

call_on_load(M) ->
    try erlang:call_on_load_function(M) catch _:R -> {error, R} end.

serve_until(Ref) ->
    receive
        {'DOWN', Ref, process, _, {on_load, Result}} -> Result;
        {'DOWN', Ref, process, _, Reason} -> {error, Reason};
        {code_call, From, Request} -> reply(From, Request), serve_until(Ref)
    end.

%% The loop of the process registered as code_server.
serve() ->
    receive
        {code_call, From, Request} -> reply(From, Request), serve();
        _ -> serve()
    end.

reply(From, Request) ->
    From ! {code_server, try answer(Request) catch _:R -> {error, R} end}.

%% The loop of the process registered as erl_prim_loader.
serve_loader() ->
    receive
        {From, Request} when is_pid(From) ->
            From ! {self(), load(Request)},
            serve_loader();
        _ ->
            serve_loader()
    end.

load({get_file, File}) ->
    case prim_file:read_file(to_list(File)) of
        {ok, Binary} -> {ok, Binary, to_list(File)};
        _ -> error
    end;
load({list_dir, Dir}) -> or_error(prim_file:list_dir(to_list(Dir)));
load({read_file_info, File}) -> or_error(prim_file:read_file_info(to_list(File)));
load({read_link_info, File}) -> or_error(prim_file:read_link_info(to_list(File)));
load({get_cwd, _}) -> prim_file:get_cwd();
load({get_path, _}) -> {ok, mote:path()};
load({get_modules, {Ms, Prepare}}) -> get_modules(Ms, Prepare, fun mote:where/1, [], []);
load({get_modules, {Ms, Prepare, Path}}) -> get_modules(Ms, Prepare, fun(M) -> found(Path, atom_to_list(M) ++ ".beam") end, [], []);
load({set_path, Paths}) -> mote:set_path(Paths), ok;
load(_) -> error.

%% What Prepare makes of each module's file: {ok, {Good, Bad}}.
get_modules([M | Ms], Prepare, Where, Good, Bad) ->
    case prepared(M, Where(M), Prepare) of
        {ok, Result} -> get_modules(Ms, Prepare, Where, [{M, Result} | Good], Bad);
        {error, Reason} -> get_modules(Ms, Prepare, Where, Good, [{M, Reason} | Bad])
    end;
get_modules([], _, _, Good, Bad) ->
    {ok, {Good, Bad}}.

prepared(_, false, _) ->
    {error, enoent};
prepared(M, File, Prepare) ->
    {ok, Binary} = prim_file:read_file(File),
    try Prepare(M, File, Binary) catch _:Reason -> {error, {crash, Reason}} end.

found([Dir | Dirs], Name) ->
    File = filename:join(Dir, Name),
    case prim_file:read_file_info(File) of
        {ok, _} -> File;
        _ -> found(Dirs, Name)
    end;
found([], _) ->
    false.

%% Makes prepared code current, all of it or none.
finish(Prepared) ->
    case erlang:finish_loading([Code || {_, {Code, _}} <- Prepared]) of
        ok ->
            _ = [mote:loaded_from(M, File) || {M, {_, File}} <- Prepared],
            ok;
        {Reason, Ms} ->
            {error, [{M, Reason} || M <- Ms]}
    end.

or_error({error, _}) -> error;
or_error(Ok) -> Ok.

answer({ensure_loaded, M}) -> started(M), ensure_loaded(M);
answer({load_file, M}) -> started(M), load_file(M);
answer({load_abs, File, M}) -> load_abs(File, M);
answer({load_binary, M, File, Binary}) -> load_compiled(M, to_list(File), Binary);
answer({is_loaded, M}) ->
    case erlang:module_loaded(M) of
        true -> {file, where_loaded(M)};
        false -> false
    end;
answer(all_loaded) -> [{M, where_loaded(M)} || M <- erlang:loaded()];
answer({get_object_code, M}) ->
    case mote:where(M) of
        false -> error;
        File ->
            case prim_file:read_file(File) of
                {ok, Binary} -> {M, Binary, File};
                _ -> error
            end
    end;
answer(get_path) -> mote:path();
answer({finish_loading, Prepared, Missing}) -> finish([P || {M, _} = P <- Prepared, not (Missing andalso erlang:module_loaded(M))]);
answer({add_path, Where, Dir}) -> add_path(Where, Dir);
answer({add_paths, Where, Dirs}) ->
    _ = [add_path(Where, D) || D <- in_order(Where, Dirs)],
    ok;
answer({set_path, Dirs}) -> mote:set_path(Dirs);
answer({del_path, Dir}) -> del_path(to_list(Dir), mote:path());
answer({replace_path, Name, Dir}) ->
    _ = del_path(to_list(Name), mote:path()),
    add_path(last, Dir);
answer({dir, root_dir}) -> mote:otp_root();
answer({dir, lib_dir}) -> mote:otp_root() ++ "/lib";
answer({dir, compiler_dir}) -> lib_dir("compiler");
answer({dir, {lib_dir, App}}) -> lib_dir(to_list(App));
answer({dir, {lib_dir, App, Sub}}) -> below(lib_dir(to_list(App)), to_list(Sub));
answer({dir, {priv_dir, App}}) -> below(lib_dir(to_list(App)), "priv");
answer({delete, M}) -> try erlang:delete_module(M) of undefined -> false; _ -> true catch _:_ -> false end;
answer({purge, M}) -> purge(M);
answer({soft_purge, M}) -> purge(M), true;
answer({stick_dir, _}) -> ok;
answer({unstick_dir, _}) -> ok;
answer({stick_mod, _}) -> true;
answer({unstick_mod, _}) -> true;
answer({is_sticky, _}) -> false;
answer(get_mode) -> interactive;
answer(_) -> {error, badarg}.

%% The logger's module is of no use without its processes.
started(logger) -> mote_logger:start();
started(_) -> ok.

where_loaded(M) ->
    case mote:where_loaded(M) of
        false -> preloaded;
        File -> File
    end.

load_abs(File, M) ->
    Name = to_list(File) ++ ".beam",
    case prim_file:read_file(Name) of
        {ok, Binary} -> load_compiled(M, Name, Binary);
        _ -> {error, nofile}
    end.

%% Old code that somebody still runs stays.
purge(M) ->
    erlang:check_old_code(M) andalso erts_internal:purge_module(M, prepare) andalso
        erts_internal:purge_module(M, case lists:any(fun(P) -> uses_old(P, M) end, processes()) of
                                          true -> abort;
                                          false -> complete
                                      end),
    false.

uses_old(P, M) ->
    ok = erts_internal:request_system_task(P, normal, {check_process_code, {P, M}, M}),
    receive {check_process_code, {P, M}, Uses} -> Uses end.

add_path(Where, Dir) ->
    case mote:add_path(Where, to_list(Dir)) of
        true -> true;
        false -> {error, bad_directory}
    end.

in_order(first, Dirs) -> lists:reverse(Dirs);
in_order(_, Dirs) -> Dirs.

del_path(Name, Dirs) ->
    case lists:partition(fun(D) -> D =:= Name orelse is_application(D, Name) end, Dirs) of
        {[], _} -> false;
        {_, Rest} -> mote:set_path(Rest)
    end.

%% The folder of an application on the code path: .../NAME-1.2/ebin or .../NAME/ebin.
lib_dir(App) ->
    case [D || D <- mote:path(), is_application(D, App)] of
        [D | _] -> filename:dirname(D);
        [] -> {error, bad_name}
    end.

is_application(Dir, App) ->
    case lists:reverse(filename:split(Dir)) of
        ["ebin", Name | _] -> Name =:= App orelse lists:prefix(App ++ "-", Name);
        _ -> false
    end.

below({error, _} = E, _) -> E;
below(Dir, Sub) -> Dir ++ "/" ++ Sub.

to_list(A) when is_atom(A) -> atom_to_list(A);
to_list(L) -> L.
