%% Bare mode's error handler: loads a module when one of its functions is first called. (OTP's own asks the code server.)
-module(error_handler).
-export([undefined_function/3, undefined_lambda/3]).

%% Whether an event is to be logged: as long as the logger has not been started, all but information is.
undefined_function(logger, allow, [Level, _]) when Level =:= info; Level =:= debug ->
    false;
undefined_function(M, F, Args) ->
    case ensure_loaded(M) of
        {module, M} ->
            case erlang:function_exported(M, F, length(Args)) of
                true -> apply(M, F, Args);
                false -> not_exported(M, F, Args)
            end;
        _ ->
            undefined(M, F, Args)
    end.

undefined_lambda(M, Fun, Args) ->
    case ensure_loaded(M) of
        {module, M} -> apply(Fun, Args);
        _ -> undefined_fun(Fun, Args)
    end.

ensure_loaded(M) ->
    case erlang:module_loaded(M) of
        true ->
            {module, M};
        false ->
            M =:= logger andalso mote_logger:start(),
            case mote:load(M) of
                ok -> {module, M};
                Other -> mote_code:loaded(M, Other)
            end
    end.

not_exported(M, F, Args) ->
    case erlang:function_exported(M, '$handle_undefined_function', 2) of
        true -> M:'$handle_undefined_function'(F, Args);
        false -> undefined(M, F, Args)
    end.

undefined(M, F, Args) ->
    try
        erlang:error(undef)
    catch
        error:undef:Trace -> erlang:raise(error, undef, [{M, F, Args, []} | tl(Trace)])
    end.

undefined_fun(Fun, Args) ->
    try
        erlang:error(undef)
    catch
        error:undef:Trace -> erlang:raise(error, undef, [{Fun, Args, []} | tl(Trace)])
    end.
