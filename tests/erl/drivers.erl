%% Module erl_ddll: what it says of drivers that are built in, and of those that are not there.
-module(drivers).
-export([main/0]).

main() ->
    t:all([{"call", fun() -> apply(erl_ddll, F, A) end} || {F, A} <- calls()]),
    t:show("ram_file_drv", fun() -> {ok, L} = erl_ddll:loaded_drivers(), lists:member("ram_file_drv", L) end),
    t:all([{"error " ++ io_lib:format("~w", [E]), fun() -> erl_ddll:format_error_int(E) end} ||
              E <- [no_error, no_driver_init, driver_init_failed, bad_driver_name, driver_name_to_long, driver_incorrect_version, no_ddll_available,
                    unspecified_error, symbol_not_found, inconsistent, linked_in_driver, permanent, not_loaded, not_loaded_by_this_process, not_pending,
                    already_loaded, unloading, {open_error, -9}, foo, 1, {error, 1}, {open_error, x}, "abc"]]),
    t:all([{"monitor " ++ io_lib:format("~w", [What]), fun() ->
        M = erl_ddll:monitor(driver, What),
        receive X -> {is_reference(M), setelement(2, X, ref), erl_ddll:demonitor(M)} after 500 -> none end
     end} || What <- [{"nosuch", loaded}, {nosuch, unloaded}, {"ram_file_drv", loaded}, {ram_file_drv, unloaded}, {"ram_file_drv", unloaded_only},
                      {"ram_file_drv", foo}, {1, loaded}]]).

calls() ->
    [{info, ["nosuch", processes]}, {info, [1, processes]}] ++
    [{info, ["ram_file_drv", I]} || I <- [processes, driver_options, port_count, linked_in_driver, permanent, awaiting_load, awaiting_unload, foo, 1]] ++
    [{try_load, A} || A <- [["/tmp", "nosuch", []], ["/tmp", nosuch, [{monitor, pending}]], ["/tmp", "nosuch", [{reload, pending}]], ["/tmp", "nosuch", [foo]],
                            [1, nosuch, []], ["/tmp", "ram_file_drv", []], ["/tmp", "nosuch", [{driver_options, [kill_ports]}]],
                            ["/tmp", "nosuch", [{driver_options, [foo]}]], ["/tmp", "nosuch", [{monitor, foo}]]]] ++
    [{try_unload, A} || A <- [["nosuch", []], ["nosuch", [{monitor, pending}]], ["ram_file_drv", []], ["ram_file_drv", foo], ["nosuch", [kill_ports]], [1, []]]] ++
    [{monitor, [foo, {"ram_file_drv", loaded}]}, {demonitor, [a]}, {load, ["/tmp", "nosuch"]}, {unload, ["ram_file_drv"]}, {unload_driver, ["nosuch"]}].
