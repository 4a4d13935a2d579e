%% What the system, a process, a port, a table and so on tell of themselves: every item that is documented, and the shape of its answer:
%% atoms as they are, everything else as its kind.
-module(info).
-export([main/0]).

%% What says how the machine is made, which may be another one; here the kind of the answer must do.
-define(OWN, [alloc_util_allocators, allocator, allocated_areas, all_schedulers_state, check_io, microstate_accounting]).

main() ->
    print(system_info, fun erlang:system_info/1, system_items()),
    print(statistics, fun erlang:statistics/1, statistics_items()),
    print(memory, fun erlang:memory/1, memory_items()),
    io:format("memory/0: ~p~n~p~n", [[K || {K, _} <- erlang:memory()], shape(erlang:memory([total, atom, ets]))]),
    P = process(),
    print(process_info, fun(I) -> erlang:process_info(P, I) end, process_items() ++ [process_items()]),
    io:format("process_info/1: ~p~n", [[K || {K, _} <- erlang:process_info(P)]]),
    io:format("of oneself: ~p~n", [[shape(catch erlang:process_info(self(), I)) || I <- [messages, backtrace, status, current_function, total_heap_size, nonsense, []]]]),
    [print({process_flag, N}, fun(V) -> in_process(fun() -> {erlang:process_flag(N, V), erlang:process_flag(N, hd(Vs))} end) end, Vs) || {N, Vs} <- process_flags()],
    print(system_flag, fun({N, V}) -> Old = erlang:system_flag(N, V), catch erlang:system_flag(N, Old), Old end, system_flags()),
    Port = open_port({spawn, "cat"}, [binary]),
    true = register(cat, Port),
    print(port_info, fun(I) -> erlang:port_info(Port, I) end, [connected, id, input, links, locking, memory, monitors, monitored_by, name, os_pid, output,
                                                                parallelism, queue_size, registered_name, nonsense]),
    io:format("port_info/1: ~p~n", [[K || {K, _} <- erlang:port_info(Port)]]),
    [begin
         T = ets:new(t, O),
         ets:insert(T, [{a, 1}, {b, 2}]),
         ets:safe_fixtable(T, lists:member(named_table, O)),
         print({ets, O}, fun(I) -> ets:info(T, I) end, [binary, compressed, decentralized_counters, fixed, heir, id, keypos, memory, name, named_table, node,
             owner, protection, read_concurrency, safe_fixed, safe_fixed_monotonic_time, size, stats, type, write_concurrency, nonsense]),
         io:format("ets:info/1: ~p~n", [[K || {K, _} <- ets:info(T)]])
     end || O <- [[], [named_table, public, compressed, {heir, self(), x}], [ordered_set, private, {keypos, 2}, {read_concurrency, true}]]],
    print(ets_sizes, fun(T) -> [ets:info(T, memory), begin ets:insert(T, {1, "abc", <<1:800>>}), ets:info(T, size) end, ets:info(T, memory) > 0] end,
          [ets:new(a, [])]),
    io:format("~p~n", [[ets:info(nonsense), ets:info(nonsense, size), shape(catch ets:info(1)), shape(catch ets:info(none, 5))]]),
    F = fun(X) -> {X, P} end,
    print(fun_info, fun(I) -> [erlang:fun_info(G, I) || G <- [F, fun lists:map/2]] end, [module, name, arity, env, type, index, new_index, new_uniq, uniq, pid, nonsense]),
    io:format("fun_info/1: ~p~n", [[K || {K, _} <- erlang:fun_info(F)]]),
    print(module_info, fun(I) -> lists:module_info(I) end, [module, attributes, compile, exports, functions, md5, nifs, nonsense]),
    io:format("code: ~p~n", [shape([code:get_mode(), code:is_loaded(lists), code:is_loaded(nonsense), code:which(erlang), code:which(nonsense), code:module_status(lists),
        code:module_status([erlang, nonsense]), code:root_dir(), code:lib_dir(), code:compiler_dir(), code:priv_dir(kernel), code:objfile_extension(), code:is_sticky(lists),
        code:is_module_native(lists), code:get_doc(nonsense)])]),
    io:format("init: ~p~n", [shape([init:get_status(), init:script_id(), [K || {K, _} <- init:get_arguments()], init:get_plain_arguments(), init:get_argument(nonsense),
        init:get_argument(home)])]),
    io:format("erlang: ~p~n", [shape([erlang:timestamp(), erlang:time_offset(), erlang:localtime(), erlang:universaltime(), erlang:date(), erlang:get_cookie(), node(),
        nodes(), erlang:bump_reductions(1), erlang:system_monitor(), erlang:system_profile(), erlang:trace_info(self(), flags), erlang:get_module_info(lists, exports),
        erlang:loaded(), erlang:pre_loaded(), registered(), erlang:ports(), os:type(), os:version(), os:getpid(), os:timestamp(), os:perf_counter(), os:env()])]).

print(What, F, Items) ->
    [io:format("~p ~p: ~p~n", [What, name(I), try answer(I, F(I)) catch C:R -> {C, R} end]) || I <- Items].

answer(I, X) ->
    case lists:member(I, ?OWN) of
        true when is_list(X) -> list;
        true when is_tuple(X) -> {tuple, tuple_size(X)};
        false -> shape(X)
    end.

name(I) when is_reference(I) -> reference;
name(I) -> I.

%% --- Shapes

shape(X) when is_integer(X) -> integer;
shape(X) when is_float(X) -> float;
shape(X) when is_bitstring(X) -> binary;
shape(X) when is_pid(X) -> pid;
shape(X) when is_port(X) -> port;
shape(X) when is_reference(X) -> reference;
shape(X) when is_function(X) -> 'fun';
shape(X) when is_atom(X) -> X;
shape(X) when is_tuple(X), tuple_size(X) > 12 -> {tuple, lists:usort([shape(E) || E <- tuple_to_list(X)])};
shape(X) when is_tuple(X) -> list_to_tuple([shape(E) || E <- tuple_to_list(X)]);
shape(X) when is_map(X) -> maps:map(fun(_, V) -> shape(V) end, X);
shape([]) -> [];
shape(X) ->
    case io_lib:printable_unicode_list(X) of
        true -> string;
        false -> elements(X, [])
    end.

elements([H | T], Seen) -> elements(T, [shape(H) | Seen]);
elements([], Seen) ->
    case lists:usort(Seen) of
        Many when length(Many) > 30 -> many_kinds;
        Few -> Few
    end;
elements(End, Seen) -> {improper, lists:usort(Seen), shape(End)}.

%% --- What is asked

system_items() ->
    [alloc_util_allocators, {allocator, nonsense}, {allocator_sizes, nonsense}, atom_count, atom_limit, build_type, compat_rel, {cpu_topology, defined}, creation,
     debug_compiled, delayed_node_table_gc, dirty_cpu_schedulers, dirty_cpu_schedulers_online, dirty_io_schedulers, dist, dist_buf_busy_limit, dist_ctrl, driver_version,
     dynamic_trace, dynamic_trace_probes, eager_check_io, emu_type, end_time, ets_count, ets_limit, fullsweep_after, garbage_collection, heap_sizes, heap_type, info, kernel_poll,
     loaded, logical_processors, logical_processors_available, logical_processors_online, machine, max_heap_size, message_queue_data, min_heap_size, min_bin_vheap_size,
     modified_timing_level, multi_scheduling_blockers, nif_version, normal_multi_scheduling_blockers, otp_release, os_monotonic_time_source,
     os_system_time_source, outstanding_system_requests_limit, port_parallelism, port_count, port_limit, process_count, process_limit, procs, scheduler_bind_type,
     scheduler_bindings, scheduler_id, schedulers, schedulers_online, smp_support, start_time, system_architecture, system_logger, system_version, threads, thread_pool_size,
     time_correction, time_offset, time_warp_mode, tolerant_timeofday, trace_control_word, update_cpu_info, version, wordsize, {wordsize, internal}, {wordsize, external},
     sequential_tracer, schedulers_total, schedulers_active, schedulers_state, all_schedulers_state, c_compiler_used, check_io, allocated_areas, allocator,
     constant_pool_support, endian, os_type, os_version, break_ignored, snifs, taints, context_reductions, instruction_counts, {nonsense, 1}, nonsense, 17]
    ++ since(26, [async_dist]) ++ since(27, [halt_flush_timeout]).

statistics_items() ->
    [active_tasks, active_tasks_all, context_switches, exact_reductions, garbage_collection, io, microstate_accounting, reductions, run_queue, run_queue_lengths,
     run_queue_lengths_all, runtime, scheduler_wall_time, scheduler_wall_time_all, total_active_tasks, total_active_tasks_all, total_run_queue_lengths,
     total_run_queue_lengths_all, wall_clock, nonsense].

memory_items() -> [total, processes, processes_used, system, atom, atom_used, binary, code, ets, maximum, nonsense, [], [total, nonsense]].

process_items() ->
    [backtrace, binary, catchlevel, current_function, current_location, current_stacktrace, dictionary, error_handler, garbage_collection, garbage_collection_info,
     group_leader, heap_size, initial_call, last_calls, links, max_heap_size, memory, message_queue_data, message_queue_len, messages, min_bin_vheap_size, min_heap_size,
     monitored_by, monitors, parent, priority, reductions, registered_name, sequential_trace_token, stack_size, status, suspending, total_heap_size, trace,
     trap_exit, fullsweep_after, nonsense] ++ since(26, [async_dist, {dictionary, key}, {dictionary, none}]) ++ since(27, [label]) ++ since(28, [priority_messages]).

process_flags() ->
    since(26, [{async_dist, [false, true, x]}]) ++
    [{error_handler, [error_handler, x, 1]}, {fullsweep_after, [10, -1]}, {min_heap_size, [500, -1]}, {min_bin_vheap_size, [500, x]},
     {max_heap_size, [0, #{size => 10000, kill => false}, #{size => 3}, x]}, {message_queue_data, [on_heap, off_heap, x]}, {priority, [normal, high, low, x]}, {save_calls, [0, 5, x]},
     {sensitive, [false, true, x]}, {trap_exit, [false, true, x]}, {monitor_nodes, [x]}, {label, [x]}, {nonsense, [1]}, {scheduler, [0]}].

system_flags() ->
    [{backtrace_depth, 8}, {backtrace_depth, x}, {dirty_cpu_schedulers_online, 1}, {erts_alloc, nonsense}, {fullsweep_after, 65535}, {max_heap_size, 0}, {microstate_accounting, false},
     {min_bin_vheap_size, 46422}, {min_heap_size, 233}, {multi_scheduling, unblock}, {outstanding_system_requests_limit, 50}, {outstanding_system_requests_limit, 0},
     {scheduler_wall_time, false}, {schedulers_online, 1}, {schedulers_online, 0}, {system_logger, logger}, {time_offset, x}, {trace_control_word, 0}, {trace_control_word, -1},
     {max_heap_size, x}, {nonsense, 1}, {internal_cpu_topology, 1}].

since(Release, Items) -> [I || list_to_integer(erlang:system_info(otp_release)) >= Release, I <- Items].

%% --- Who is asked

in_process(F) ->
    {_, M} = spawn_monitor(fun() -> exit(try F() catch C:R -> {C, R} end) end),
    receive {'DOWN', M, _, _, R} -> R end.

%% A process that has something to tell of every item.
process() ->
    Self = self(),
    P = spawn_opt(fun() ->
        put(key, {value}),
        register(someone, self()),
        monitor(process, Self),
        process_flag(trap_exit, true),
        B = binary:copy(<<"large">>, 100),
        Self ! ready,
        try wait(B) after ok end
    end, [link, {fullsweep_after, 7}]),
    receive ready -> ok end,
    monitor(process, P),
    P ! {some, message},
    erlang:suspend_process(P),
    erlang:resume_process(P),
    timer:sleep(50),
    P.

wait(B) -> receive {stop, B} -> ok end.
