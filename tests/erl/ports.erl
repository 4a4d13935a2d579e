%% Ports: programs, their options, data in packets and lines, owners, links, monitors, names, and what goes wrong.
-module(ports).
-export([main/0]).

main() ->
    process_flag(trap_exit, true),
    erlang:system_flag(system_logger, undefined), % bad values are logged
    section("programs", programs()),
    section("input", input()),
    table([{L, fun() -> lines(L) end} || L <- [1, 2, 3, 4, 7, 512]]),
    section("packets", packets()),
    section("errors", errors()),
    section("signals", signals()),
    section("information", information()),
    busy(),
    ram_files(),
    leaks().

section(Name, Cases) ->
    io:format("--- ~s~n", [Name]),
    table([{Label, fun() -> run(What, Options) end} || {Label, What, Options} <- Cases, not is_function(What)]),
    table([{Label, F} || {Label, F, []} <- Cases, is_function(F)]).

table(Rows) ->
    [io:format("~0tp: ~0tp~n", [hide(Label), hide(try F() catch C:E -> {C, E} end)]) || {Label, F} <- Rows].

hide(T) when is_pid(T) -> a_pid;
hide(T) when is_port(T) -> a_port;
hide(T) when is_reference(T) -> a_reference;
hide(T) when is_tuple(T) -> list_to_tuple(hide(tuple_to_list(T)));
hide([H | T]) -> [hide(H) | hide(T)];
hide(T) -> T.

%% All messages of a port up to its end, or its eof.
run(What, Options) ->
    P = open_port(What, Options),
    Result = collect(P, []),
    catch port_close(P),
    receive {'EXIT', P, _} -> ok after 0 -> ok end,
    Result.

collect(P, Acc) ->
    receive
        {P, {data, D}} when is_binary(D), Acc =/= [], is_binary(hd(Acc)) -> collect(P, [<<(hd(Acc))/binary, D/binary>> | tl(Acc)]);
        {P, eof} -> lists:reverse([eof | Acc]);
        {P, {data, D}} -> collect(P, [D | Acc]);
        {P, M} -> collect(P, [M | Acc]);
        {'EXIT', P, R} -> lists:reverse([{exit, R} | Acc])
    after 10000 -> lists:reverse([timeout | Acc])
    end.

sh() -> {spawn_executable, "/bin/sh"}.
sh_args(Text) -> {args, ["-c", Text]}.

programs() ->
    [{true, {spawn, "true"}, []}, {false, {spawn, "false"}, [exit_status]},
     {atom, {spawn, true}, [exit_status]}, {deep, {spawn, ["ec", [$h], "o x"]}, [exit_status]},
     {eof, {spawn, "true"}, [eof]}, {eof_status, {spawn, "true"}, [eof, exit_status]},
     {binary_name, {spawn_executable, <<"/bin/echo">>}, [{args, [<<"a">>, "b", atom]}]},
     {exit_7, sh(), [sh_args("exit 7"), exit_status]}, {killed, sh(), [sh_args("kill -9 $$"), exit_status]},
     {terminated, sh(), [sh_args("kill -15 $$"), exit_status]},
     {not_found, {spawn, "no_such_program_x"}, [exit_status, stderr_to_stdout, binary]},
     {directory, {spawn_executable, "/tmp"}, [exit_status]},
     {cd, {spawn, "pwd"}, [{cd, "/usr"}]}, {cd_binary, {spawn, "pwd"}, [{cd, <<"/usr">>}, binary]},
     {arg0, sh(), [{args, ["-c", "echo $0 $1 $2", "zero", "one two", <<"three">>]}]},
     {arg0_2, {spawn_executable, "/bin/sh"}, [{arg0, "hello"}, {args, ["-c", "echo $0 $(cat /proc/$$/cmdline | tr '\\000' ' ')"]}]},
     {env, sh(), [sh_args("echo $A $B ${C-unset}"), {env, [{"A", "1"}, {"B", "two words"}, {"C", "x"}, {"C", false}]}]},
     {env_last, sh(), [sh_args("echo $A"), {env, [{"A", "1"}]}, {env, [{"A", "2"}]}]},
     {nouse, sh(), [sh_args("exec 2>/dev/null; echo out >&4; read X <&3; echo $X >&4"), nouse_stdio, {line, 20}, in]},
     {fds, sh(), [sh_args("exec ls /proc/self/fd")]}, {session, sh(), [sh_args("test $$ = $(ps -o sid= -p $$ | tr -d ' ') && echo leader")]},
     {stderr, sh(), [sh_args("echo a; echo b >&2"), stderr_to_stdout, binary]},
     {no_stdin, sh(), [sh_args("echo x"), in, exit_status]},
     {signals, sh(), [sh_args("trap | wc -l; kill -PIPE $$"), exit_status]},
     {large, sh(), [sh_args("head -c 300000 /dev/zero | tr '\\000' x | md5sum"), binary]},
     {os_cmd, fun() -> {os:cmd("echo hi; echo err >&2"), os:cmd("cat", #{}), os:cmd("printf 'a\\nb'")} end, []},
     {os_cmd_limit, fun() -> os:cmd("seq 1 1000", #{max_size => 20}) end, []},
     {putenv, fun() -> os:putenv("MOTE_TEST", "value"), R = os:cmd("echo $MOTE_TEST"), os:unsetenv("MOTE_TEST"), {R, os:cmd("echo ${MOTE_TEST-gone}")} end, []},
     {pid, fun() -> P = open_port({spawn, "cat"}, []), timer:sleep(100), {os_pid, Pid} = erlang:port_info(P, os_pid),
                    S = string:trim(os:cmd("cat /proc/" ++ integer_to_list(Pid) ++ "/comm")), port_close(P), S end, []},
     {chunks, fun() -> run(sh(), [sh_args("head -c 200000 /dev/zero"), binary]) =:= [<<0:1600000>>, {exit, normal}] end, []}].

input() ->
    [{cat, fun() -> echo("cat", [], ["a", <<"bc">>, ["d", [<<"e">> | <<"f">>]]]) end, []},
     {cat_binary, fun() -> echo("cat", [binary], ["a", "b"]) end, []},
     {wc, fun() -> P = open_port({spawn, "wc -c 2>/dev/null"}, [exit_status]), true = port_command(P, lists:duplicate(100000, $x)),
                   P ! {self(), {command, "yz"}}, port_close(P), receive {'EXIT', P, R} -> R end end, []},
     {upper, fun() -> P = open_port({spawn, "tr a-z A-Z 2>/dev/null"}, [binary]), port_command(P, "hello\n"), port_close(P),
                      receive {'EXIT', P, R} -> R end end, []},
     {large, fun() -> Data = binary:copy(<<"0123456789">>, 50000), P = open_port({spawn, "cat"}, [binary, {packet, 4}]),
                      spawn_link(fun() -> port_command(P, Data) end), receive {P, {data, D}} -> port_close(P), D =:= Data end end, []}].

echo(Command, Options, Pieces) ->
    P = open_port({spawn, Command}, Options),
    Result = [begin port_command(P, D), receive {P, {data, R}} -> R end end || D <- Pieces],
    port_close(P),
    receive {'EXIT', P, normal} -> ok end,
    receive {'EXIT', Q, normal} when is_pid(Q) -> ok after 0 -> ok end,
    Result.

lines(L) ->
    Text = "printf 'a\\nbc\\r\\nabc\\n\\nabcd\\r\\nab\\rc\\n\\r\\r\\n\\nabcdefghij\\r\\nabcdefg\\rhi\\nend%s' '" ++ "'",
    [run(sh(), [sh_args(Text), {line, L}, eof]), run(sh(), [sh_args(Text ++ "; printf '\\r'"), {line, L}])].

%% A program that says what we tell it to, in pieces: packets must not depend on where they are cut.
packets() ->
    [{{N, Cut}, fun() -> cut_packets(N, Cut) end, []} || N <- [1, 2, 4], Cut <- [1, 2, 3, 5, 1000]] ++
    [{{out, N, S}, fun() -> out_packet(N, S) end, []} || {N, S} <- [{1, 0}, {1, 255}, {1, 256}, {2, 65535}, {2, 65536}, {4, 70000}]].

cut_packets(N, Cut) ->
    Sizes = [0, 1, 2, 3, 0, 0, 200, 5, 17],
    Bytes = iolist_to_binary([[<<S:(8 * N)>>, [S || _ <- lists:seq(1, S)]] || S <- Sizes]),
    File = "/tmp/mote_packets_" ++ os:getpid(),
    ok = file:write_file(File, <<Bytes/binary, 0>>),
    Dd = "dd status=none bs=" ++ integer_to_list(Cut) ++ " if=" ++ File,
    Result = run({spawn, Dd}, [{packet, N}, exit_status]),
    ok = file:delete(File),
    [case R of [_ | _] -> {hd(R), length(R)}; _ -> R end || R <- Result].

out_packet(N, Size) ->
    P = open_port({spawn, "cat"}, [{packet, N}, binary]),
    R = (catch port_command(P, binary:copy(<<7>>, Size))),
    Answer = receive {P, {data, D}} -> byte_size(D); {'EXIT', P, Why} -> {exit, Why} end,
    catch port_close(P),
    receive {'EXIT', P, _} -> ok after 0 -> ok end,
    {R, Answer}.

errors() ->
    Try = fun(What, Options) -> fun() -> try open_port(What, Options) of P -> port_close(P), port catch C:E -> {C, E} end end end,
    [{Label, Try(What, Options), []} || {Label, What, Options} <-
        [{nofile, {spawn_executable, "/nonexistent/x"}, []}, {noexec, {spawn_executable, "/etc/passwd"}, []},
         {packet3, {spawn, "cat"}, [{packet, 3}]}, {line0, {spawn, "cat"}, [{line, 0}]}, {option, {spawn, "cat"}, [nonsense]},
         {pair, {spawn, "cat"}, [{nonsense, 1}]}, {both, {spawn, "cat"}, [{packet, 1}, line]}, {improper, {spawn, "cat"}, [eof | x]},
         {redirect, {spawn, "cat"}, [nouse_stdio, stderr_to_stdout]}, {empty, {spawn, ""}, []}, {number, {spawn, 7}, []},
         {driver, {spawn_driver, "no_such_driver"}, []}, {args, {spawn, "cat"}, [{args, ["x"]}]}, {fd, {fd, a, b}, []},
         {fd_status, {fd, 0, 1}, [exit_status]}, {tuple, {foo, bar}, []}, {env, {spawn, "cat"}, [{env, [{a, b, c}]}]},
         {env_name, {spawn, "cat"}, [{env, [{"a=b", "c"}]}]}, {env_list, {spawn, "cat"}, [{env, x}]}, {args_not, {spawn_executable, "/bin/cat"}, [{args, x}]},
         {args_bad, {spawn_executable, "/bin/cat"}, [{args, [{x}]}]}, {cd, {spawn, "cat"}, [{cd, 17}]}, {parallel, {spawn, "cat"}, [{parallelism, yes}]},
         {limits, {spawn, "cat"}, [{busy_limits_port, {1000, 2000}}, {busy_limits_msgq, disabled}]}, {limits_bad, {spawn, "cat"}, [{busy_limits_port, 5}]},
         {nil, [], []}, {zero, {spawn, [$a, 0]}, []}]] ++
    [{{dead, F, length(A)}, fun() -> P = dead(), try apply(erlang, F, [P | A]) catch C:E -> {C, E} end end, []} ||
        {F, A} <- [{port_command, [""]}, {port_command, ["", []]}, {port_close, []}, {port_connect, [self()]}, {port_info, []}, {port_info, [id]},
                   {port_control, [1, ""]}, {port_set_data, [x]}, {port_get_data, []}, {link, []}, {unlink, []}, {exit, [x]}, {send, [x]}]] ++
    [{{bad, F, A}, fun() -> try apply(erlang, F, A) catch C:E -> {C, E} end end, []} ||
        {F, A} <- [{port_command, [x, ""]}, {port_command, [self(), ""]}, {port_close, [17]}, {port_info, [self()]}, {port_info, [x]}, {port_info, [x, id]},
                   {port_connect, [x, self()]}, {port_control, [x, 1, ""]}, {port_call, [x, 1, ""]}]] ++
    [{{live, F, A}, fun() -> P = open_port({spawn, "cat"}, []), R = (try apply(erlang, F, [P | A]) catch C:E -> {C, E} end),
                             catch port_close(P), receive {'EXIT', P, W} -> {R, W} end end, []} ||
        {F, A} <- [{port_command, [x]}, {port_command, ["", [bad]]}, {port_command, ["", [force]]}, {port_command, ["", [nosuspend]]}, {port_info, [nonsense]},
                   {port_control, [1, ""]}, {port_control, [-1, ""]}, {port_call, [1, x]}, {port_connect, [x]}, {port_command, [[300]]}]].

dead() ->
    P = open_port({spawn, "true"}, []),
    receive {'EXIT', P, normal} -> ok end,
    receive {'EXIT', P, _} -> ok after 0 -> ok end,
    P.

%% Every case runs in a process of its own, and tells the signals that it gets.
signals() ->
    Self = self(),
    Case = fun(F) -> fun() ->
        Pid = spawn(fun() -> process_flag(trap_exit, true), P = open_port({spawn, "cat 2>/dev/null"}, []), put(port, P), F(P), Self ! {self(), heard(P)} end),
        Ref = monitor(process, Pid),
        receive {Pid, L} -> erlang:demonitor(Ref, [flush]), L; {'DOWN', Ref, _, _, R} -> {died, R} end
    end end,
    [{Label, Case(F), []} || {Label, F} <-
        [{close, fun(P) -> P ! {self(), close} end}, {port_close, fun(P) -> port_close(P) end},
         {close_other, fun(P) -> O = spawn(fun() -> timer:sleep(1000) end), P ! {O, close}, timer:sleep(50) end},
         {garbage, fun(P) -> P ! garbage end}, {command_bad, fun(P) -> P ! {self(), {command, [300]}} end},
         {command_other, fun(P) -> P ! {hd(processes()), {command, "x"}} end},
         {connect, fun(P) -> P ! {self(), {connect, self()}}, P ! {self(), close} end},
         {connect_bad, fun(P) -> P ! {self(), {connect, foo}} end},
         {connect_away, fun(P) -> O = other(), P ! {self(), {connect, O}}, wait(connected), unlink(P), port_command(P, "x"), P ! {O, close}, O ! {tell, self()}, wait(told) end},
         {port_connect, fun(P) -> O = other(), port_connect(P, O), {connected, O} = erlang:port_info(P, connected),
                                  {links, L} = erlang:port_info(P, links), 2 = length(L), port_close(P) end},
         {exit, fun(P) -> exit(P, reason) end}, {exit_kill, fun(P) -> exit(P, kill) end}, {exit_normal, fun(P) -> exit(P, normal) end},
         {exit_term, fun(P) -> exit(P, {a, "term", <<1, 2, 3>>}) end},
         {monitor, fun(P) -> M = monitor(port, P), port_close(P), receive {'DOWN', M, T, P, R} -> self() ! {down, T, R} end end},
         {monitor_dead, fun(P) -> port_close(P), M = monitor(port, P), receive {'DOWN', M, T, P, R} -> self() ! {down, T, R} end end},
         {monitor_name, fun(P) -> register(named_port, P), M = monitor(port, named_port), port_close(P), receive {'DOWN', M, T, O, R} -> self() ! {down, T, O, R} end end},
         {demonitor, fun(P) -> M = monitor(port, P), {monitored_by, [_]} = erlang:port_info(P, monitored_by), demonitor(M),
                               {monitored_by, []} = erlang:port_info(P, monitored_by), port_close(P) end},
         {monitors_info, fun(P) -> monitor(port, P), {monitors, [{port, P}]} = process_info(self(), monitors), port_close(P) end},
         {unlink, fun(P) -> unlink(P), {links, []} = process_info(self(), links), port_close(P) end},
         {relink, fun(P) -> unlink(P), link(P), {links, [P]} = process_info(self(), links), port_close(P) end},
         {owner_dies, fun(_) -> Me = self(), O = spawn(fun() -> Q = open_port({spawn, "cat"}, []), Me ! {port_of, Q}, receive stop -> exit(bye) end end),
                                receive {port_of, Q} -> M = monitor(port, Q), O ! stop, receive {'DOWN', M, _, _, R} -> self() ! {down, R} end end end},
         {owner_ends, fun(_) -> Me = self(), O = spawn(fun() -> Q = open_port({spawn, "cat"}, []), Me ! {port_of, Q}, receive stop -> ok end end),
                                receive {port_of, Q} -> M = monitor(port, Q), O ! stop, receive {'DOWN', M, _, _, R} -> self() ! {down, R} end end end},
         {linked_ends, fun(P) -> O = spawn(fun() -> link(P), receive stop -> ok end end), O ! stop, timer:sleep(50), true = is_list(erlang:port_info(P)), port_close(P) end},
         {linked_dies, fun(P) -> O = spawn(fun() -> link(P), receive stop -> exit(bad) end end), O ! stop, timer:sleep(50), undefined = erlang:port_info(P) end},
         {not_trapping, fun(P) -> process_flag(trap_exit, false), exit(P, boom), timer:sleep(100) end},
         {epipe, fun(_) -> Q = open_port({spawn, "true"}, [out]), timer:sleep(100), port_command(Q, "x"), receive {'EXIT', Q, R} -> self() ! {epipe, R} end end},
         {in_only, fun(_) -> Q = open_port({spawn, "sleep 5"}, [in]), R = (catch port_command(Q, "x")), receive {'EXIT', Q, W} -> self() ! {in_only, R, W} end end},
         {names, fun(P) -> true = register(a_port, P), P = whereis(a_port), a_port ! {self(), {command, "via name\n"}}, wait(data),
                           {registered_name, a_port} = erlang:port_info(a_port, registered_name), port_command(a_port, "again\n"), wait(data),
                           port_close(a_port), undefined = whereis(a_port) end}]].

other() -> spawn(fun() -> other_loop([]) end).
other_loop(L) ->
    receive
        {tell, Pid} -> timer:sleep(50), Pid ! {told, length(L)};
        M -> other_loop([M | L])
    end.

wait(connected) -> receive {_, connected} -> ok end;
wait(told) -> receive {told, _} -> ok end;
wait(data) -> receive {_, {data, _}} -> ok end.

heard(P) ->
    receive
        {P, M} -> [{port, M} | heard(P)];
        {'EXIT', P, R} -> [{exit, R} | heard(P)];
        {'EXIT', _, R} -> [{exit_of_other, R} | heard(P)];
        M -> [M | heard(P)]
    after 100 -> []
    end.

information() ->
    [{info, fun() ->
         P = open_port({spawn, "cat"}, [binary]),
         port_command(P, "12345"), receive {P, {data, _}} -> ok end,
         Keys = [K || {K, _} <- erlang:port_info(P)],
         Values = [erlang:port_info(P, K) || K <- [name, input, output, connected, links, monitors, monitored_by, registered_name, queue_size, parallelism, locking]],
         Id = list_to_integer(lists:nth(2, string:lexemes(erlang:port_to_list(P), ".>"))),
         Same = erlang:port_info(P, id) =:= {id, Id},
         Member = lists:member(P, erlang:ports()),
         undefined = erlang:port_get_data(P), true = erlang:port_set_data(P, {x, "y", <<0:800>>}), {x, "y", <<0:800>>} = erlang:port_get_data(P),
         true = erlang:port_set_data(P, 17), 17 = erlang:port_get_data(P),
         Round = binary_to_term(term_to_binary(P)) =:= P,
         true = is_port(P), true = P < self(), true = P > make_ref(),
         Listed = list_to_port(port_to_list(P)) =:= P,
         port_close(P), receive {'EXIT', P, _} -> ok end,
         {Keys, hide(Values), is_boolean(Same), Member, Round, Listed, lists:member(P, erlang:ports())}
     end, []},
     {count, fun() -> N = erlang:system_info(port_count), P = open_port({spawn, "cat"}, []), M = erlang:system_info(port_count), port_close(P), M - N end, []},
     {statistics, fun() -> {{input, I}, {output, O}} = statistics(io), P = open_port({spawn, "cat"}, []), port_command(P, "12345678"),
                           receive {P, {data, _}} -> ok end, {{input, I2}, {output, O2}} = statistics(io), port_close(P), {I2 >= I + 8, O2 >= O + 8} end, []},
     {fd, fun() -> P = open_port({fd, 0, 1}, [out]), {name, N} = erlang:port_info(P, name), {os_pid, Pid} = erlang:port_info(P, os_pid), port_close(P), {N, Pid} end, []},
     {file, fun() -> File = "/tmp/mote_port_" ++ os:getpid(), ok = file:write_file(File, "content"), P = open_port(File, [in, eof]),
                     R = collect(P, []), port_close(P), file:delete(File), R end, []}].

%% A port whose program does not read: commands wait, or say so.
busy() ->
    io:format("--- busy~n"),
    End = "/tmp/mote_port_end_" ++ os:getpid(),
    P = open_port({spawn, "sh -c 'while [ ! -e " ++ End ++ " ]; do sleep 0.05; done'"}, []),
    Self = self(),
    Pid = spawn(fun() -> [Self ! {wrote, I, port_command(P, binary:copy(<<I>>, 20000))} || I <- lists:seq(1, 20)] end),
    wrote(),
    io:format("~p~n", [{port_command(P, "x", [nosuspend]), element(2, process_info(Pid, status)), is_process_alive(Pid)}]),
    Sender = spawn(fun() -> [P ! {Self, {command, "y"}} || _ <- [1, 2, 3]], Self ! sent end),
    receive sent -> io:format("not suspended~n") after 100 -> io:format("suspended ~p~n", [is_process_alive(Sender)]) end,
    Ref = monitor(process, Pid),
    exit(Pid, kill),
    receive {'DOWN', Ref, _, _, Why} -> io:format("~p~n", [Why]) end,
    ok = file:write_file(End, ""),
    receive {'EXIT', P, R} -> io:format("~p~n", [R]) after 60000 -> io:format("no end~n") end,
    file:delete(End),
    receive sent -> io:format("sent~n") after 60000 -> io:format("still suspended~n") end.

%% Until the writer has to wait.
wrote() ->
    receive {wrote, _, true} -> wrote() after 300 -> ok end.

ram_files() ->
    io:format("--- files in memory~n"),
    {ok, F} = file:open("abcdef", [ram, read, write, binary]),
    table([{I, R} || {I, R} <- lists:zip(lists:seq(1, 17), [
        fun() -> file:read(F, 3) end, fun() -> file:write(F, "XYZ12") end, fun() -> file:position(F, bof) end, fun() -> file:read(F, 100) end,
        fun() -> file:read(F, 1) end, fun() -> file:pread(F, 2, 3) end, fun() -> file:pwrite(F, 10, <<"end">>) end, fun() -> ram_file:get_file(F) end,
        fun() -> ram_file:get_size(F) end, fun() -> file:position(F, {eof, -4}) end, fun() -> file:truncate(F) end, fun() -> ram_file:get_file(F) end,
        fun() -> file:position(F, {bof, -1}) end, fun() -> file:sync(F) end, fun() -> file:pread(F, [{0, 2}, {100, 1}]) end, fun() -> file:close(F) end,
        fun() -> file:read(F, 1) end])]).

%% Many ports one after the other leave nothing behind.
leaks() ->
    Before = {erlang:system_info(port_count), fds()},
    [begin P = open_port({spawn, "true"}, [exit_status]), receive {P, {exit_status, 0}} -> ok end, receive {'EXIT', P, _} -> ok end end || _ <- lists:seq(1, 30)],
    [port_close(open_port({spawn, "cat"}, [])) || _ <- lists:seq(1, 10)],
    io:format("--- left over: ~p, ~p zombies~n", [settled(Before, 50), zombies()]).

%% The programs may need a moment to end.
settled(Before, N) ->
    {Ports, Fds} = Before,
    (erlang:system_info(port_count) =< Ports andalso fds() =< Fds) orelse (N > 0 andalso begin timer:sleep(100), settled(Before, N - 1) end).

fds() -> {ok, L} = file:list_dir("/proc/self/fd"), length(L).
zombies() -> string:trim(os:cmd("ps --no-headers -o stat --ppid " ++ os:getpid() ++ " | grep -c Z")).
