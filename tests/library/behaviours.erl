%% gen_server, gen_statem, gen_event, supervisor, proc_lib and sys: what their processes answer, and how they end.
-module(behaviours).
-export([main/0, init/1, handle_call/3, handle_cast/2, handle_info/2, handle_continue/2, terminate/2, code_change/3, format_status/1,
         callback_mode/0, handle_event/4, handle_event/2, start_child/2, plain/2, worker/1]).

main() ->
    process_flag(trap_exit, true),
    logger:set_primary_config(level, none),
    servers(),
    calls(),
    many(),
    ends(),
    machines(),
    events(),
    supervisors(),
    dynamic(),
    plain_processes(),
    debugging().

show(Label, F) -> io:format("~0tp: ~0tp~n", [Label, clean(t_result(F))]).

t_result(F) -> try F() catch C:R -> {C, R} end.

%% What differs from run to run.
clean(P) when is_pid(P) -> pid;
clean(R) when is_reference(R) -> ref;
clean(F) when is_function(F) -> 'fun';
clean([H | T]) -> [clean(H) | clean(T)];
clean(T) when is_tuple(T) -> list_to_tuple(clean(tuple_to_list(T)));
clean(M) when is_map(M) -> maps:map(fun(_, V) -> clean(V) end, M);
clean(X) -> X.

inbox() -> receive M -> [M | inbox()] after 60 -> [] end.

%% The same where a timer comes first.
later(N) -> receive M -> [M | if N > 1 -> later(N - 1); true -> inbox() end] after 3000 -> [] end.

%% ---- Callbacks: of a server, an event handler, a state machine and a supervisor

init({server, S}) -> {ok, S};
init({stop, R}) -> {stop, R};
init({crash, R}) -> error(R);
init(ignore) -> ignore;
init(bad) -> bad_return;
init({throw, V}) -> throw(V);
init({timeout, T}) -> {ok, waiting, T};
init({hibernate, S}) -> {ok, S, hibernate};
init({continue, S}) -> {ok, S, {continue, more}};
init({slow, Ms}) -> timer:sleep(Ms), {ok, slow};
init({sup, Flags, Children}) -> {ok, {Flags, Children}};
init({machine, State, Data}) -> {ok, State, Data};
init({machine, State, Data, Actions}) -> {ok, State, Data, Actions};
init(S) -> {ok, S}.

handle_call(get, _, S) -> {reply, S, S};
handle_call({set, N}, _, S) -> {reply, {was, S}, N};
handle_call({stop, R}, _, S) -> {stop, R, stopping, S};
handle_call({stop_without, R}, _, S) -> {stop, R, S};
handle_call({later, Ms}, From, S) -> spawn(fun() -> timer:sleep(Ms), gen_server:reply(From, late) end), {noreply, S};
handle_call({timeout, T}, _, S) -> {reply, ok, S, T};
handle_call({continue, X}, _, S) -> {reply, ok, S, {continue, X}};
handle_call(hibernate, _, S) -> {reply, ok, S, hibernate};
handle_call(crash, _, _) -> error(crashed);
handle_call({throw, V}, _, _) -> throw(V);
handle_call(bad, _, _) -> nonsense;
handle_call(noreply, _, S) -> {noreply, S};
handle_call(_, _, S) -> {ok, event_answer, S}.

handle_cast({tell, P}, S) -> P ! {cast, S}, {noreply, S};
handle_cast({set, N}, _) -> {noreply, N};
handle_cast({stop, R}, S) -> {stop, R, S};
handle_cast(crash, _) -> error(crashed_in_cast).

handle_info(timeout, S) -> tester ! {timeout_of, S}, {noreply, S};
handle_info({'EXIT', _, R}, S) -> tester ! {exit_seen, R}, {noreply, S};
handle_info({stop, R}, S) -> {stop, R, S};
handle_info(M, S) -> tester ! {info, M}, {noreply, S}.

handle_continue(X, S) -> tester ! {continued, X}, {noreply, {after_continue, S}}.

terminate(R, S) -> catch (tester ! {terminated, R, S}), ok.

code_change(Old, S, Extra) -> {ok, {changed, Old, S, Extra}}.

format_status(Status) -> maps:map(fun(state, S) -> {shown, S}; (_, V) -> V end, maps:with([state, message, reason], Status)).

%% ---- Servers

start(Args) -> {ok, P} = gen_server:start(?MODULE, Args, []), P.

servers() ->
    register(tester, self()),
    [show({start, A}, fun() -> {gen_server:F(?MODULE, A, []), inbox()} end)
     || F <- [start, start_link], A <- [{server, 1}, {stop, no}, {crash, boom}, ignore, bad, {throw, {ok, thrown}}, {hibernate, h}, {continue, c}, {stop, normal}, {stop, shutdown}]],
    show(timeout, fun() -> {gen_server:start(?MODULE, {timeout, 5}, []), later(1)} end),
    show(start_timeout, fun() -> {gen_server:start(?MODULE, {slow, 500}, [{timeout, 10}]), inbox()} end),
    show(named, fun() ->
        {ok, P} = gen_server:start({local, named}, ?MODULE, {server, n}, []),
        {whereis(named) =:= P, gen_server:start({local, named}, ?MODULE, {server, n}, []) =:= {error, {already_started, P}}, gen_server:call(named, get), gen_server:stop(named), whereis(named), inbox()} end),
    show(bad_name, fun() -> gen_server:start({nowhere, x}, ?MODULE, x, []) end),
    show(monitored, fun() -> {ok, {P, R}} = gen_server:start_monitor(?MODULE, {server, 1}, []), gen_server:stop(P), {receive {'DOWN', R, process, P, X} -> X end, inbox()} end).

calls() ->
    P = start({server, first}),
    [show({call, C}, fun() -> {gen_server:call(P, C), gen_server:call(P, get), inbox()} end)
     || C <- [get, {set, second}, {later, 3}, {continue, x}, hibernate, {throw, {reply, thrown, third}}]],
    show(timeout, fun() -> {gen_server:call(P, {timeout, 3}), later(1)} end),
    show(call_timeout, fun() -> gen_server:call(P, noreply, 5) end),
    show(late_reply, fun() -> {catch gen_server:call(P, {later, 60}, 1), timer:sleep(80), inbox()} end),
    show(cast, fun() -> {gen_server:cast(P, {tell, self()}), gen_server:cast(P, {set, fourth}), gen_server:call(P, get), inbox()} end),
    show(info, fun() -> P ! hello, inbox() end),
    show(abcast, fun() -> {gen_server:abcast([node()], no_name, x), gen_server:abcast(no_name, x)} end),
    show(call_nobody, fun() -> gen_server:call(nobody, x) end),
    show(call_dead, fun() -> gen_server:call(spawn(fun() -> ok end), x) end),
    show(call_self, fun() -> gen_server:call(self(), x) end),
    show(call_other_node, fun() -> gen_server:call({x, 'no@where'}, y) end),
    show(cast_nobody, fun() -> gen_server:cast(nobody, x) end),
    show(send_request, fun() ->
        R = gen_server:send_request(P, get),
        {gen_server:wait_response(R, 1000), gen_server:check_response(nothing_of_ours, gen_server:send_request(P, get)), inbox()} end),
    show(requests, fun() ->
        Rs = lists:foldl(fun(I, A) -> gen_server:send_request(P, get, {label, I}, A) end, gen_server:reqids_new(), lists:seq(1, 3)),
        {gen_server:reqids_size(Rs), [L || {_, L} <- gen_server:reqids_to_list(Rs)], responses(Rs)} end),
    show(multi_call, fun() -> gen_server:multi_call([node()], no_name, x, 100) end),
    gen_server:stop(P),
    inbox().

responses(Rs) ->
    case gen_server:receive_response(Rs, 1000, true) of
        {Answer, Label, More} -> [{Answer, Label} | responses(More)];
        Other -> [Other]
    end.

many() ->
    Ps = [start({server, I}) || I <- lists:seq(1, 50)],
    show(many, fun() -> {lists:sum([gen_server:call(P, get) || P <- Ps, _ <- "12345"]), [gen_server:stop(P) || P <- Ps], length(inbox())} end).

ends() ->
    [show({ends, E}, fun() ->
        {ok, P} = gen_server:start_link(?MODULE, {server, s}, []),
        R = try E(P) catch C:X -> {C, X} end,
        {R, inbox(), is_process_alive(P)} end)
     || E <- [fun(P) -> gen_server:call(P, {stop, normal}) end, fun(P) -> gen_server:call(P, {stop, bad}) end, fun(P) -> gen_server:call(P, {stop_without, shutdown}) end,
              fun(P) -> gen_server:call(P, crash) end, fun(P) -> gen_server:call(P, bad) end, fun(P) -> gen_server:call(P, {throw, x}) end, fun(P) -> gen_server:cast(P, crash) end,
              fun(P) -> gen_server:cast(P, {stop, {shutdown, x}}) end, fun(P) -> P ! {stop, by_info} end, fun(P) -> exit(P, normal) end, fun(P) -> exit(P, kill) end,
              fun(P) -> exit(P, other) end, fun(P) -> gen_server:stop(P, because, 1000) end, fun(P) -> gen_server:stop(P, normal, infinity) end, fun(P) -> sys:terminate(P, told) end]],
    show(stop_nobody, fun() -> gen_server:stop(nobody) end).

%% ---- State machines

callback_mode() -> [handle_event_function, state_enter].

handle_event(enter, Old, New, D) -> tester ! {enter, Old, New}, {keep_state, D};
handle_event({call, From}, get, S, D) -> {keep_state_and_data, [{reply, From, {S, D}}]};
handle_event({call, From}, {go, S}, _, D) -> {next_state, S, D + 1, {reply, From, gone}};
handle_event({call, From}, postpone, open, _) -> {keep_state_and_data, {reply, From, now_open}};
handle_event({call, _}, postpone, _, _) -> {keep_state_and_data, postpone};
handle_event({call, From}, {timers, As}, _, D) -> {keep_state, D, [{reply, From, ok} | As]};
handle_event({call, From}, {stop, R}, _, _) -> {stop_and_reply, R, {reply, From, stopping}};
handle_event({call, From}, next, _, D) -> {keep_state, D, [{reply, From, ok}, {next_event, internal, one}, {next_event, internal, {two, 2}}]};
handle_event({call, From}, repeat, _, D) -> {repeat_state, D + 10, {reply, From, ok}};
handle_event({call, From}, hibernate, _, _) -> {keep_state_and_data, [{reply, From, ok}, hibernate]};
handle_event(cast, {stop, R}, _, _) -> {stop, R};
handle_event(cast, crash, _, _) -> error(machine);
handle_event(cast, bad, _, _) -> wrong;
handle_event(Type, Event, S, _) -> tester ! {Type, Event, S}, keep_state_and_data.

machines() ->
    {ok, P} = gen_statem:start({local, machine}, ?MODULE, {machine, closed, 0}, []),
    show(machine, fun() -> {gen_statem:call(P, get), gen_statem:call(P, {go, half}), gen_statem:call(P, {go, half}), gen_statem:call(machine, get), inbox()} end),
    show(postponed, fun() ->
        R = gen_statem:send_request(P, postpone),
        gen_statem:call(P, {go, other}),
        Before = gen_statem:wait_response(R, 30),
        gen_statem:call(P, {go, open}),
        {Before, gen_statem:wait_response(R, 100), inbox()} end),
    [show({timers, N, As}, fun() -> {gen_statem:call(P, {timers, As}), if N > 0 -> later(N); true -> inbox() end} end)
     || {N, As} <- [{1, [{timeout, 3, event}]}, {1, [{state_timeout, 3, state}]}, {1, [{{timeout, n}, 3, named}]}, {0, [{{timeout, n}, 500, named}, {{timeout, n}, cancel}]}, {1, [{{timeout, n}, 30, a}, {{timeout, n}, update, b}]},
               {2, [{state_timeout, 0, zero}, {timeout, 0, zero}]}, {1, [{timeout, 30000, never}, {next_event, cast, x}]}, {0, [{{timeout, n}, 50000, a}]}, {1, [{{timeout, n}, 2, b}]}]],
    show(at, fun() -> {gen_statem:call(P, {timers, [{state_timeout, erlang:monotonic_time(millisecond) + 3, at, [{abs, true}]}]}), later(1)} end),
    [show({machine, M}, fun() -> {gen_statem:call(P, M), inbox()} end) || M <- [next, repeat, hibernate, get]],
    show(casts, fun() -> gen_statem:cast(P, hello), P ! info, inbox() end),
    show(call_timeout, fun() -> gen_statem:call(P, {go, closed}), {catch gen_statem:call(P, postpone, 10), catch gen_statem:call(P, postpone, {clean_timeout, 10}), inbox()} end),
    show(machine_stop, fun() -> {gen_statem:call(P, {stop, normal}), inbox(), whereis(machine)} end),
    [show({machine_ends, C}, fun() -> {ok, Q} = gen_statem:start_link(?MODULE, {machine, s, 0}, []), gen_statem:cast(Q, C), inbox() end) || C <- [{stop, normal}, {stop, {shutdown, a}}, {stop, bad}, crash, bad]],
    [show({machine_start, A}, fun() -> {gen_statem:start(?MODULE, A, []), inbox()} end) || A <- [{stop, x}, ignore, bad, {crash, c}]],
    show(machine_timeout, fun() -> {gen_statem:start(?MODULE, {machine, s, d, [{timeout, 1, t}]}, []), later(2)} end).

%% ---- Events

handle_event({swap, M}, _) -> {swap_handler, swapped, s2, {M, other}, args};
handle_event(remove, _) -> remove_handler;
handle_event(crash, _) -> error(handler);
handle_event(bad, _) -> wrong;
handle_event(E, S) -> tester ! {event, E, S}, {ok, {S}}.

events() ->
    {ok, P} = gen_event:start(),
    Add = fun(Id, S) -> gen_event:add_handler(P, {?MODULE, Id}, S) end,
    show(events, fun() -> {Add(a, 1), Add(b, 2), Add(a, 3), gen_event:which_handlers(P), gen_event:notify(P, hello), gen_event:sync_notify(P, there), inbox()} end),
    show(event_call, fun() -> {gen_event:call(P, {?MODULE, a}, x), gen_event:call(P, no_handler, x), inbox()} end),
    [show({event, E}, fun() -> {gen_event:sync_notify(P, E), inbox(), Add(a, 1), gen_event:which_handlers(P)} end) || E <- [remove, crash, bad]],
    show(event_info, fun() -> P ! some_info, inbox() end),
    show(delete, fun() -> {gen_event:delete_handler(P, {?MODULE, a}, why), gen_event:delete_handler(P, none, why), inbox()} end),
    show(supervised, fun() -> {gen_event:add_sup_handler(P, {?MODULE, c}, c), gen_event:sync_notify(P, remove), inbox()} end),
    show(bad_handler, fun() -> {gen_event:add_handler(P, no_such_module, x), gen_event:add_handler(P, ?MODULE, {stop, x}), inbox()} end),
    show(event_stop, fun() -> {gen_event:stop(P), inbox(), catch gen_event:notify(P, x), catch gen_event:which_handlers(P)} end).

%% ---- Supervisors

start_child(Id, How) ->
    {ok, proc_lib:spawn_link(?MODULE, worker, [{Id, How}])}.

worker({Id, How}) ->
    catch register(Id, self()),
    tester ! {started, Id, How},
    receive {die, R} -> exit(R); {crash, R} -> error(R); stop -> ok end.

child(Id, Restart) -> #{id => Id, start => {?MODULE, start_child, [Id, Restart]}, restart => Restart, shutdown => 50}.

supervisors() ->
    [show({supervisor, Strategy, Die}, fun() ->
        {ok, S} = supervisor:start_link(?MODULE, {sup, #{strategy => Strategy, intensity => 2, period => 5}, [child(a, permanent), child(b, transient), child(c, temporary)]}),
        Begun = inbox(),
        {Who, How} = Die,
        Who ! How,
        After = inbox(),
        Children = is_process_alive(S) andalso [{I, is_pid(P)} || {I, P, worker, _} <- supervisor:which_children(S)],
        Counts = is_process_alive(S) andalso supervisor:count_children(S),
        exit(S, shutdown),
        {Begun, After, Children, Counts, inbox()} end)
     || Strategy <- [one_for_one, one_for_all, rest_for_one], Die <- [{a, stop}, {a, {die, x}}, {a, {crash, x}}, {b, stop}, {b, {die, shutdown}}, {b, {die, bad}}, {c, {die, bad}}]],
    show(too_often, fun() ->
        {ok, S} = supervisor:start_link(?MODULE, {sup, #{intensity => 1, period => 5}, [child(a, permanent)]}),
        R = [begin catch a ! {die, x}, timer:sleep(10) end || _ <- "123"],
        {length(R), is_process_alive(S), inbox()} end),
    [show({sup_init, A}, fun() -> {supervisor:start_link(?MODULE, A), inbox()} end)
     || A <- [{sup, #{strategy => wrong}, []}, {sup, #{}, [x]}, {sup, {one_for_one, 1, 5}, [{old, {?MODULE, start_child, [old, o]}, permanent, brutal_kill, worker, dynamic}]}, ignore, bad, {sup, #{}, [child(a, permanent), child(a, permanent)]},
              {sup, #{}, [#{id => x, start => {?MODULE, no_function, []}}]}, {sup, #{}, [#{id => x}]}, {sup, #{intensity => -1}, []}]],
    inbox().

dynamic() ->
    {ok, S} = supervisor:start_link({local, sup}, ?MODULE, {sup, #{}, []}),
    show(dynamic, fun() ->
        {supervisor:start_child(S, child(d, permanent)), supervisor:start_child(S, child(d, permanent)), supervisor:terminate_child(sup, d), supervisor:start_child(S, child(d, permanent)),
         supervisor:restart_child(S, d), supervisor:restart_child(S, d), supervisor:delete_child(S, d), supervisor:terminate_child(S, d), supervisor:delete_child(S, d), supervisor:delete_child(S, z),
         supervisor:get_childspec(S, d), supervisor:start_child(S, child(e, temporary)), supervisor:get_childspec(S, e), supervisor:which_children(S), supervisor:start_child(S, bad), inbox()} end),
    show(check, fun() -> [supervisor:check_childspecs(C) || C <- [[child(a, permanent)], [#{id => a}], x, [child(a, sometimes)]]] end),
    exit(S, shutdown),
    show(gone, fun() -> {inbox(), whereis(sup)} end),
    {ok, T} = supervisor:start_link(?MODULE, {sup, #{strategy => simple_one_for_one, intensity => 5}, [#{id => s, start => {?MODULE, start_child, [s]}, restart => temporary}]}),
    show(simple, fun() ->
        Ps = [element(2, supervisor:start_child(T, [I])) || I <- [1, 2, 3]],
        hd(Ps) ! {die, x},
        {length(inbox()), supervisor:count_children(T), supervisor:terminate_child(T, lists:last(Ps)), length(supervisor:which_children(T)), supervisor:restart_child(T, s), supervisor:delete_child(T, s)} end),
    exit(T, shutdown),
    show(gone, fun() -> inbox() end),
    show(significant, fun() ->
        {ok, U} = supervisor:start_link(?MODULE, {sup, #{auto_shutdown => any_significant}, [(child(a, transient))#{significant => true}, child(b, permanent)]}),
        a ! stop,
        timer:sleep(20),
        {is_process_alive(U), inbox()} end).

%% ---- proc_lib and sys

plain(Parent, ok) -> proc_lib:init_ack(Parent, {ok, self()}), receive stop -> ok; {die, R} -> exit(R) end;
plain(Parent, fail) -> proc_lib:init_ack(Parent, {error, failed});
plain(_, dies) -> exit(early);
plain(_, returns) -> ok;
plain(_, sleeps) -> timer:sleep(1000).

plain_processes() ->
    [show({proc_lib, How}, fun() -> {proc_lib:start_link(?MODULE, plain, [self(), How], 50), inbox()} end) || How <- [ok, fail, dies, returns, sleeps]],
    [show({proc_lib_start, How}, fun() -> {proc_lib:start(?MODULE, plain, [self(), How], 50), inbox()} end) || How <- [ok, fail, dies]],
    show(start_monitor, fun() -> {proc_lib:start_monitor(?MODULE, plain, [self(), dies]), inbox()} end),
    show(stop, fun() -> P = start({server, x}), {proc_lib:stop(P, gone, 100), inbox(), catch proc_lib:stop(P)} end),
    show(initial_call, fun() ->
        P = proc_lib:spawn(fun() -> receive stop -> ok end end),
        S = start({server, 1}),
        R = {proc_lib:translate_initial_call(S), element(1, proc_lib:initial_call(P)), proc_lib:initial_call(S), element(2, lists:keyfind('$initial_call', 1, element(2, process_info(S, dictionary))))},
        P ! stop, gen_server:stop(S), inbox(), R end),
    show(hibernating, fun() ->
        P = proc_lib:spawn_link(fun() -> proc_lib:hibernate(?MODULE, worker, [{h, woken}]) end),
        timer:sleep(5), P ! stop, inbox() end),
    show(format, fun() -> lists:flatten(proc_lib:format([[{initial_call, {m, f, [a]}}, {pid, self()}, {registered_name, []}, {error_info, {error, bad, [{m, f, 1, []}]}}, {ancestors, []}, {message_queue_len, 0}, {messages, []}, {links, []}, {dictionary, []}, {trap_exit, false}, {status, running}, {heap_size, 1}, {stack_size, 2}, {reductions, 3}], []])) =/= "" end).

debugging() ->
    P = start({server, d}),
    show(state, fun() -> {sys:get_state(P), sys:replace_state(P, fun(S) -> {S, replaced} end), sys:get_state(P), element(1, element(2, catch sys:replace_state(P, fun(_) -> error(no) end)))} end),
    show(suspended, fun() ->
        ok = sys:suspend(P),
        R = catch gen_server:call(P, get, 10),
        ok = sys:change_code(P, ?MODULE, "1", extra),
        ok = sys:resume(P),
        {R, sys:get_state(P), inbox()} end),
    show(status, fun() -> {status, Q, {module, gen_server}, [_, St, _, _, Misc]} = sys:get_status(P), {Q =:= P, St, [K || {K, _} <- Misc]} end),
    show(statistics, fun() -> {sys:statistics(P, true), gen_server:call(P, get), element(1, sys:statistics(P, get)), [X || {K, _} = X <- element(2, sys:statistics(P, get)), K =:= messages_in orelse K =:= messages_out], sys:statistics(P, false)} end),
    show(log, fun() -> {sys:log(P, true), gen_server:call(P, get), gen_server:cast(P, {set, 7}), gen_server:call(P, get), sys:log(P, get), sys:log(P, false)} end),
    show(installed, fun() -> {sys:install(P, {fun(A, E, _) -> tester ! {seen, A, element(1, E)}, A + 1 end, 0}), gen_server:call(P, get), sys:remove(P, x), inbox()} end),
    gen_server:stop(P),
    show(dead, fun() -> {sys:get_state(P), inbox()} end).
