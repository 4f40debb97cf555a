# The clients in Perl that the kit has: a function for each, by the name in the registry.
use strict;
use warnings;

my ($which, $module) = @ARGV;

my $pooled;    # the object that makes all exchanges of a case

# The fields that the caller adds, as most clients take them: names and values in one list.
sub flat {
    my ($asked) = @_;
    return map { @$_ } @{ $asked->{fields} };
}

# Content in pieces: this gives one at each call, and then nothing.
sub pieces {
    my @pieces = $_[0]{body};
    return sub { shift @pieces // '' };
}

# The fields of a table whose values can be lists.
sub pairs_of {
    my ($names, $values) = @_;
    return [ map { my $name = $_; map { [ $name, $_ ] } $values->($name) } @$names ];
}

my %clients = (
    lwp => sub {
        my ($asked) = @_;
        $pooled //= LWP::UserAgent->new(keep_alive => 4);
        $pooled->timeout($asked->{timeout});
        my $request = HTTP::Request->new($asked->{method}, $asked->{url}, [ flat($asked) ]);
        $request->content($asked->{streamed} ? pieces($asked) : $asked->{body}) if defined $asked->{body};
        my $part = '';
        my $take = sub {
            $part .= $_[0];
            die "enough\n" if length $part >= $asked->{amount};
        };
        my $answer = $pooled->simple_request($request, $asked->{consume} eq 'part' ? $take : ());
        my $enough = ($answer->header('X-Died') // '') eq 'enough';
        my @why    = grep { defined } map { scalar $answer->header($_) } qw(X-Died Client-Aborted Client-Warning);
        die join(' ', $answer->status_line, @why) . "\n" if @why && !$enough;
        my @names = grep { !/^Client-|^X-Died/ } $answer->header_field_names;
        my $fields = pairs_of(\@names, sub { $answer->header($_[0]) });
        my $content = $asked->{consume} eq 'part' ? substr($part, 0, $asked->{amount}) : $answer->content;
        return $answer->code, $answer->message, $fields, $content;
    },
    mojo => sub {
        my ($asked) = @_;
        $pooled //= Mojo::UserAgent->new(max_redirects => 0);
        $pooled->request_timeout($asked->{timeout})->inactivity_timeout($asked->{timeout});
        $pooled->ioloop->timer(0 => sub { $_[0]->stop });
        $pooled->ioloop->start;
        my $exchange = $pooled->build_tx($asked->{method} => $asked->{url});
        $exchange->req->headers->add(@$_) for @{ $asked->{fields} };
        if ($asked->{streamed}) {
            $exchange->req->content->write_chunk($asked->{body} => sub { shift->write_chunk('') });
        }
        elsif (defined $asked->{body}) { $exchange->req->body($asked->{body}) }
        my $answer = $pooled->start($exchange);
        my $error  = $answer->error // $answer->res->error;
        die "$error->{message}\n" if $error && !$error->{code};
        my $response = $answer->res;
        my $fields   = pairs_of($response->headers->names, sub { @{ $response->headers->every_header($_[0]) } });
        return $response->code, $response->message, $fields, $response->body;
    },
    furl => sub {
        my ($asked) = @_;
        $pooled //= Furl::HTTP->new(max_redirects => 0, timeout => 5);
        my (undef, $code, $reason, $fields, $content) = $pooled->request(
            method => $asked->{method}, url => $asked->{url}, headers => [ flat($asked) ], content => $asked->{body});
        my @pairs;
        push @pairs, [ splice @$fields, 0, 2 ] while @$fields;
        die "$content\n" if grep { lc $$_[0] eq 'x-internal-response' } @pairs;
        return $code, $reason, \@pairs, $content;
    },
    anyevent => sub {
        my ($asked) = @_;
        my $done = AnyEvent->condvar;
        my ($content, $first) = ('');
        my %part = (
            on_header => sub { $first = { %{ $_[0] } }; $asked->{amount} },
            on_body   => sub { $content .= $_[0]; length $content < $asked->{amount} },
        );
        AnyEvent::HTTP::http_request($asked->{method}, $asked->{url},
            headers => { flat($asked) }, body => $asked->{body}, recurse => 0, timeout => $asked->{timeout}, proxy => undef,
            persistent => 0, $asked->{consume} eq 'part' ? %part : (), sub { $done->send(@_) });
        my ($whole, $head) = $done->recv;
        $head = $first if $head->{Status} == 598 && $first;
        die "$head->{Status} $head->{Reason}\n" if $head->{Status} =~ /^59\d$/;
        $whole = substr $content, 0, $asked->{amount} if $first;
        my @fields = map { [ $_, $head->{$_} ] } grep { !/[A-Z]/ } keys %$head;
        return $head->{Status}, $head->{Reason}, \@fields, $whole;
    },
    async => sub {
        my ($asked) = @_;
        my $loop = IO::Async::Loop->new;    # it is the same at each call
        unless ($pooled) {
            $pooled = Net::Async::HTTP->new(max_redirects => 0, pipeline => 0);
            $loop->add($pooled);
        }
        $loop->loop_once(0);
        my $request = HTTP::Request->new($asked->{method}, $asked->{url}, [ flat($asked) ]);
        $request->protocol('HTTP/1.1');
        $request->header(Host => $request->uri->host_port);
        if (defined $asked->{body}) {
            $request->content($asked->{body});
            $request->content_length(length $asked->{body});
        }
        my $answer = $pooled->do_request(
            request => $request, timeout => $asked->{timeout}, expect_continue => $asked->{expect_continue} ? 1 : 0)->get;
        my @names = $answer->header_field_names;
        return $answer->code, $answer->message, pairs_of(\@names, sub { $answer->header($_[0]) }), $answer->content;
    },
    lite => sub {
        my ($asked) = @_;
        my $client = HTTP::Lite->new;
        $client->{timeout} = 5;
        $client->http11_mode(1);
        my $code = $client->request($asked->{url}) or die "no response: $!\n";
        my @fields = map { [ split /: */, $_, 2 ] } grep { /:/ } $client->headers_array;
        return $code, $client->status_message, \@fields, $client->body;
    },
    hijk => sub {
        my ($asked) = @_;
        $pooled //= {};
        my ($host, $port, $path) = $asked->{url} =~ m{//([^:/]+):(\d+)(/.*)?};
        my $answer = Hijk::request({
            method => $asked->{method}, host => $host, port => $port, path => $path || '/', socket_cache => $pooled,
            read_timeout => $asked->{timeout}, connect_timeout => 5, parse_chunked => 1, no_default_host_header => 1,
            head => [ Host => "$host:$port", flat($asked) ], defined $asked->{body} ? (body => $asked->{body}) : (),
        });
        die "Hijk error $answer->{error} " . ($answer->{error_message} // '') . "\n" if $answer->{error};
        my $head = $answer->{head};
        return $answer->{status}, undef, [ map { [ $_, $head->{$_} ] } keys %$head ], $answer->{body};
    },
    curl => sub {
        my ($asked) = @_;
        my ($client, $content) = ($pooled //= WWW::Curl::Easy->new, '');
        open my $output, '>', \$content or die $!;
        my %option = (
            URL => $asked->{url}, TIMEOUT_MS => 1000 * $asked->{timeout}, WRITEDATA => $output,
            HTTPHEADER => [ map { "$$_[0]: $$_[1]" } @{ $asked->{fields} } ], HTTPGET => 1,
            NOBODY => $asked->{method} eq 'HEAD' ? 1 : 0, CUSTOMREQUEST => $asked->{method},
        );
        $option{POSTFIELDS} = $asked->{body} if defined $asked->{body};
        delete $option{HTTPGET} if defined $asked->{body};
        for my $name (sort keys %option) {
            no strict 'refs';
            $client->setopt(&{"WWW::Curl::Easy::CURLOPT_$name"}(), $option{$name});
        }
        my $code = $client->perform;
        die "($code) " . $client->strerror($code) . ': ' . $client->errbuf . "\n" if $code;
        return $client->getinfo(WWW::Curl::Easy::CURLINFO_HTTP_CODE()), undef, undef, $content;
    },
);

(my $path = "$module.pm") =~ s{::}{/}g;
require $path;
if ($which eq 'anyevent') { require AnyEvent }
if ($which eq 'async')    { require IO::Async::Loop }

sub name     { $which }
sub version  { no strict 'refs'; ${"${module}::VERSION"} // do { require Mojolicious; $Mojolicious::VERSION } }
sub features { () }    # the registry has them
sub exchange { $clients{$which}->(@_) }

sub release {
    IO::Async::Loop->new->remove($pooled) if $which eq 'async' && $pooled;
    undef $pooled;
}

1;
