# A release of two versions: made by systools, started from its own boot file, upgraded while it runs and downgraded again by release_handler.
cd "$WORK" || exit 1
export ERL_CRASH_DUMP_SECONDS=0
erl -noshell -eval 'halt(case code:which(release_handler) of non_existing -> 1; _ -> 0 end).' || { echo "sasl is not installed"; exit 77; }
for v in 1 2; do
    mkdir -p "v$v"
    cat > "v$v/counter.erl" <<END_OF_MODULE
-module(counter).
-behaviour(gen_server).
-vsn($v).
-export([start_link/0, next/0, init/1, handle_call/3, handle_cast/2, code_change/3]).
start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).
next() -> gen_server:call(?MODULE, next).
init([]) -> {ok, first($v)}.
first(1) -> 0;
first(2) -> {0, []}.
handle_call(next, _, N) when is_integer(N) -> {reply, {version, $v, N + 1}, N + 1};
handle_call(next, _, {N, Log}) -> {reply, {version, $v, N + 1, length(Log)}, {N + 1, [N | Log]}}.
handle_cast(_, S) -> {noreply, S}.
code_change({down, _}, {N, _}, Extra) -> io:format("down ~p ~p~n", [N, Extra]), {ok, N};
code_change(Vsn, N, Extra) -> io:format("up from ~p ~p ~p~n", [Vsn, N, Extra]), {ok, {N, []}}.
END_OF_MODULE
    sed "s/VSN/$v/" > "v$v/counter_sup.erl" <<'END_OF_MODULE'
-module(counter_sup).
-behaviour(supervisor).
-export([start/2, stop/1, init/1, version/0]).
start(normal, _) -> supervisor:start_link({local, ?MODULE}, ?MODULE, []).
stop(_) -> ok.
version() -> VSN.
init([]) -> {ok, {#{}, [#{id => counter, start => {counter, start_link, []}}]}}.
END_OF_MODULE
    erlc -o "v$v" "v$v/counter.erl" "v$v/counter_sup.erl" || exit 1
    echo "{application, counter, [{description, \"counts\"}, {vsn, \"$v\"}, {modules, [counter, counter_sup]}, {registered, [counter]}, {applications, [kernel, stdlib]}, {mod, {counter_sup, []}}, {env, [{here, $v}]}]}." > "v$v/counter.app"
done
cat > v2/counter.appup <<'END_OF_APPUP'
{"2", [{"1", [{update, counter, {advanced, more}, []}, {load_module, counter_sup}]}],
      [{"1", [{update, counter, {advanced, less}, []}, {load_module, counter_sup}]}]}.
END_OF_APPUP
cat > make.escript <<'END_OF_SCRIPT'
#!/usr/bin/env escript
main([]) ->
    Vsn = fun(A) -> application:load(A), {ok, V} = application:get_key(A, vsn), V end,
    [begin
         V = integer_to_list(N),
         Apps = [{A, Vsn(A)} || A <- [kernel, stdlib, sasl]] ++ [{counter, V}],
         ok = file:write_file("counted" ++ V ++ ".rel", io_lib:format("~p.~n", [{release, {"counted", V}, {erts, erlang:system_info(version)}, Apps}])),
         io:format("script ~p~n", [systools:make_script("counted" ++ V, [no_warn_sasl, {path, ["v" ++ V]}, {outdir, "."}])])
     end || N <- [1, 2]],
    {ok, Relup, _, _} = systools:make_relup("counted2", ["counted1"], ["counted1"], [{path, ["v1", "v2"]}, noexec]),
    io:format("~p~n", [Relup]),
    ok = file:write_file("relup", io_lib:format("~p.~n", [Relup])).
END_OF_SCRIPT
escript make.escript || exit 1
# As it would be installed: lib/ and releases/ of its own, the rest of OTP where it is.
for v in 1 2; do
    mkdir -p "root/lib/counter-$v/ebin" "root/releases/$v"
    cp v$v/*.beam v$v/counter.app "root/lib/counter-$v/ebin"
    [ -e v$v/counter.appup ] && cp v$v/counter.appup "root/lib/counter-$v/ebin"
    cp counted$v.rel "root/releases/$v/counted.rel"
    cp counted$v.boot "root/releases/$v/start.boot"
    echo '[].' > "root/releases/$v/sys.config"
done
cp relup root/releases/2/relup
cat > run.erl <<'END_OF_MODULE'
-module(run).
-export([main/0]).
main() ->
    Root = filename:absname("root"), Releases = filename:join(Root, "releases"),
    Vsn = fun(A) -> application:load(A), {ok, V} = application:get_key(A, vsn), V end,
    Libs = [{A, Vsn(A), code:lib_dir()} || A <- [kernel, stdlib, sasl]],
    application:set_env(sasl, releases_dir, Releases),
    application:set_env(sasl, client_directory, Root),
    ok = release_handler:create_RELEASES(Root, Releases, filename:join([Releases, "1", "counted.rel"]), [{counter, "1", filename:join(Root, "lib")} | Libs]),
    true = code:add_pathz(filename:join([Root, "lib", "counter-1", "ebin"])),
    ok = application:start(sasl), ok = application:start(counter),
    show("started"),
    io:format("set ~p~n", [release_handler:set_unpacked(filename:join([Releases, "2", "counted.rel"]), [{counter, "2", filename:join(Root, "lib")} | Libs])]),
    io:format("check ~p~n", [release_handler:check_install_release("2")]),
    io:format("install ~p~n", [release_handler:install_release("2")]),
    show("upgraded"),
    io:format("permanent ~p~n", [release_handler:make_permanent("2")]),
    io:format("down ~p~n", [release_handler:install_release("1")]),
    show("downgraded"),
    io:format("again ~p ~p~n", [release_handler:install_release("2"), release_handler:install_release("3")]),
    show("upgraded again"),
    io:format("app ~p ~p~n", [release_handler:downgrade_app(counter, "1", filename:join([Root, "lib", "counter-1"])), counter:next()]),
    io:format("app ~p ~p~n", [release_handler:upgrade_app(counter, filename:join([Root, "lib", "counter-2"])), counter:next()]),
    halt().
show(What) ->
    io:format("~s: ~p ~p ~p ~p~n", [What, counter:next(), counter_sup:version(), application:get_env(counter, here),
        [{N, V, S, [A || "counter" ++ _ = A <- As]} || {N, V, As, S} <- release_handler:which_releases()]]),
    io:format("~p~n", [[filename:basename(filename:dirname(filename:dirname(code:which(counter)))), erlang:check_old_code(counter), hd(proplists:get_value(vsn, counter:module_info(attributes)))]]).
END_OF_MODULE
erlc run.erl && erl -noshell -kernel logger_level none -pa . -s run main
