# The client that driver.pl drives: HTTP::Tiny, which Perl has.  Replace it by yours.
use strict;
use warnings;
use HTTP::Tiny;

sub name    { 'HTTP::Tiny' }
sub version { "$HTTP::Tiny::VERSION" }

# Return status, reason, fields and content of a GET: no proxy, no redirect, nothing decoded.
sub fetch {
    my ($url) = @_;
    my $answer = HTTP::Tiny->new(max_redirect => 0, timeout => 5, no_proxy => '127.0.0.1')->get($url);
    die $answer->{content} if $answer->{status} == 599;
    my @fields;
    for my $name (keys %{ $answer->{headers} }) {
        my $value = $answer->{headers}{$name};
        push @fields, map { [ $name, $_ ] } ref $value ? @$value : $value;
    }
    return $answer->{status}, $answer->{reason}, \@fields, $answer->{content};
}

1;
