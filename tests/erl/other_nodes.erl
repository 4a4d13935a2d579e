%% What asks for other nodes, on a node that is not alive.
-module(other_nodes).
-export([main/0]).

main() ->
    process_flag(trap_exit, true),
    t:all([{atom_to_list(F) ++ io_lib:format(" ~w", [length(A)]), fun() -> apply(M, F, A) end} || {M, F, A} <- calls()]),
    spawning(),
    watching(),
    t:show("atoms in a cache", fun() -> {foo, bar, P} = erts_debug:dist_ext_to_term({foo, bar}, <<131, 104, 3, $R, 0, $R, 1, 88, $R, 1, 1:32, 0:32, 1:32>>), node(P) end).

calls() ->
    [{erlang, setnode, [foo@bar, 1]}, {erlang, setnode, [1, 1]}, {erlang, setnode, [foo@bar, x, {1, 2, 3, 4}]},
     {erlang, dist_ctrl_get_data, [1]}, {erlang, dist_ctrl_get_data_notification, [x]}, {erlang, dist_ctrl_get_opt, [x, get_size]},
     {erlang, dist_ctrl_set_opt, [x, get_size, true]}, {erlang, dist_ctrl_input_handler, [x, y]}, {erlang, dist_ctrl_put_data, [x, <<>>]},
     {erlang, dist_get_stat, [x]}, {erts_internal, abort_pending_connection, [foo@bar, x]}, {erts_internal, abort_pending_connection, [1, x]},
     {erts_internal, create_dist_channel, [foo@bar, self(), {1, 2, 3}]}, {erts_internal, create_dist_channel, [1, self(), {1, 2, 3}]},
     {erts_internal, get_dflags, []}, {erts_internal, new_connection, [nonode@nohost]}, {erts_internal, new_connection, [1]},
     {erts_internal, dist_spawn_request, [1, {a, b, []}, [], spawn_request]}, {erts_internal, dist_spawn_request, [foo@bar, {a, b}, [], spawn_request]},
     {erts_internal, dist_spawn_request, [nonode@nohost, {a, b, []}, [], spawn_request]}, {erlang, spawn_request, [foo@bar, a, b, x]},
     {erlang, monitor_node, [foo@bar, true]}, {erlang, monitor_node, [foo@bar, true, [allow_passive_connect]]}, {erlang, monitor_node, [foo@bar, false]},
     {erlang, monitor_node, [nonode@nohost, true]}, {erlang, monitor_node, [1, true]}, {erlang, disconnect_node, [foo@bar]},
     {erlang, nodes, []}, {erlang, nodes, [hidden]}, {erlang, nodes, [visible]}, {erlang, is_alive, []}, {erlang, node, []}, {erlang, get_cookie, []},
     {erts_debug, dist_ext_to_term, [a, b]}, {erts_debug, dist_ext_to_term, [{}, <<131, 106>>]}, {erts_debug, dist_ext_to_term, [{foo}, <<131, $R, 0>>]},
     {erts_debug, dist_ext_to_term, [{foo}, <<131, $R, 1>>]}, {erts_debug, dist_ext_to_term, [{}, <<1, 2, 3>>]}, {erts_debug, dist_ext_to_term, [{1}, <<131, $R, 0>>]},
     {erlang, binary_to_term, [<<131, $R, 0>>]}].

spawning() ->
    Answer = fun(R) -> receive Y when element(2, Y) =:= R -> setelement(2, Y, ref) after 500 -> none end end,
    t:show("monitored", fun() -> Answer(spawn_request(foo@bar, a, b, [], [monitor])) end),
    t:show("linked, own tag", fun() -> Answer(spawn_request(foo@bar, a, b, [], [link, {reply_tag, {own, tag}}])) end),
    t:show("no answer", fun() -> Answer(spawn_request(foo@bar, a, b, [], [{reply, no}])) end),
    t:show("only success", fun() -> Answer(spawn_request(foo@bar, a, b, [], [{reply, success_only}])) end),
    t:show("spawn_opt's", fun() ->
        {R, Monitor} = erts_internal:dist_spawn_request(foo@bar, {a, b, []}, [monitor], spawn_opt),
        {Monitor, Answer(R)}
    end).

watching() ->
    P = binary_to_term(<<131, 88, 119, 7, "foo@bar", 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1>>),
    t:show("monitor a name", fun() -> monitor(process, {x, foo@bar}) end),
    t:show("monitor", fun() -> M = monitor(process, P), receive {'DOWN', M, A, B, C} -> {A, B =:= P, C} after 500 -> none end end),
    t:show("link", fun() -> X = link(P), receive {'EXIT', B, C} -> {X, B =:= P, C} after 500 -> none end end),
    t:show("send", fun() ->
        {unlink(P), exit(P, kill), P ! x, erlang:send(P, x, [noconnect]), erlang:send(P, x, [nosuspend]), erlang:send(P, x, [noconnect, nosuspend]),
         {x, foo@bar} ! y, erlang:send({x, foo@bar}, y, [noconnect]), erlang:send_nosuspend({x, foo@bar}, y)}
    end).
