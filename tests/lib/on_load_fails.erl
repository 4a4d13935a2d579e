%% A module whose on_load function says no.
-module(on_load_fails).
-export([never/0]).
-on_load(load/0).

load() -> no.

never() -> here.
