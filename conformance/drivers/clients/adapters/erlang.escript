#!/usr/bin/env escript
%% httpc of inets, for line_driver.py.
main(_) ->
    {ok, _} = application:ensure_all_started(inets),
    ok = io:setopts(standard_io, [binary, {encoding, latin1}]),
    ok = httpc:set_options([{max_sessions, 0}]),
    {ok, Version} = application:get_key(inets, vsn),
    file:write(standard_io, ["V ", Version, "\n"]),
    loop().

loop() ->
    case io:get_line("") of
        eof -> ok;
        Line -> file:write(standard_io, answer(string:trim(binary_to_list(Line)))), loop()
    end.

one_line(Text) ->
    [case lists:member(Char, "\r\n\t") of true -> $\s; false -> Char end || Char <- lists:flatten(Text)].

answer(Url) ->
    Request = {Url, [{"connection", "close"}]},
    Options = [{timeout, 5000}, {autoredirect, false}],
    Result = try httpc:request(get, Request, Options, [{body_format, binary}])
             catch Class:Reason -> {error, {Class, Reason}} end,
    case Result of
        {ok, {{_, Status, Phrase}, Fields, Content}} ->
            Head = [one_line(Phrase) | [["\n", Name, ": ", one_line(Value)] || {Name, Value} <- Fields]],
            Size = iolist_size(Head),
            [io_lib:format("R ~w ~w ~w~n", [Status, Size, byte_size(Content)]), Head, Content];
        {error, Why} ->
            ["E error\t", unicode:characters_to_binary(one_line(io_lib:format("~0p", [Why]))), "\n"]
    end.
