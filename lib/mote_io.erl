%% The group leader of bare mode: the I/O protocol over standard input and output.
%%
%% It answers every request that OTP's user process answers, with the same replies. While somebody waits for input, output
%% requests of others go on.
-module(mote_io).
-export([start/1, serve_errors/0, loop/1]).

-record(io, {
    fd,                      % {In, Out}: file descriptors
    encoding :: latin1 | unicode,
    binary = false :: boolean(),
    buffer = [] :: [] | unicode:chardata(), % read, not yet asked for; in the reader's form
    pending = <<>> :: binary(),             % the first bytes of a character
    eof = false :: boolean()
}).

%% Starts the process that serves standard input and output.
start(Encoding) ->
    spawn(?MODULE, loop, [#io{fd = {0, 1}, encoding = Encoding}]).

%% Makes the caller the process that serves standard error. Its encoding is that of standard output.
serve_errors() ->
    {encoding, Encoding} = lists:keyfind(encoding, 1, io:getopts(user)),
    loop(#io{fd = {none, 2}, encoding = Encoding}).

loop(S) ->
    receive
        {io_request, From, As, Request} when is_pid(From) ->
            loop(serve(From, As, Request, S));
        _ ->
            loop(S)
    end.

serve(From, As, Request, S0) ->
    {Reply, S} = request(Request, S0),
    From ! {io_reply, As, Reply},
    S.

%% What nearly all programs ask for stands in functions of its own, here and in mote_kernel: only those are translated at every start.
request({put_chars, Encoding, M, F, Args}, S) ->
    try apply(M, F, Args) of
        Chars -> put_chars(Encoding, Chars, S)
    catch
        _:_ -> {{error, put_chars}, S}
    end;
request(Request, S) ->
    other_request(Request, S).

other_request({put_chars, Encoding, Chars}, S) ->
    put_chars(Encoding, Chars, S);
other_request({put_chars, Chars}, S) ->
    put_chars(latin1, Chars, S);
other_request({put_chars, M, F, Args}, S) ->
    request({put_chars, latin1, M, F, Args}, S);
other_request(Request, #io{fd = {none, _}} = S) when element(1, Request) =:= get_line; element(1, Request) =:= get_chars; element(1, Request) =:= get_until ->
    {{error, {request, Request}}, S};
other_request({get_line, Encoding, Prompt}, S) ->
    input(Prompt, io_lib, collect_line, [], Encoding, S);
other_request({get_chars, Encoding, Prompt, N}, S) ->
    input(Prompt, io_lib, collect_chars, N, Encoding, S);
other_request({get_until, Encoding, Prompt, M, F, Args}, S) ->
    input(Prompt, io_lib, get_until, {M, F, Args}, Encoding, S);
other_request({get_line, Prompt}, S) ->
    request({get_line, latin1, Prompt}, S);
other_request({get_chars, Prompt, N}, S) ->
    request({get_chars, latin1, Prompt, N}, S);
other_request({get_until, Prompt, M, F, Args}, S) ->
    request({get_until, latin1, Prompt, M, F, Args}, S);
other_request({requests, Requests}, S) ->
    requests(Requests, ok, S);
other_request(getopts, #io{fd = {none, _}, encoding = Encoding} = S) ->
    {[{encoding, Encoding}], S};
other_request(getopts, #io{binary = Binary, encoding = Encoding} = S) ->
    {[{binary, Binary}, {encoding, Encoding}], S};
other_request({setopts, Options}, S) when is_list(Options) ->
    set_options(Options, S);
other_request({get_geometry, Which}, #io{fd = {_, Out}} = S) when Which =:= columns; Which =:= rows ->
    case mote:window_size(Out) of
        {Columns, _} when Which =:= columns -> {Columns, S};
        {_, Rows} -> {Rows, S};
        undefined -> {{error, enotsup}, S}
    end;
other_request(Other, S) ->
    {{error, {request, Other}}, S}.

requests([R | Rs], ok, S0) ->
    {Reply, S} = request(R, S0),
    requests(Rs, Reply, S);
requests(_, Reply, S) ->
    {Reply, S}.

set_options([], S) ->
    {ok, S};
set_options([binary | T], S) ->
    set_options(T, S#io{binary = true});
set_options([list | T], S) ->
    set_options(T, S#io{binary = false});
set_options([{binary, B} | T], S) when is_boolean(B) ->
    set_options(T, S#io{binary = B});
set_options([{list, B} | T], S) when is_boolean(B) ->
    set_options(T, S#io{binary = not B});
set_options([{encoding, utf8} | T], S) ->
    set_options(T, S#io{encoding = unicode});
set_options([{encoding, E} | T], S) when E =:= latin1; E =:= unicode ->
    set_options(T, S#io{encoding = E});
set_options([E | T], S) when E =:= latin1; E =:= unicode ->
    set_options(T, S#io{encoding = E});
set_options(_, S) ->
    {{error, enotsup}, S}.

put_chars(From, Chars, #io{fd = {_, Out}, encoding = To} = S) ->
    case encode(Chars, From, To) of
        error ->
            {{error, put_chars}, S};
        Bytes ->
            mote:write(Out, Bytes),
            {ok, S}
    end.

%% What a terminal of encoding To shows for these characters; error: they are no characters.
encode(Chars, From, To) ->
    %% Most text is ASCII, and the native function of two arguments does without loading the module.
    case try unicode:characters_to_binary(Chars, From) catch _:_ -> error end of
        Utf8 when is_binary(Utf8), To =/= latin1 -> Utf8;
        Utf8 -> encode_other(Utf8, Chars, From, To)
    end.

encode_other(Utf8, Chars, From, To) ->
    case is_binary(Utf8) andalso unicode:bin_is_7bit(Utf8) of
        true -> Utf8;
        false -> encode_slowly(Chars, From, To)
    end.

encode_slowly(Chars, From, To) ->
    try unicode:characters_to_binary(Chars, From, To) of
        Bytes when is_binary(Bytes) -> Bytes;
        {error, Good, Rest} when To =:= latin1, From =/= latin1 -> escape(Good, Rest, From);
        _ -> error
    catch
        _:_ -> error
    end.

%% Characters beyond latin1 are written as \x{41E}.
escape(Good, Rest, From) ->
    case unicode:characters_to_list(Rest, From) of
        L when is_list(L) -> [Good | [if C > 255 -> "\\x{" ++ integer_to_list(C, 16) ++ "}"; true -> C end || C <- L]];
        _ -> error
    end.

prompt('', S) ->
    {ok, S};
prompt(Prompt, #io{encoding = Encoding} = S) ->
    put_chars(unicode, io_lib:format_prompt(Prompt, Encoding), S).

%% Feeds M:F(State, Data, Encoding, Extra) until it answers {stop, Result, Rest}: the protocol of io_lib's collectors.
input(Prompt, M, F, Extra, Encoding, S0) ->
    case prompt(Prompt, S0) of
        {ok, #io{eof = true, buffer = [], pending = <<>>} = S} -> {eof, S};
        {ok, S} -> collect(start, Prompt, M, F, Extra, Encoding, S);
        {_, S} -> {{error, F}, S}
    end.

collect(State, Prompt, M, F, Extra, Encoding, #io{buffer = [], eof = false} = S) ->
    collect(State, Prompt, M, F, Extra, Encoding, read_more(Prompt, S));
collect(State, Prompt, M, F, Extra, Encoding, #io{buffer = Buffer, binary = Binary} = S0) ->
    Data =
        case Buffer of
            [] -> eof;
            _ when Binary -> unicode:characters_to_binary(Buffer, unicode, Encoding);
            _ -> Buffer
        end,
    S = S0#io{buffer = []},
    try M:F(State, Data, Encoding, Extra) of
        {stop, Result, eof} -> {reply(Result, Encoding, S), S};
        {stop, Result, Rest} -> {reply(Result, Encoding, S), S#io{buffer = chars(Rest, Encoding)}};
        Next when Data =/= eof -> collect(Next, Prompt, M, F, Extra, Encoding, S);
        _ -> {{error, error_name(F, Extra)}, S}
    catch
        _:_ -> {{error, error_name(F, Extra)}, S}
    end.

error_name(get_until, {_, F, _}) -> F;
error_name(F, _) -> F.

chars(Rest, Encoding) when is_binary(Rest) -> unicode:characters_to_list(Rest, Encoding);
chars(Rest, _) -> Rest.

reply(Result, Encoding, #io{binary = true}) when is_list(Result) ->
    try unicode:characters_to_binary(Result, unicode, Encoding) of
        B when is_binary(B) -> B;
        _ -> Result
    catch
        _:_ -> Result
    end;
reply(Result, _, _) ->
    Result.

%% Waits for input; serves others' output meanwhile.
read_more(Prompt, #io{fd = {In, _}} = S) ->
    case mote:read(In) of
        eof ->
            S#io{eof = true, buffer = unicode:characters_to_list(S#io.pending, latin1), pending = <<>>};
        wait ->
            receive
                {mote_readable, In} ->
                    read_more(Prompt, S);
                {io_request, From, As, Request} when element(1, Request) =:= put_chars; Request =:= getopts ->
                    read_more(Prompt, serve(From, As, Request, S))
            end;
        Bytes when is_binary(Bytes) ->
            decode(<<(S#io.pending)/binary, Bytes/binary>>, S)
    end.

decode(Bytes, #io{encoding = Encoding} = S) ->
    case unicode:characters_to_list(Bytes, Encoding) of
        {incomplete, Good, Rest} -> S#io{buffer = Good, pending = iolist_to_binary(Rest)};
        {error, Good, Rest} -> S#io{buffer = Good ++ unicode:characters_to_list(Rest, latin1), pending = <<>>};
        Good -> S#io{buffer = Good, pending = <<>>}
    end.
