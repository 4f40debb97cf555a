% library(http/http_open) of SWI-Prolog, for line_driver.py.
:- use_module(library(http/http_open)).
:- use_module(library(readutil)).

one_line(Text, Line) :- split_string(Text, "\r\n\t", "", Parts), atomic_list_concat(Parts, ' ', Line).

answer(Url) :-
    Options = [status_code(Code), raw_headers(Fields), redirect(false), timeout(5), raw_encoding('no-such'),
               authenticate(false)],
    setup_call_cleanup(
        http_open(Url, Stream, Options),
        ( set_stream(Stream, encoding(octet)), read_string(Stream, _, Content) ),
        close(Stream)),
    maplist(one_line, Fields, Lines),
    atomic_list_concat(['\u0000' | Lines], '\n', Head),
    atom_length(Head, HeadLength),
    string_length(Content, Length),
    format("R ~w ~w ~w~n~w~w", [Code, HeadLength, Length, Head, Content]).

answer_or_error(Url) :-
    catch(answer(Url), Error, ( with_output_to(string(Text), print(Error)), one_line(Text, Line),
                                format("E error\t~w~n", [Line]) )).

main :-
    set_stream(user_output, encoding(iso_latin_1)),
    set_stream(user_output, newline(posix)),
    set_stream(user_input, encoding(octet)),
    current_prolog_flag(version, Number),
    Major is Number // 10000, Minor is Number // 100 mod 100, Patch is Number mod 100,
    format("V ~w.~w.~w~n", [Major, Minor, Patch]),
    flush_output,
    repeat,
    read_line_to_string(user_input, Url),
    ( Url == end_of_file -> ! ; answer_or_error(Url), flush_output, fail ).
