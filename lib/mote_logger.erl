%% OTP's logger, started when something is first logged: by the emulator, or by whoever calls the module `logger`.
%%
%% The process registered as logger sleeps until then. It becomes OTP's logger_server; a second process, mote_logger, adds the
%% handler that OTP has by default, and stays as the parent of its supervisor.
-module(mote_logger).
-export([start/0, become/0, setup/1, flush/0]).

%% To be called before the module `logger` is loaded: returns when logging works, or at once in those who are starting it.
start() ->
    case get(mote_logger) of
        undefined -> wait(100);
        _ -> ok
    end.

wait(Tries) ->
    case {whereis(mote_logger), whereis(logger)} of
        {undefined, Logger} when is_pid(Logger), Tries > 0 ->
            Logger ! mote_start,
            receive after 1 -> ok end,
            wait(Tries - 1);
        {undefined, _} ->
            ok;
        {Pid, _} ->
            Ref = monitor(process, Pid),
            Pid ! {ready, self(), Ref},
            receive
                {Ref, ready} -> demonitor(Ref, [flush]);
                {'DOWN', Ref, _, _, _} -> ok
            end
    end.

%% What the sleeping process does when it is woken.
become() ->
    case mote_code:ensure_loaded(logger_server) of
        {module, _} ->
            put(mote_logger, true),
            put('$ancestors', [init]), % what proc_lib would have left there
            put('$initial_call', {logger_server, init, 1}),
            Self = self(),
            Setup = spawn(?MODULE, setup, [Self]),
            erlang:system_flag(system_logger, Setup),
            register(mote_logger, Setup),
            forward(Setup),
            {ok, State} = logger_server:init([]),
            Setup ! {Self, go},
            gen_server:enter_loop(logger_server, [], State, {local, logger});
        _ ->
            mote_error:serve()
    end.

%% What has come already.
forward(To) ->
    receive
        Message ->
            To ! Message,
            forward(To)
    after 0 ->
        ok
    end.

setup(Logger) ->
    put(mote_logger, true),
    receive {Logger, go} -> ok end,
    {module, logger} = mote_code:load_file(logger),
    environment(),
    {ok, _} = logger_sup:start_link(),
    ok = logger:add_handler(default, logger_std_h, #{
        formatter => {logger_formatter, #{legacy_header => true, single_line => false}},
        filter_default => stop,
        filters => [
            {remote_gl, {fun logger_filters:remote_gl/2, stop}},
            {domain, {fun logger_filters:domain/2, {log, super, [otp, sasl]}}},
            {no_domain, {fun logger_filters:domain/2, {log, undefined, []}}}
        ]
    }),
    _ = logger:remove_handler(simple),
    serve(whereis(logger_proxy)).

%% The table of applications' environments, where there is no application controller.
environment() ->
    case ets:whereis(ac_tab) of
        undefined -> ets:new(ac_tab, [set, public, named_table, {read_concurrency, true}]);
        _ -> ok
    end.

serve(Proxy) ->
    receive
        {ready, From, Ref} -> From ! {Ref, ready};
        Log when element(1, Log) =:= log -> Proxy ! Log;
        _ -> ok
    end,
    serve(Proxy).

%% Before the VM ends: what has been logged is written.
flush() ->
    case whereis(mote_logger) of
        undefined ->
            ok;
        _ ->
            start(),
            _ = (catch logger_olp:info(persistent_term:get(logger_proxy))),
            _ = (catch logger_std_h:filesync(default)),
            ok
    end.
