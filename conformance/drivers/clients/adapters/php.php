<?php
// The clients in PHP that the kit has: a function for each, by the name in the registry.

use Composer\InstalledVersions;

define('NAME', $argv[2]);
const FEATURES = []; // the registry has them

// The object that makes all exchanges of a case.
$pooled = null;

// The fields of a table of lists.
function pairs(array $table): array
{
    $found = [];
    foreach ($table as $name => $values) {
        foreach ($values as $value) {
            $found[] = [$name, $value];
        }
    }
    return $found;
}

function guzzle(Asked $asked, array $options = []): array
{
    $headers = [];
    foreach ($asked->fields as [$name, $value]) {
        $headers[$name][] = $value;
    }
    $pieces = fn () => yield $asked->body;
    $client = $GLOBALS['pooled'] ??= new GuzzleHttp\Client($options + ['allow_redirects' => false, 'http_errors' => false]);
    $answer = $client->request($asked->method, $asked->url, [
        'headers' => $headers,
        'body' => $asked->streamed ? GuzzleHttp\Psr7\Utils::streamFor($pieces()) : $asked->body,
        'expect' => $asked->expect_continue,
        'stream' => in_array($asked->consume, ['part', 'drop']),
        'timeout' => $asked->timeout,
        'decode_content' => false,
    ]);
    $body = $answer->getBody();
    $content = match ($asked->consume) {
        'drop' => null,
        'part' => $asked->amount ? $body->read($asked->amount) : '',
        default => (string) $body,
    };
    if ($asked->consume === 'part') {
        $body->close();
    }
    return [$answer->getStatusCode(), $answer->getReasonPhrase(), pairs($answer->getHeaders()), $content];
}

function symfony(Asked $asked, string $class): array
{
    $client = $GLOBALS['pooled'] ??= new $class(['max_redirects' => 0]);
    $pieces = fn () => yield $asked->body;
    $answer = $client->request($asked->method, $asked->url, [
        'headers' => $asked->lines(),
        'body' => $asked->streamed ? $pieces() : $asked->body ?? '',
        'timeout' => $asked->timeout,
        'no_proxy' => '*',
    ]);
    $head = [$answer->getStatusCode(), null, pairs($answer->getHeaders(false))];
    if ($asked->consume !== 'part') {
        return [...$head, $answer->getContent(false)];
    }
    $content = '';
    foreach ($asked->amount ? $client->stream($answer) : [] as $piece) {
        $content .= $piece->getContent();
        if (strlen($content) >= $asked->amount) {
            break;
        }
    }
    $answer->cancel();
    return [...$head, substr($content, 0, $asked->amount)];
}

function curl(Asked $asked): array
{
    [$lines, $content, $client] = [[], '', $GLOBALS['pooled'] ??= curl_init()];
    curl_reset($client);
    $expect = $asked->expect_continue ? ['Expect: 100-continue'] : ['Expect:'];
    $options = [
        CURLOPT_URL => $asked->url,
        CURLOPT_TIMEOUT_MS => (int) (1000 * $asked->timeout),
        CURLOPT_HTTPHEADER => [...$asked->lines(), ...($asked->body === null ? [] : $expect)],
        CURLOPT_HEADERFUNCTION => function ($client, $line) use (&$lines) {
            $lines[] = rtrim($line, "\r\n");
            return strlen($line);
        },
        CURLOPT_WRITEFUNCTION => function ($client, $piece) use (&$content, $asked) {
            $content .= $piece;
            return $asked->consume === 'part' && strlen($content) >= $asked->amount ? 0 : strlen($piece); // 0 ends it
        },
    ];
    if ($asked->streamed) {
        $rest = $asked->body;
        $options[CURLOPT_UPLOAD] = true;
        $options[CURLOPT_READFUNCTION] = function ($client, $file, $size) use (&$rest) {
            [$piece, $rest] = [substr($rest, 0, $size), substr($rest, $size)];
            return $piece;
        };
    } elseif ($asked->body !== null) {
        $options[CURLOPT_POSTFIELDS] = $asked->body;
    }
    if ($asked->method === 'HEAD') {
        $options[CURLOPT_NOBODY] = true;
    } elseif ($asked->method !== 'GET') {
        $options[CURLOPT_CUSTOMREQUEST] = $asked->method;
    }
    curl_setopt_array($client, $options);
    $code = curl_exec($client) ? 0 : curl_errno($client);
    if ($code && ($asked->consume !== 'part' || $code !== CURLE_WRITE_ERROR)) {
        throw new Exception("($code) " . curl_error($client));
    }
    $fields = array_filter(array_map(fn ($line) => explode(':', $line, 2), $lines), fn ($pair) => count($pair) > 1);
    $fields = array_map(fn ($pair) => [$pair[0], trim($pair[1])], array_values($fields));
    $content = $asked->consume === 'part' ? substr($content, 0, $asked->amount) : $content;
    return [curl_getinfo($client, CURLINFO_RESPONSE_CODE), null, $fields, $content];
}

$clients = [
    'curl' => 'curl',
    'guzzle' => 'guzzle',
    'guzzle-stream' => fn ($asked) => guzzle($asked, [
        'handler' => GuzzleHttp\HandlerStack::create(new GuzzleHttp\Handler\StreamHandler()),
    ]),
    'symfony-native' => fn ($asked) => symfony($asked, Symfony\Component\HttpClient\NativeHttpClient::class),
    'symfony-curl' => fn ($asked) => symfony($asked, Symfony\Component\HttpClient\CurlHttpClient::class),
];
$autoload = ['guzzle' => 'GuzzleHttp/autoload.php', 'symfony' => 'Symfony/Component/HttpClient/autoload.php'];
$family = strtok(NAME, '-');
if (NAME === 'curl' || NAME === 'symfony-curl') {
    extension_loaded('curl') || throw new NotInstalled('PHP has no extension curl');
}
if (isset($autoload[$family])) {
    @include_once $autoload[$family];
    $known = ['guzzle' => 'GuzzleHttp\Client', 'symfony' => 'Symfony\Component\HttpClient\NativeHttpClient'];
    class_exists($known[$family]) || throw new NotInstalled("PHP has no {$autoload[$family]}");
}

function version(): string
{
    if (NAME === 'curl') {
        return curl_version()['version'];
    }
    $packages = ['guzzle' => 'php-guzzlehttp-guzzle', 'symfony' => 'php-symfony-http-client'];
    $said = trim((string) shell_exec('dpkg-query -W -f \'${Version}\' ' . $packages[strtok(NAME, '-')] . ' 2>/dev/null'));
    return preg_match('~\d+(\.\d+)+~', $said, $match) ? $match[0] : 'unknown';
}

function exchange(Asked $asked): array
{
    return $GLOBALS['clients'][NAME]($asked);
}

function release(): void
{
    $GLOBALS['pooled'] = null;
}
