# The client that driver.pl drives: HTTP::Tiny, which Perl has.  Replace it by yours.
use strict;
use warnings;
use HTTP::Tiny;

sub name     { 'HTTP::Tiny' }
sub version  { "$HTTP::Tiny::VERSION" }
sub features { qw(streamed timeout) }

my $client;

# Return status, reason, fields and content: no proxy, no redirect, nothing decoded.
sub exchange {
    my ($asked) = @_;
    $client //= HTTP::Tiny->new(max_redirect => 0, no_proxy => '127.0.0.1');
    $client->timeout($asked->{timeout});
    my %request;
    for (@{ $asked->{fields} }) {
        my ($name, $value) = @$_;
        push @{ $request{headers}{$name} }, $value;
    }
    my @pieces = $asked->{body};
    $request{content} = $asked->{streamed} ? sub { shift @pieces } : $asked->{body} if defined $asked->{body};
    my $answer = $client->request($asked->{method}, $asked->{url}, \%request);
    die $answer->{content} if $answer->{status} == 599 && !$answer->{protocol};    # a response has one
    my @fields;
    for my $name (keys %{ $answer->{headers} }) {
        my $value = $answer->{headers}{$name};
        push @fields, map { [ $name, $_ ] } ref $value ? @$value : $value;
    }
    return $answer->{status}, $answer->{reason}, \@fields, $answer->{content} // '';
}

sub release {
    undef $client;
}

1;
