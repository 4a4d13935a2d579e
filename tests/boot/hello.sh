# Small things to start with: what is printed, and the status at the end.
cd "$WORK" || exit 1
try() { erl "$@" < /dev/null; echo "status $?"; }
try -noshell -eval 'io:format("hi~n"), halt().'
try -noshell -eval 'io:format("~ts~n", ["\x{e4}\x{f6}"]), halt(3).'
try -noshell -eval 'io:format(standard_error, "error~n", []), init:stop(7).'
try -noshell -s erlang display word -s init stop
try -noshell -run io format 'text~n' -s erlang halt
try -noshell -a 1 2 -b -a 3 x -eval 'io:format("~p~n", [[init:get_argument(a), init:get_argument(b), init:get_plain_arguments()]]), halt().' -extra p -q
try -noshell -eval 'halt("slogan").' 2> /dev/null
try -noshell -eval 'halt(abort).' 2> /dev/null
try -noshell -s no_such_module 2> /dev/null
try -boot no_such_file 2> /dev/null
try -noshell -config no_such_file -eval 'halt().' 2> /dev/null
try -noshell -kernel logger_level error -env VAR value -eval 'io:format("~p ~p~n", [application:get_env(kernel, logger_level), os:getenv("VAR")]), halt().'
try -noshell -mode embedded -eval 'io:format("~p ~p~n", [code:get_mode(), code:is_loaded(dets) =/= false]), halt().'
echo "line 1
line 2" | erl -noshell -eval 'io:format("~p~n", [[io:get_line(""), io:get_line(""), io:get_line("")]]), halt().'
try -version 2>&1
try -noshell +P 3000 +t 20000 +hms 500 +hmqd off_heap +W e +pc unicode +C multi_time_warp +zdbbl 50 -eval 'io:format("~p~n", [[erlang:system_info(X) || X <- [process_limit, min_heap_size, message_queue_data, time_warp_mode, dist_buf_busy_limit]] ++ [error_logger:warning_map(), io:printable_range()]]), halt().'
try -noshell -eval 'io:format("~p~n", [[erlang:system_info(X) || X <- [machine, otp_release, version, wordsize, smp_support, threads, process_limit, port_limit, atom_limit, ets_limit, nif_version, driver_version, system_architecture, heap_type, kernel_poll, compat_rel, thread_pool_size]]]), halt().'
try -noshell -eval 'io:format("~p~n", [lists:sort([N || N <- registered(), N =/= net_sup_dummy])]), halt().'
try -noshell -eval 'io:format("~p~n", [[{P, proplists:get_value(registered_name, process_info(P, [registered_name])), process_info(P, [initial_call, priority, trap_exit])} || P <- processes(), P < c:pid(0, 10, 0)]]), halt().'
try -noshell -eval 'io:format("~p~n", [erts_debug:dirty_io(wait, 10)]), halt().'
