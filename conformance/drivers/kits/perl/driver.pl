# A driver: it answers the messages of httplib-kit with what a client in Perl does.
#
#   perl driver.pl [FILE [ARGUMENT]]
#
# FILE, by default client.pl in this directory, defines `name`, `version`, `features`, `exchange($asked)`, which returns
# status, reason, fields (a list of pairs) and content, or dies, and `release`, which closes what the exchanges of a case
# have opened.  Nothing here has to be changed for another client.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP;

my $json = JSON::PP->new->utf8->canonical;    # a string of bytes has one character for each, as the protocol does

# What the client is asked to do: url, method, fields (a list of pairs) and body, which is undefined for a request
# without; streamed and expect_continue; consume, which is read, part (`amount` bytes, then close the response), drop (let
# go of it unread, and return no content) or timeout; and timeout, in seconds.
sub asked {
    my ($given, $url) = @_;
    $url =~ s{^(\w+://[^/]+).*}{$1$given->{target}}s if defined $given->{target};
    return {
        method => 'GET', consume => 'read', amount => 0, timeout => 5, %$given,
        url => $url, fields => $given->{fields}{value} // [], body => $given->{body}{value},
    };
}

sub outcome {
    my ($asked) = @_;
    my @found = eval { local $SIG{__WARN__} = sub { }; exchange($asked) };
    if (my $error = $@) {
        chomp(my $text = "$error");
        return error => { class => ref $error || 'die', message => $text };
    }
    my ($status, $reason, $fields, $content) = @found;
    my $pairs = $fields && [ map { [ "$$_[0]", defined $$_[1] ? "$$_[1]" : '' ] } @$fields ];
    return value => {
        type    => 'response',
        status  => defined $status ? $status + 0 : undef,
        reason  => defined $reason ? "$reason" : undef,
        headers => $pairs,
        body    => defined $content ? "$content" : undef,
    };
}

sub answer {
    my ($message, $absent) = @_;
    my $type = $message->{type};
    if ($type eq 'start') {
        return error => { class => 'NotInstalled', message => $absent } if $absent;
        return name => name(), version => q() . version(), ops => [ 'fetch', 'exchange' ],
            features => [ features() ];
    }
    if ($type eq 'run') {
        my @trace = map {
            my $known = $_->{call} =~ /^(?:fetch|exchange)$/;
            { id => $_->{id}, $known ? outcome(asked($_->{kwargs} // {}, $message->{url})) : (unsupported => JSON::PP::true) }
        } @{ $message->{ops} };
        return trace => \@trace;
    }
    return unsupported => $type unless $type eq 'release';
    release();
    return;
}

open my $answers, '>&', \*STDOUT or die $!;    # what a client prints must not be an answer
open STDOUT, '>&', \*STDERR or die $!;
select((select($answers), $| = 1)[0]);
$SIG{PIPE} = 'IGNORE';

my $file   = shift // dirname(abs_path($0)) . '/client.pl';
my $absent = '';
unless (defined do(abs_path($file))) {
    die $@ || "$file: $!" unless $@ =~ /^Can't locate (\S+)\.pm in/;
    ($absent = "Perl has no module $1") =~ s{/}{::}g;
}
unless ($absent) {    # loads the client before the first case
    outcome(asked({}, 'http://127.0.0.1:1/'));
    release();
}

while (my $line = <STDIN>) {
    my $message = $json->decode($line);
    last if $message->{type} eq 'stop';
    print $answers $json->encode({ answer($message, $absent), serial => $message->{serial} }), "\n";
}
