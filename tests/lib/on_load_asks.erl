%% A module whose on_load function asks the code server.
-module(on_load_asks).
-export([found/0]).
-on_load(load/0).

load() ->
    persistent_term:put(?MODULE, filename:basename(code:which(lists))),
    ok.

found() -> persistent_term:get(?MODULE).
