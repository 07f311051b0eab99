# Net::SIP as a peer: new_from_string, then the functions with which its proxy and its endpoints take
# values apart. It has no opinion on display names, and none on a URI in which it finds no domain.
use strict;
use warnings;

BEGIN {
    if (!eval { require Encode; require JSON::PP; require Net::SIP; 1 }) {
        print '{"absent":"there is no Net::SIP here: apt-get install libnet-sip-perl"}', "\n";
        exit 0;
    }
}

my $json = JSON::PP->new->utf8->canonical;
$| = 1;
binmode STDIN;

sub say_line { print $json->encode($_[0]), "\n" }

# Octets as JSON has them: a string where they are UTF-8, null where there are none.
sub octets
{
    my ($s) = @_;
    return undef if !defined $s;
    my $text = eval { Encode::decode('UTF-8', my $copy = $s, Encode::FB_CROAK) };
    return defined $text ? $text : { hex => unpack 'H*', $s };
}

# A number where it fits one, else the digits.
sub number
{
    my ($s) = @_;
    return defined $s && $s =~ /^[0-9]{1,18}\z/ ? $s + 0 : octets($s);
}

# "host:port" or "[host]:port" in its two parts; the stack keeps no brackets.
sub host_port
{
    my ($host, $port) = Net::SIP::Util::ip_string2parts($_[0], 1);
    $host = "[$host]" if $host =~ /:/;
    return (host => octets($host), port => number($port));
}

sub uri
{
    my ($domain, $user, $scheme) = Net::SIP::Util::sip_uri2parts($_[0]);
    return () if !defined $domain;
    return (uri => { scheme => $scheme, user => octets($user), host_port($domain) });
}

sub address
{
    my ($key, $value) = @_;
    return '*' if $key eq 'contact' && $value eq '*';
    my ($data, $params) = Net::SIP::Util::sip_hdrval2parts($key => $value);
    return { uri($data), tag => octets($params->{tag}) };
}

# As StatelessProxy finds where a response goes.
sub via
{
    my ($first, $params) = Net::SIP::Util::sip_hdrval2parts(via => $_[0]);
    my ($transport, $sent_by) = $first =~ m{^SIP/\d\.\d(?:/(\S+))?\s+(.*)};
    my %via = (transport => octets($transport), branch => octets($params->{branch}));
    return defined $sent_by ? { %via, host_port($sent_by) } : \%via;
}

sub reading
{
    my $m = Net::SIP::Packet->new_from_string($_[0]);
    my ($what, $text, $pairs, $body) = $m->as_parts;
    my %o = $m->is_request ? (request => { method => octets($what), uri($text) }) : (response => { status => number($what) });
    $o{fields} = [map { { name => octets($_->{key}), raw => octets($_->{value}) } } @$pairs];
    $o{via} = [map { via($_) } $m->get_header('via')];
    for my $key ('contact', 'route', 'record-route') {
        $o{$key} = [map { address($key, $_) } $m->get_header($key)];
    }
    for my $key ('from', 'to') {
        my ($value) = $m->get_header($key);
        $o{$key} = defined $value ? address($key, $value) : undef;
    }
    my ($sequence, $method) = ($m->cseq // '') =~ m{^(\d+)\s+(\w+)};
    $o{'call-id'} = octets($m->callid);
    $o{cseq} = defined $sequence ? { number => number($sequence), method => octets($method) } : undef;
    $o{'content-length'} = number(scalar $m->get_header('content-length'));
    $o{body} = octets($body) if defined $body;
    return \%o;
}

say_line({ peer => 'Net::SIP', version => "$Net::SIP::VERSION" });
while (read(STDIN, my $head, 4) == 4) {
    my $size = unpack 'N', $head;
    my $message = '';
    read(STDIN, $message, $size) == $size or last;
    my $o = eval { reading($message) };
    # Behind these words it quotes the message.
    my $why = $@ =~ s/^(bad header line|bad request: starts with|missing '.' in) .*/$1/sr;
    say_line($o ? { verdict => 'accept', reading => $o } : { verdict => 'refuse', reason => substr($why =~ s/[^ -~]+/ /gr, 0, 200) });
}
