# The clients in Perl that the kit has: a function for each, by the name in the registry.
use strict;
use warnings;

my ($which, $module) = @ARGV;

# The fields of a table whose values can be lists.
sub pairs_of {
    my ($names, $values) = @_;
    return [ map { my $name = $_; map { [ $name, $_ ] } $values->($name) } @$names ];
}

my %clients = (
    lwp => sub {
        my $answer = LWP::UserAgent->new(max_redirect => 0, timeout => 5)->get($_[0]);
        if (my @why = grep { defined } map { scalar $answer->header($_) } qw(X-Died Client-Aborted Client-Warning)) {
            die join(' ', $answer->status_line, @why) . "\n";
        }
        my @names = grep { !/^Client-/ } $answer->header_field_names;
        return $answer->code, $answer->message, pairs_of(\@names, sub { $answer->header($_[0]) }), $answer->content;
    },
    mojo => sub {
        my $client = Mojo::UserAgent->new(
            max_redirects => 0, request_timeout => 5, inactivity_timeout => 5, max_connections => 0);
        my $answer = $client->get($_[0]);
        my $error  = $answer->error // $answer->res->error;
        die "$error->{message}\n" if $error && !$error->{code};
        my $response = $answer->res;
        my $fields   = pairs_of($response->headers->names, sub { @{ $response->headers->every_header($_[0]) } });
        return $response->code, $response->message, $fields, $response->body;
    },
    furl => sub {
        my $client = Furl::HTTP->new(max_redirects => 0, timeout => 5);
        my (undef, $code, $reason, $fields, $content) = $client->request(method => 'GET', url => $_[0]);
        my @pairs;
        push @pairs, [ splice @$fields, 0, 2 ] while @$fields;
        die "$content\n" if grep { lc $$_[0] eq 'x-internal-response' } @pairs;
        return $code, $reason, \@pairs, $content;
    },
    anyevent => sub {
        my $done = AnyEvent->condvar;
        AnyEvent::HTTP::http_get($_[0],
            recurse => 0, timeout => 5, persistent => 0, proxy => undef, sub { $done->send(@_) });
        my ($content, $head) = $done->recv;
        die "$head->{Status} $head->{Reason}\n" if $head->{Status} =~ /^59\d$/;
        my @fields = map { [ $_, $head->{$_} ] } grep { !/[A-Z]/ } keys %$head;
        return $head->{Status}, $head->{Reason}, \@fields, $content;
    },
    async => sub {
        my $loop   = IO::Async::Loop->new;
        my $client = Net::Async::HTTP->new(timeout => 5, max_redirects => 0, pipeline => 0);
        $loop->add($client);
        my $answer = eval { $client->GET($_[0])->get };
        my $error  = $@;
        $loop->remove($client);
        die $error unless $answer;
        my @names = $answer->header_field_names;
        return $answer->code, $answer->message, pairs_of(\@names, sub { $answer->header($_[0]) }), $answer->content;
    },
    lite => sub {
        my $client = HTTP::Lite->new;
        $client->{timeout} = 5;
        $client->http11_mode(1);
        my $code = $client->request($_[0]) or die "no response: $!\n";
        my @fields = map { [ split /: */, $_, 2 ] } grep { /:/ } $client->headers_array;
        return $code, $client->status_message, \@fields, $client->body;
    },
    hijk => sub {
        my ($host, $port, $path) = $_[0] =~ m{//([^:/]+):(\d+)(/.*)?};
        my $answer = Hijk::request({
            method => 'GET', host => $host, port => $port, path => $path || '/', read_timeout => 5,
            connect_timeout => 5, socket_cache => undef, parse_chunked => 1, no_default_host_header => 1,
            head => [ Host => "$host:$port", Connection => 'close' ],
        });
        die "Hijk error $answer->{error} " . ($answer->{error_message} // '') . "\n" if $answer->{error};
        my $head = $answer->{head};
        return $answer->{status}, undef, [ map { [ $_, $head->{$_} ] } keys %$head ], $answer->{body};
    },
    curl => sub {
        my $client = WWW::Curl::Easy->new;
        my $content = '';
        open my $output, '>', \$content or die $!;
        $client->setopt(WWW::Curl::Easy::CURLOPT_URL(),       $_[0]);
        $client->setopt(WWW::Curl::Easy::CURLOPT_TIMEOUT(),   5);
        $client->setopt(WWW::Curl::Easy::CURLOPT_WRITEDATA(), $output);
        my $code = $client->perform;
        die "($code) " . $client->strerror($code) . ': ' . $client->errbuf . "\n" if $code;
        return $client->getinfo(WWW::Curl::Easy::CURLINFO_HTTP_CODE()), undef, undef, $content;
    },
);

(my $path = "$module.pm") =~ s{::}{/}g;
require $path;
if ($which eq 'anyevent') { require AnyEvent }
if ($which eq 'async')    { require IO::Async::Loop }

sub name    { $which }
sub version { no strict 'refs'; ${"${module}::VERSION"} // do { require Mojolicious; $Mojolicious::VERSION } }
sub fetch   { $clients{$which}->(@_) }

1;
