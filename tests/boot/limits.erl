-module(limits).
-compile({no_auto_import, [processes/0]}).
-export([processes/0, ports/0, tables/0, files/0, told/0]).

show(Label, X) -> io:format("~s: ~0p~n", [Label, X]).

result(F) -> try F() catch C:R -> {C, R} end.

%% Until F fails: how often it did not, why it did, what it returned.
fill(F) -> fill(F, 0, []).
fill(F, N, L) ->
    case result(F) of
        {error, R} -> {N, R, L};
        X -> fill(F, N + 1, [X | L])
    end.

processes() ->
    logger:set_primary_config(level, none),
    Limit = erlang:system_info(process_limit),
    Before = erlang:system_info(process_count),
    F = fun() -> spawn(fun() -> receive stop -> ok end end) end,
    {N, R, L} = fill(F),
    show("processes", {Limit, R, N =:= Limit - Before, erlang:system_info(process_count) =:= Limit}),
    show("spawn_link", result(fun() -> spawn_link(fun() -> ok end) end)),
    show("spawn_monitor", result(fun() -> spawn_monitor(fun() -> ok end) end)),
    show("spawn_opt", result(fun() -> spawn_opt(fun() -> ok end, [link, monitor]) end)),
    show("request", begin Q = spawn_request(fun() -> ok end, [link, monitor]), receive {spawn_reply, Q, A, B} -> {A, B} end end),
    show("no reply", begin O = spawn_request(fun() -> ok end, [{reply, success_only}]), receive {spawn_reply, O, _, _} -> one after 50 -> none end end),
    show("links", length(element(2, process_info(self(), links)))),
    show("monitors", process_info(self(), monitors)),
    show("gen_server", result(fun() -> gen_server:start(gen_event, [], []) end)),
    Refs = [begin Ref = monitor(process, P), exit(P, kill), Ref end || P <- L],
    [receive {'DOWN', Ref, _, _, _} -> ok end || Ref <- Refs],
    timer:sleep(50),
    show("again", {erlang:system_info(process_count) =:= Before, is_pid(result(F))}).

ports() ->
    Limit = erlang:system_info(port_limit),
    F = fun() -> open_port({fd, 0, 1}, [out]) end,
    {_, R, L} = fill(F),
    show("ports", {Limit, R, erlang:system_info(port_count) =:= Limit}),
    show("program", result(fun() -> open_port({spawn, "/bin/true"}, []) end)),
    show("listen", result(fun() -> gen_tcp:listen(0, []) end)),
    show("file", result(fun() -> {ok, D} = file:open("/dev/null", [read, raw]), file:close(D) end)),
    [port_close(P) || P <- L],
    show("again", is_port(result(F))).

tables() ->
    show("limit", erlang:system_info(ets_limit)),
    L = [ets:new(t, []) || _ <- lists:seq(1, 10000)],
    show("tables", length(L)),
    [ets:delete(T) || T <- L].

files() ->
    [code:ensure_loaded(M) || M <- [gen_tcp, inet, inet_tcp, inet_db, os, file_io_server]],
    show("ready", {true, ready}),
    F = fun() -> {ok, D} = file:open("/dev/null", [read, raw]), D end,
    {N, R, L} = fill(F),
    show("raw", {N > 20, R}),
    show("cooked", result(fun() -> file:open("/dev/null", [read]) end)),
    show("list_dir", result(fun() -> file:list_dir("/") end)),
    show("read_file", result(fun() -> file:read_file("/etc/hostname") end)),
    show("write_file", result(fun() -> file:write_file("/tmp/never", "x") end)),
    show("listen", result(fun() -> gen_tcp:listen(0, []) end)),
    show("program", result(fun() -> P = open_port({spawn, "/bin/true"}, [exit_status]), receive {P, X} -> X after 1000 -> none end end)),
    [file:close(D) || D <- L],
    show("again", result(fun() -> {ok, X} = file:open("/dev/null", [read]), file:close(X) end)).

told() ->
    show("told", [erlang:system_info(I) || I <- [process_limit, port_limit, atom_limit]]).
