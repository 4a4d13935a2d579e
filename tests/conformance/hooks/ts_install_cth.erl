%% Stands in for the hook of the same name of OTP's own test machinery, which installs nodes of other releases: every suite names it.
-module(ts_install_cth).
-export([init/2]).

init(_, _) -> {ok, none}.
