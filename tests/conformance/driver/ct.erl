%% Stands in for Common Test's module of the same name: what OTP's suites call of it at run time. What only reports is ignored.
-module(ct).
-export([fail/1, fail/2, timetrap/1, sleep/1, get_timetrap_info/0, get_config/1, get_config/2, get_config/3, require/1, require/2,
         get_status/0, capture_get/0, capture_get/1, get_progname/0, abort_current_testcase/1, get_target_name/1]).
-export(['$handle_undefined_function'/2]).

fail(Reason) -> exit({test_case_failed, Reason}).
fail(Format, Arguments) -> fail(lists:flatten(io_lib:format(Format, Arguments))).
timetrap(Time) -> test_server:timetrap(Time), ok.
sleep(Time) -> test_server:sleep(Time).
get_timetrap_info() -> {60000, {false, 1}}.
get_config(_) -> undefined.
get_config(_, Default) -> Default.
get_config(_, Default, _) -> Default.
require(_) -> {error, no_config}.
require(_, _) -> {error, no_config}.
get_status() -> no_tests_running.
capture_get() -> [].
capture_get(_) -> [].
get_progname() -> test_server:get_progname().
abort_current_testcase(Reason) -> exit({aborted, Reason}).
get_target_name(_) -> {error, unknown}.

'$handle_undefined_function'(Function, Arguments) ->
    Reports = [log, pal, print, comment, notify, capture_start, capture_stop, make_priv_dir],
    lists:member(Function, Reports) orelse error_handler:raise_undef_exception(ct, Function, Arguments),
    ok.
