%% The small kernel of bare mode.
-module(mote_kernel).
-export([start/0]).

start() ->
    ok.
